//! An erasure that is killed in its middle.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mongodb::bson::{Document, doc};

use super::{erase, start_erasing, texts};
use crate::chat::{seqs, to};
use crate::history::send_many;
use crate::support::rest::PATIENCE;
use crate::support::{Person, Server};

/// To bob: several slices of an erasure.
const MESSAGES: usize = 1200;
/// Others with a text each, from before. An erasure begins with the newest conversation, and pauses
/// for 20 ms after each slice: it has more than a second to go when the first texts are gone.
const OTHERS: usize = 60;
const ALL: usize = MESSAGES + OTHERS;

/// How many messages have a text.
struct Texts(Option<mongodb::Collection<Document>>, std::path::PathBuf);

impl Texts {
    async fn of(server: &Server) -> Self {
        let collection = match server.mongodb_uri() {
            Some(uri) => {
                let client = mongodb::Client::with_uri_str(uri).await.unwrap();
                Some(client.default_database().unwrap().collection("messages"))
            }
            None => None,
        };
        Self(collection, server.dir().join("data/waggle.db"))
    }

    async fn count(&self) -> usize {
        match &self.0 {
            Some(messages) => {
                messages.count_documents(doc! { "content": { "$ne": "" } }).await.unwrap() as usize
            }
            None => {
                let db = rusqlite::Connection::open(&self.1).unwrap();
                db.busy_timeout(PATIENCE).unwrap();
                let count = "SELECT count(*) FROM messages WHERE content <> ''";
                db.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap() as usize
            }
        }
    }

    async fn until(&self, reached: impl Fn(usize) -> bool) -> usize {
        let deadline = Instant::now() + PATIENCE * 3;
        loop {
            let count = self.count().await;
            if reached(count) {
                return count;
            }
            assert!(Instant::now() < deadline, "{count} texts");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

async fn write_many(alice: &Person, bob: &Person) {
    let names: Vec<_> = (0..OTHERS).map(|number| format!("other{number}")).collect();
    let others = join_all(names.iter().map(|name| alice.server.register(name))).await;
    let texts: Vec<_> = others.iter().map(|other| to(other, "hello")).collect();
    alice.connect("/").await.send_all(&texts).await;
    // Over several sockets at once: what one of them sends is stored one after the other.
    join_all((0..8).map(async |_| {
        let mut socket = alice.connect("/").await;
        let sent = send_many(&mut socket, bob, MESSAGES / 8).await;
        assert!(sent.iter().all(serde_json::Value::is_object));
    }))
    .await;
}

/// Kills an erasure on a stopped server when a part of it is done.
async fn kill_in_the_middle(server: &Server, user: &Person) {
    let texts = Texts::of(server).await;
    assert_eq!(texts.count().await, ALL);
    let mut erasing = start_erasing(server, &user.id);
    texts.until(|left| left < ALL).await;
    erasing.kill().await.unwrap();
    let left = texts.count().await;
    assert!((1..ALL).contains(&left), "{left} of {ALL} are left: not killed in the middle");
}

on_every_store! {
    #[set(PRESENCE_GRACE = "100ms")]
    async fn killed_in_its_middle_it_is_finished_by_whoever_comes_next(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        write_many(&alice, &bob).await;
        let room = server.room_of([&alice, &bob]).await;
        server.stop().await;
        kill_in_the_middle(server, &alice).await;
        // The server finds it unfinished.
        server.start_with(&[]).await;
        assert_eq!(alice.get("/api/auth/me").await.status, 401);
        Texts::of(server).await.until(|left| left == 0).await;
        let history = bob.history(&alice, "?limit=200").await;
        assert_eq!(seqs(&history), (MESSAGES as i64 - 199..=MESSAGES as i64).collect::<Vec<_>>());
        assert!(texts(&history).iter().all(|text| *text == "[deleted]"));
        let members = bob.of_room(&room, "/members").await;
        assert_eq!(members["count"], 1, "{members}");
    }

    #[set(PRESENCE_GRACE = "100ms")]
    async fn killed_in_its_middle_it_can_be_done_again(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        write_many(&alice, &bob).await;
        server.stop().await;
        kill_in_the_middle(server, &alice).await;
        erase(server, &alice.id).await;
        assert_eq!(Texts::of(server).await.count().await, 0);
        server.start_with(&[]).await;
    }
}
