//! Attackers who are let in and then send as fast as their rate, or as the server takes it: a user who emits messages
//! and typing notices, and a driver who says where it is.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;
use tokio::time::sleep;

use super::attackers::{PAUSE, Pace, SOCKET_IO, Shared};
use crate::accounts::Account;
use crate::client::{Purpose, RawClient, encode};

/// Bytes that may wait to be taken by the server; what comes on top is not tried.
const WAITING: usize = 256 * 1024;

/// Emits messages and typing notices to another user, each with an acknowledgement.
pub async fn events(shared: Shared, user: Arc<Account>, other: Arc<Account>) {
    let message =
        json!({ "receiverId": other.id, "content": "the flood, and nothing but the flood" });
    let typing = json!({ "receiverId": other.id });
    let event = |number: u64| match number % 2 {
        0 => format!("42{number}[\"send_message\",{message}]"),
        _ => format!("42{number}[\"typing_start\",{typing}]"),
    };
    let join = shared.dialer.join(&user.token);
    loop {
        let _ = pour(&shared, SOCKET_IO, Some(&join), &event).await;
        shared.count.cut(shared.clock);
        sleep(PAUSE).await;
    }
}

/// Says positions, another each time.
pub async fn positions(shared: Shared, driver: Arc<Account>) {
    let path = format!("/api/v1/ws/driver/{}?token={}", driver.id, driver.token);
    let position = |number: u64| {
        let latitude = 40.0 + (number % 10_000) as f64 / 100_000.0;
        json!({ "type": "location_update", "data": { "latitude": latitude, "longitude": -74.0 } })
            .to_string()
    };
    loop {
        let _ = pour(&shared, &path, None, &position).await;
        shared.count.cut(shared.clock);
        sleep(PAUSE).await;
    }
}

/// Connects and sends what is due until the connection ends. What is answered is counted on the way; Engine.IO's pings
/// are answered.
async fn pour(
    shared: &Shared,
    path: &str,
    join: Option<&str>,
    frame: &(impl Fn(u64) -> String + Sync),
) -> Result<()> {
    let mut client = connect(shared, path).await?;
    if let Some(join) = join {
        client.write(join).await?;
    }
    let (mut pace, mut out, mut number) = (Pace::new(shared.rate), Vec::new(), 0);
    loop {
        let mut pings = 0;
        tokio::select! {
            due = pace.due() => {
                let due = if out.len() < WAITING { due } else { 0 };
                shared.count.tried(shared.clock, due);
                for _ in 0..due {
                    out.extend(encode(Purpose::Text, frame(number).as_bytes()));
                    number += 1;
                }
            }
            exchanged = client.exchange(&mut out, |text| {
                pings += u64::from(text == "2");
                hear(shared, text);
                Ok(())
            }) => exchanged?,
        }
        for _ in 0..pings {
            out.extend(encode(Purpose::Text, b"3"));
        }
    }
}

async fn connect(shared: &Shared, path: &str) -> Result<RawClient> {
    let stream = shared.dialer.tcp().await?;
    stream.set_zero_linger()?;
    RawClient::upgrade(stream, shared.dialer.host(), path).await
}

/// Counts an answer: an acknowledgement, or the error frame of a raw socket. The error events that come beside an
/// acknowledgement are none.
fn hear(shared: &Shared, text: &str) {
    let is_error = text.starts_with("{\"type\":\"error\"");
    if text.starts_with("43") || is_error {
        shared.count.answered(shared.clock, is_error || text.contains("\"ok\":false"));
    }
}
