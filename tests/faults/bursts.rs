//! A hundred thousand events at once from one client that reads: each is answered, nobody else
//! waits, and the server's memory stays bounded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::client::{self, Client};
use crate::setting::server::Setup;
use crate::setting::turn;
use crate::setting::wait::within;

const EVENTS: u64 = 100_000;
const LIMIT: Duration = Duration::from_secs(60);
/// Five times what the whole burst weighs on the wire.
const MOST_GROWTH_KIB: u64 = 64 * 1024;
const DELAY: Duration = Duration::from_secs(3);

/// Sends the burst and reads meanwhile; how often each answer came.
async fn burst(port: u16, token: &str, to: &str) -> BTreeMap<String, u64> {
    let socket = client::join(port, &json!({ "token": token }), None).await.unwrap();
    let (mut sink, mut stream) = socket.split();
    let payload = json!({ "receiverId": to });
    let sending = tokio::spawn(async move {
        for number in 0..EVENTS {
            if sink.feed(client::event(number, "typing_start", &payload)).await.is_err() {
                return;
            }
        }
        let _ = sink.flush().await;
        // The sink stays open until every answer has been read.
        std::future::pending::<()>().await;
    });
    let mut answers = BTreeMap::new();
    let mut left = EVENTS;
    while left > 0
        && let Some(Ok(message)) = within("an answer", LIMIT, stream.next()).await
    {
        let text = message.to_text().unwrap_or_default();
        let Some(ack) = text.strip_prefix("43") else { continue };
        let (body,): (Value,) = serde_json::from_str(&ack[ack.find('[').unwrap()..]).unwrap();
        let word = if body["ok"] == true { "ok" } else { body["error"]["code"].as_str().unwrap() };
        *answers.entry(word.to_owned()).or_default() += 1;
        left -= 1;
    }
    sending.abort();
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_a_burst_is_answered_in_bounded_memory() {
    let _turn = turn();
    let mut server = Setup::embedded().with("RATE_LIMITS", "on").start().await;
    let [bursting, to, other] = server.rest.register_all(["bursting", "peer", "other"]).await;
    let bystander = Client::connect(server.port(), &other.token).await.unwrap();
    let before = server.memory();
    let started = Instant::now();
    let mut running = Box::pin(burst(server.port(), &bursting.token, &to.id));
    let (mut most, mut slowest) = (before, Duration::ZERO);
    let answers = loop {
        tokio::select! {
            answers = &mut running => break answers,
            waited = ask(&bystander) => slowest = slowest.max(waited),
        }
        most = most.max(server.memory());
    };
    println!(
        "{EVENTS} events in a burst: {answers:?} in {:?}; memory {before} KiB, {most} KiB at most; \
         a bystander waited {slowest:?} at most",
        started.elapsed()
    );
    server.assert_alive();
    assert_eq!(answers.values().sum::<u64>(), EVENTS, "{answers:?}");
    let words = ["ok", "rate_limited", "unavailable"];
    assert!(answers.keys().all(|word| words.contains(&word.as_str())), "{answers:?}");
    assert!(most < before + MOST_GROWTH_KIB, "{before} KiB grew to {most} KiB");
    assert!(slowest <= DELAY, "{slowest:?}");
}

async fn ask(client: &Client) -> Duration {
    let asked = Instant::now();
    client.ask("sync", &json!({}), LIMIT).await.expect("the bystander stays connected");
    let waited = asked.elapsed();
    tokio::time::sleep(Duration::from_millis(50)).await;
    waited
}
