//! A client that stops reading: it is gone within 15 s with the default settings, nobody else
//! notices, and when it comes back it gets everything it missed.

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use serde_json::{Value, json};

use crate::client::{self, Client};
use crate::setting::rest::User;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::until;

/// From when it stops reading until everybody knows that it is gone (issue 2, "Done when").
const GONE: Duration = Duration::from_secs(15);
/// What another pair may be delayed by, on a busy machine: far less than the stall.
const DELAY: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(15);

struct Scene {
    server: Server,
    reader: User,
    sender: User,
    others: [User; 2],
    watcher: Client,
}

impl Scene {
    async fn new(setup: Setup) -> Self {
        let server = setup.start().await;
        let [reader, sender, one, other, watching] =
            server.rest.register_all(["reader", "sender", "one", "other", "watching"]).await;
        let watcher = Client::connect(server.port(), &watching.token).await.unwrap();
        Self { server, reader, sender, others: [one, other], watcher }
    }

    fn port(&self) -> u16 {
        self.server.port()
    }
}

/// Sends `count` long messages, and gives the last one's `conversationId`.
async fn send_many(port: u16, from: &User, to: &User, count: usize) -> String {
    let client = Client::connect(port, &from.token).await.unwrap();
    let mut conversation = String::new();
    for number in 0..count {
        let content = format!("{number:05} {}", "long ".repeat(990));
        let payload = json!({ "receiverId": to.id, "content": content });
        let ack = client.ask("send_message", &payload, ANSWER).await.unwrap();
        assert_eq!(ack["ok"], true, "{ack}");
        conversation = ack["message"]["conversationId"].as_str().unwrap().to_owned();
    }
    conversation
}

/// The longest time from a send to its delivery, between two who read, until told to stop.
async fn slowest_delivery(
    port: u16,
    pair: [User; 2],
    stop: tokio_util::sync::CancellationToken,
) -> Duration {
    let sender = Client::connect(port, &pair[0].token).await.unwrap();
    let mut receiver = Client::connect(port, &pair[1].token).await.unwrap();
    let mut slowest = Duration::ZERO;
    while !stop.is_cancelled() {
        let sent = Instant::now();
        let payload = json!({ "receiverId": pair[1].id, "content": "hello" });
        sender.ask("send_message", &payload, ANSWER).await.unwrap();
        receiver.event("receive_message").await;
        slowest = slowest.max(sent.elapsed());
    }
    slowest
}

/// Everything that `auth.sync` and then `sync` give after a reconnect.
async fn resume(port: u16, reader: &User, conversation: &str) -> Vec<Value> {
    let auth = json!({ "token": reader.token, "sync": { "conversations": { conversation: 0 } } });
    let mut client = Client::connect_with(port, &auth).await.unwrap();
    let mut page = client.event("sync").await;
    let mut all = Vec::new();
    loop {
        all.extend(page["messages"].as_array().unwrap().iter().cloned());
        if page["more"] == false {
            return all;
        }
        let last = all.last().unwrap()["seq"].clone();
        let ask = json!({ "conversations": { conversation: last } });
        page = client.ask("sync", &ask, ANSWER).await.unwrap();
    }
}

fn assert_complete(messages: &[Value], count: usize) {
    let numbers: Vec<_> = messages.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=count as u64).collect::<Vec<_>>());
    for (number, message) in messages.iter().enumerate() {
        assert!(message["content"].as_str().unwrap().starts_with(&format!("{number:05}")));
    }
}

/// A client with a small window joins and then never reads; `count` messages are sent to it.
async fn stop_reading(setup: Setup, count: usize) {
    let mut scene = Scene::new(setup).await;
    let port = scene.port();
    let before = scene.server.rest.sockets().await;
    let stalled =
        client::join(port, &json!({ "token": scene.reader.token }), Some(4096)).await.unwrap();
    let stopped = Instant::now();
    let stop = tokio_util::sync::CancellationToken::new();
    let others = tokio::spawn(slowest_delivery(port, scene.others.clone(), stop.clone()));
    let sent = tokio::spawn({
        let (sender, reader) = (scene.sender.clone(), scene.reader.clone());
        async move { send_many(port, &sender, &reader, count).await }
    });

    let offline = scene.watcher.sees_offline(&scene.reader.id, GONE * 2).await - stopped;
    let conversation = sent.await.unwrap();
    stop.cancel();
    let slowest = others.await.unwrap();
    until("its socket is gone", GONE, async || {
        (scene.server.rest.sockets().await == before).then_some(())
    })
    .await;
    // It kept the connection open all the time.
    drop(stalled);

    let missed = resume(port, &scene.reader, &conversation).await;
    println!(
        "stopped reading, {count} messages: offline after {offline:?}, slowest delivery to others \
         {slowest:?}, {} messages after the reconnect",
        missed.len()
    );
    assert!(offline <= GONE, "{offline:?}");
    assert!(slowest <= DELAY, "{slowest:?}");
    assert_complete(&missed, count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_stops_reading_is_gone_in_15_s_and_misses_nothing() {
    let _turn = turn();
    // More than the kernel takes, less than the send buffer: the write stall must notice.
    stop_reading(Setup::embedded(), 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_send_buffer_overflows_is_cut_and_misses_nothing() {
    let _turn = turn();
    // No stall is noticed in time: the overflow must be.
    let setup = Setup::embedded().with("WRITE_STALL", "10m").with("SEND_BUFFER_PACKETS", "256");
    stop_reading(setup, 1000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_without_ever_reading_is_gone_in_15_s() {
    let _turn = turn();
    let mut scene = Scene::new(Setup::embedded()).await;
    let auth = json!({ "token": scene.reader.token });
    let mut socket = client::join(scene.port(), &auth, Some(4096)).await.unwrap();
    let (started, before) = (Instant::now(), scene.server.memory());
    let payload = json!({ "receiverId": scene.sender.id });
    let sending = tokio::spawn(async move {
        let mut sent = 0_u64;
        while socket.send(client::event(sent, "typing_start", &payload)).await.is_ok() {
            sent += 1;
        }
        sent
    });
    let offline = scene.watcher.sees_offline(&scene.reader.id, GONE * 2).await - started;
    let after = scene.server.memory();
    let sent = sending.await.unwrap();
    println!(
        "sent {sent} events without reading: offline after {offline:?}; memory {before} KiB before, \
         {after} KiB after"
    );
    assert!(offline <= GONE, "{offline:?}");
    assert!(after < before + 32 * 1024, "{before} KiB grew to {after} KiB");
}
