//! Bad lines between a driver's raw WebSocket and the server, while orders are given to the driver
//! and taken away: none of that is missed, whatever the line does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::{Instant, interval, timeout, timeout_at};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::proxy::{Line, Proxy};
use crate::setting::mongod::Mongod;
use crate::setting::rest::{Rest, User};
use crate::setting::server::Setup;
use crate::setting::turn;

const PASSWORD: &str = "password123";
const PING: &str = "1s";
/// The driver says something so often, and takes a line for dead on which nothing came for so long.
const BETWEEN_PINGS: Duration = Duration::from_millis(200);
const SILENCE: Duration = Duration::from_secs(2);
const BETWEEN_ORDERS: Duration = Duration::from_millis(30);
/// Some frames.
const AMONG: usize = 3000;
const PATIENCE: Duration = Duration::from_secs(20);

const LINES: [(&str, Line, Duration); 4] = {
    let good =
        Line { delay: Duration::ZERO, rate: None, deaf: false, mute: false, cut_among: None };
    let dead = Duration::from_secs(3);
    [
        ("cut anywhere", Line { cut_among: Some(AMONG), ..good }, dead),
        ("deaf", Line { deaf: true, ..good }, dead),
        ("mute", Line { mute: true, ..good }, dead),
        ("cut anywhere again", Line { cut_among: Some(AMONG), ..good }, dead),
    ]
};

/// What a driver was told of each order, in turn, and over how many connections.
#[derive(Default)]
struct Told {
    of: Mutex<HashMap<i64, Vec<String>>>,
    connections: AtomicUsize,
}

impl Told {
    async fn note(&self, frame: &Message) {
        let Message::Text(text) = frame else { return };
        let frame: Value = serde_json::from_str(text).unwrap();
        assert_ne!(frame["type"], "error", "{frame}");
        if let Some(order) = frame["data"]["order_id"].as_i64() {
            let kind = frame["type"].as_str().unwrap().to_owned();
            self.of.lock().await.entry(order).or_default().push(kind);
        }
    }

    /// Connects again and again, and notes what comes.
    async fn listen(self: Arc<Self>, port: u16, token: String) {
        let url = format!("ws://127.0.0.1:{port}/api/v1/ws/driver/courier?token={token}");
        loop {
            if let Ok(Ok((mut socket, _))) = timeout(SILENCE, connect_async(&url)).await {
                self.connections.fetch_add(1, Ordering::SeqCst);
                let (mut clock, mut heard) = (interval(BETWEEN_PINGS), Instant::now());
                loop {
                    let frame = tokio::select! {
                        _ = clock.tick() => {
                            let ping = json!({ "type": "ping" }).to_string();
                            if socket.send(ping.into()).await.is_err() { break }
                            continue;
                        }
                        frame = timeout_at(heard + SILENCE, socket.next()) => frame,
                    };
                    let Ok(Some(Ok(frame))) = frame else { break };
                    self.note(&frame).await;
                    heard = Instant::now();
                }
            }
            tokio::time::sleep(BETWEEN_PINGS).await;
        }
    }
}

/// Gives orders to the driver, and takes each third away again; what the driver must hear last.
async fn give(rest: Rest, admin: String, stop: CancellationToken) -> BTreeMap<i64, &'static str> {
    let mut given = BTreeMap::new();
    let post = async |path: String, body: Value| {
        let (status, answer) = rest.post(&path, Some(&admin), body.to_string()).await;
        assert!(status < 300, "{status} {answer}");
        answer
    };
    while !stop.is_cancelled() {
        let body = json!({ "restaurant_name": "R", "pickup_address": "A", "delivery_address": "B",
            "driver_id": "courier" });
        let order = post("/api/v1/orders".to_owned(), body).await["order_id"].as_i64().unwrap();
        let is_cancelled = given.len() % 3 == 2;
        if is_cancelled {
            let path = format!("/api/v1/orders/{order}/cancel");
            post(path, json!({ "reason": "closed" })).await;
        }
        given.insert(order, if is_cancelled { "order_cancelled" } else { "order_assigned" });
        tokio::time::sleep(BETWEEN_ORDERS).await;
    }
    given
}

/// Orders whose last news has not come, and what came of them.
async fn missing(told: &Told, given: &BTreeMap<i64, &'static str>) -> Vec<(i64, Vec<String>)> {
    let told = told.of.lock().await;
    let came = |order: &i64| told.get(order).cloned().unwrap_or_default();
    let lacks = |order: &i64, wanted: &str| came(order).last().is_none_or(|last| last != wanted);
    let lacking = given.iter().filter(|(order, wanted)| lacks(order, wanted));
    lacking.map(|(order, _)| (*order, came(order))).collect()
}

async fn use_bad_lines(store: &str, setup: Setup, lines: &[(&str, Line, Duration)]) {
    let mut server = setup
        .with("ADMIN_EMAIL", "root@example.com")
        .with("ADMIN_PASSWORD", PASSWORD)
        .with("PING_INTERVAL", PING)
        .with("PING_TIMEOUT", PING)
        .start()
        .await;
    let admin = server.rest.log_in("admin", PASSWORD).await;
    let User { token, .. } = server.rest.register_as("courier", "driver").await;
    let proxy = Proxy::to(server.port()).await;
    let (told, stop) = (Arc::<Told>::default(), CancellationToken::new());
    let listening = tokio::spawn(told.clone().listen(proxy.port, token));
    let giving = tokio::spawn(give(server.rest.clone(), admin, stop.clone()));
    for (_, line, lasting) in lines {
        proxy.set(*line);
        tokio::time::sleep(*lasting).await;
        proxy.set(Line::default());
        tokio::time::sleep(SILENCE / 2).await;
    }
    stop.cancel();
    let given = giving.await.unwrap();
    let ended = Instant::now();
    while !missing(&told, &given).await.is_empty() && ended.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = ended.elapsed();
    let missing = missing(&told, &given).await;
    listening.abort();
    let told_all = told.of.lock().await;
    let frames: usize = told_all.values().map(Vec::len).sum();
    // Each news once, and a repeat only where a connection died in between.
    let news = given.len() + told_all.values().filter(|kinds| kinds.len() > 1).count();
    println!(
        "bad_lines_to_drivers on {store}: cuts={} connections={} given={} told={frames} lost={} \
         repeated={}; the last came {took:?} after the last line",
        proxy.cuts(),
        told.connections.load(Ordering::SeqCst),
        given.len(),
        missing.len(),
        frames.saturating_sub(news),
    );
    server.assert_alive();
    assert!(missing.is_empty(), "the driver does not know how these are: {missing:?}");
    assert!(proxy.cuts() > 5 && given.len() > 50, "too little happened");
    assert!(told_all.keys().all(|order| given.contains_key(order)), "told of what was not given");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_misses_no_order_on_bad_lines_on_the_embedded_store() {
    let _turn = turn();
    use_bad_lines("embedded", Setup::embedded(), &LINES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_misses_no_order_on_bad_lines_on_mongodb() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    use_bad_lines("mongodb", Setup::mongo(&mongod), &LINES[2..]).await;
}
