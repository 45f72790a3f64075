//! Polling clients that do not come back: no socket and nobody online is left of them.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::polling::Polling;
use crate::setting::rest::User;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::until;

const GONE: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(15);

async fn scene(setup: Setup) -> (Server, [User; 2], Client) {
    let server = setup.start().await;
    let [poller, sender, watching] =
        server.rest.register_all(["poller", "sender", "watching"]).await;
    let watcher = Client::connect(server.port(), &watching.token).await.unwrap();
    (server, [poller, sender], watcher)
}

async fn assert_gone(
    server: &Server,
    watcher: &mut Client,
    poller: &User,
    limit: Duration,
) -> Duration {
    let left = Instant::now();
    let offline = watcher.sees_offline(&poller.id, limit).await - left;
    let only_watcher = async || (server.rest.sockets().await == 1).then_some(());
    until("its socket is gone", limit, only_watcher).await;
    offline
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_client_that_stops_polling_is_gone_when_its_heartbeat_fails() {
    let _turn = turn();
    let setup = Setup::embedded().with("PING_INTERVAL", "1s").with("PING_TIMEOUT", "1s");
    let (server, [poller, _], mut watcher) = scene(setup.with("PRESENCE_GRACE", "1s")).await;
    let polling = Polling::join(&server.rest.base, &poller.token).await;
    let offline = assert_gone(&server, &mut watcher, &poller, Duration::from_secs(6)).await;
    println!("stopped polling, heartbeat 1 s + 1 s, grace 1 s: offline after {offline:?}");
    assert_eq!(polling.post("3".to_owned()).await, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_client_that_hangs_up_is_gone_at_once() {
    let _turn = turn();
    let (server, [poller, sender], mut watcher) = scene(Setup::embedded()).await;
    let polling = Polling::join(&server.rest.base, &poller.token).await;
    let waiting = tokio::spawn(async move {
        // Until a poll finds nothing to bring and waits.
        while polling.poll().await.is_some() {}
    });
    until("the poller is online", ANSWER, async || {
        server.rest.is_online(&poller, &sender).await.then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    waiting.abort();
    let offline = assert_gone(&server, &mut watcher, &poller, GONE).await;
    println!("hung up during a poll, default settings: offline after {offline:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_client_that_lets_its_buffer_overflow_is_gone_at_once() {
    let _turn = turn();
    let (server, [poller, sender], mut watcher) = scene(Setup::embedded()).await;
    let polling = Polling::join(&server.rest.base, &poller.token).await;
    let client = Client::connect(server.port(), &sender.token).await.unwrap();
    for number in 0..1100 {
        let payload = json!({ "receiverId": poller.id, "content": format!("{number}") });
        let ack = client.ask("send_message", &payload, ANSWER).await.unwrap();
        assert_eq!(ack["ok"], true, "{ack}");
    }
    drop(client);
    let offline = assert_gone(&server, &mut watcher, &poller, GONE).await;
    println!("1100 messages to a client that does not poll: offline after {offline:?}");
    assert_eq!(polling.poll().await, None);
    assert_eq!(server.rest.history(&poller, &sender).await.len(), 1100);
}
