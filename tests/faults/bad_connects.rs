//! A thousand CONNECTs with bad tokens: each is refused or its transport cut, and everybody who is
//! connected is served meanwhile. With the limits that are the default.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt};
use futures_util::{FutureExt, SinkExt};
use serde_json::json;
use tokio::time::timeout;

use crate::client::{self, Client};
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::{until, within};

const ATTEMPTS: usize = 1000;
const LIMIT: Duration = Duration::from_secs(30);
/// What somebody else may wait meanwhile, on a busy machine.
const DELAY: Duration = Duration::from_secs(2);
/// After which a CONNECT has no answer.
const PASSED_OVER: Duration = Duration::from_millis(200);

/// What became of attempts.
#[derive(Debug, Default)]
struct Refusals {
    answered: usize,
    cut: usize,
}

const CONNECT: &str = r#"40{"token":"eyJhbGciOiJub25lIn0.e30."}"#;

async fn with_somebody() -> (Server, Client, String) {
    let server = Setup::embedded().with("RATE_LIMITS", "on").start().await;
    let [somebody, other] = server.rest.register_all(["somebody", "other"]).await;
    let client = Client::connect(server.port(), &somebody.token).await.unwrap();
    (server, client, other.id)
}

/// Asks again and again while `attack` runs, and gives the longest wait.
async fn served_during<T>(client: &Client, attack: impl Future<Output = T>) -> (T, Duration) {
    let mut attack = Box::pin(attack.fuse());
    let mut slowest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        client.ask("sync", &json!({}), LIMIT).await.expect("somebody else stays connected");
        slowest = slowest.max(asked.elapsed());
        tokio::select! {
            biased;
            outcome = &mut attack => return (outcome, slowest),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }
}

async fn over_one(port: u16) -> Refusals {
    let mut refusals = Refusals::default();
    let mut socket = client::open(port, None).await.unwrap();
    // One after the other, and again: the engine passes over a CONNECT while another is being decided.
    while refusals.answered < ATTEMPTS && socket.send(CONNECT.into()).await.is_ok() {
        match timeout(PASSED_OVER, client::next_text(&mut socket)).await {
            Ok(Some(packet)) if packet.starts_with("44") => refusals.answered += 1,
            // The engine's own goodbye.
            Ok(Some(packet)) if packet == "1" => break,
            Ok(Some(packet)) => panic!("{packet}"),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    refusals.cut = ATTEMPTS - refusals.answered;
    refusals
}

async fn over_many(port: u16) -> Refusals {
    let attempt = async |_| {
        let mut socket = client::open(port, None).await?;
        socket.send(CONNECT.into()).await.ok()?;
        within("an answer", LIMIT, client::next_text(&mut socket)).await
    };
    let answers: Vec<_> =
        stream::iter(0..ATTEMPTS).map(attempt).buffer_unordered(20).collect().await;
    let mut refusals = Refusals::default();
    for answer in answers {
        match answer {
            Some(packet) => {
                assert!(packet.starts_with("44"), "{packet}");
                refusals.answered += 1;
            }
            None => refusals.cut += 1,
        }
    }
    refusals
}

async fn assert_nothing_left(
    mut server: Server,
    what: &str,
    refusals: Refusals,
    slowest: Duration,
) {
    until("only somebody is connected", LIMIT, async || {
        (server.rest.sockets().await == 1).then_some(())
    })
    .await;
    println!(
        "{ATTEMPTS} bad tokens over {what}: {refusals:?}, somebody else waited {slowest:?} at most"
    );
    server.assert_alive();
    assert_eq!(refusals.answered + refusals.cut, ATTEMPTS);
    assert!(refusals.answered > 0 && refusals.cut > 0, "the limit is between");
    assert!(slowest <= DELAY, "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_bad_tokens_over_one_transport_are_refused_and_then_cut() {
    let _turn = turn();
    let (server, client, _) = with_somebody().await;
    let (refusals, slowest) = served_during(&client, over_one(server.port())).await;
    assert_nothing_left(server, "one transport", refusals, slowest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_bad_tokens_over_many_transports_are_refused_and_then_cut() {
    let _turn = turn();
    let (server, client, other) = with_somebody().await;
    let (refusals, slowest) = served_during(&client, over_many(server.port())).await;
    let payload = json!({ "receiverId": other, "content": "still here" });
    let ack = client.ask("send_message", &payload, LIMIT).await.unwrap();
    assert_eq!(ack["ok"], true, "{ack}");
    assert_nothing_left(server, "many transports", refusals, slowest).await;
}
