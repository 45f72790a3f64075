//! Attackers who come anew for each blow: connections that carry nothing, requests that may not be, CONNECTs with a bad
//! token. Each is paced.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::count::{Clock, Count};
use crate::accounts::Account;
use crate::client::{Dialer, Http, RawClient, Request};

/// Between two blows of an attacker; what is due is struck at once then.
const BEAT: Duration = Duration::from_millis(5);
/// An attacker that fell behind makes up for so much of the time.
const LEEWAY: Duration = Duration::from_millis(100);
/// How long a connection that carries nothing stays open.
const STAY: Duration = Duration::from_secs(1);
/// Connections of one kind under way at the same time.
const AT_ONCE: usize = 3_000;
/// Connections that requests are made over.
const REQUESTERS: u32 = 8;
/// Before coming again after a connection was refused or lost.
pub const PAUSE: Duration = Duration::from_millis(50);
/// Where Socket.IO is.
pub const SOCKET_IO: &str = "/socket.io/?EIO=4&transport=websocket";
/// A token that looks like one of this server's, and is signed by nobody.
const BAD_TOKEN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI2NWExYjJjM2Q0ZTVmNmE3YjhjOWQwZTEiLCJ1c2VySWQiOiI2NWExYjJjM2Q0ZTVmNmE3YjhjOWQwZTEiLCJyb2xlIjoidXNlciIsInNpZCI6IjY1YTFiMmMzZDRlNWY2YTdiOGM5ZDBlMiIsImlhdCI6MTc2NDAwMDAwMCwiZXhwIjoxODY0MDAwMDAwLCJqdGkiOiJ4In0.bm90LWEtc2lnbmF0dXJlLW9mLXRoaXMtc2VydmVyLWF0LWFsbA";

/// What an attacker has.
pub struct Shared {
    pub dialer: Arc<Dialer>,
    pub count: Arc<Count>,
    pub clock: Clock,
    /// Blows per second.
    pub rate: f64,
}

/// Tells how many blows are due, again and again, at a rate. Of what was missed, no more than [`LEEWAY`] holds is made up
/// for.
pub struct Pace {
    ticks: tokio::time::Interval,
    rate: f64,
    last: Instant,
    owed: f64,
}

impl Pace {
    /// So many a second.
    pub fn new(rate: f64) -> Self {
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, rate, last: Instant::now(), owed: 0.0 }
    }

    /// Waits for the next beat.
    pub async fn due(&mut self) -> u64 {
        let now = self.ticks.tick().await.max(Instant::now());
        self.owed += self.rate * (now - self.last).min(LEEWAY).as_secs_f64();
        self.last = now;
        let due = self.owed.floor();
        self.owed -= due;
        due as u64
    }
}

/// Runs `blow` at the rate, each in a task of its own, and counts what came of it.
async fn strike<F>(shared: Shared, blow: fn(Arc<Shared>) -> F)
where
    F: Future<Output = Result<bool>> + Send + 'static,
{
    let (mut pace, gate) = (Pace::new(shared.rate), Arc::new(Semaphore::new(AT_ONCE)));
    let shared = Arc::new(shared);
    loop {
        for _ in 0..pace.due().await {
            let Ok(permit) = Arc::clone(&gate).try_acquire_owned() else { break };
            let shared = Arc::clone(&shared);
            shared.count.tried(shared.clock, 1);
            tokio::spawn(async move {
                match blow(Arc::clone(&shared)).await {
                    Ok(refused) => shared.count.answered(shared.clock, refused),
                    Err(_) => shared.count.failed(shared.clock),
                }
                drop(permit);
            });
        }
    }
}

/// Opens connections that carry nothing and stay a second: with the default rate they would be more at once than one
/// address may have, were there not others of it.
pub async fn connections(shared: Shared) {
    strike(shared, connection).await;
}

async fn connection(shared: Arc<Shared>) -> Result<bool> {
    let mut stream = shared.dialer.tcp().await?;
    // Reset at its end: else the address would run out of ports.
    stream.set_zero_linger()?;
    let ended = timeout(STAY, stream.read(&mut [0; 64])).await;
    Ok(ended.is_ok())
}

/// Asks to join with a bad token, each time over a connection of its own.
pub async fn connects(shared: Shared) {
    strike(shared, connect).await;
}

async fn connect(shared: Arc<Shared>) -> Result<bool> {
    let stream = shared.dialer.tcp().await?;
    stream.set_zero_linger()?;
    // The transport is refused already, or the connection was.
    let Ok(mut client) = RawClient::upgrade(stream, shared.dialer.host(), SOCKET_IO).await else {
        return Ok(true);
    };
    client.write(&shared.dialer.join(BAD_TOKEN)).await?;
    let mut refused = false;
    while !refused {
        let read = client.read(|text| {
            refused |= text.starts_with("44");
            ensure!(!text.starts_with("40"), "a bad token was good");
            Ok(())
        });
        read.await?;
    }
    Ok(true)
}

/// Makes requests without a token and with a bad one, and tries passwords.
pub async fn requests(shared: Shared, user: Arc<Account>) {
    let shared = Arc::new(Shared { rate: shared.rate / f64::from(REQUESTERS), ..shared });
    let mut requesters = tokio::task::JoinSet::new();
    for _ in 0..REQUESTERS {
        let (shared, user) = (Arc::clone(&shared), Arc::clone(&user));
        requesters.spawn(async move {
            loop {
                if request(&shared, &user).await.is_err() {
                    shared.count.failed(shared.clock);
                }
                sleep(PAUSE).await;
            }
        });
    }
    requesters.join_all().await;
}

/// Asks over one connection until it ends.
async fn request(shared: &Shared, user: &Account) -> Result<()> {
    let stream = shared.dialer.tcp().await?;
    stream.set_zero_linger()?;
    let (mut http, mut pace) = (Http::new(stream, shared.dialer.host()), Pace::new(shared.rate));
    let wrong =
        serde_json::json!({ "username": user.username, "password": "wrong horse" }).to_string();
    let refresh = r#"{"refreshToken":"0123456789abcdef0123456789abcdef0123456789a"}"#;
    let json = "application/json";
    let blows = [
        Request::get("/api/auth/me"),
        Request::get("/api/messages/unread/count").bearer(BAD_TOKEN),
        Request::get("/api/conversations").bearer(BAD_TOKEN),
        Request::post("/api/auth/login", json, &wrong),
        Request::get("/rooms").bearer("nonsense"),
        Request::post("/api/auth/refresh", json, refresh),
    ];
    let mut blows = blows.iter().cycle();
    loop {
        for _ in 0..pace.due().await {
            shared.count.tried(shared.clock, 1);
            let blow = blows.next().context("a blow")?;
            let (status, _) = http.ask(*blow).await?;
            shared.count.answered(shared.clock, status >= 400);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_pace_is_kept_and_little_made_up_for() {
        let mut pace = Pace::new(1_000.0);
        pace.due().await;
        std::thread::sleep(Duration::from_millis(300));
        let due = pace.due().await;
        assert!((95..=101).contains(&due), "{due} of what 300 ms would have been");
    }
}
