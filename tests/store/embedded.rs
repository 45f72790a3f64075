//! The embedded stores: each test in a directory of its own.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use waggle::app::embedded_migrations;
use waggle::auth::store::embedded::EmbeddedAuthStore;
use waggle::chat::store::embedded::EmbeddedChatStore;
use waggle::drivers::store::embedded::EmbeddedDriverStore;
use waggle::ids::{ConversationId, UserId};
use waggle::orders::store::embedded::EmbeddedOrderStore;
use waggle::presence::store::embedded::EmbeddedPresenceStore;
use waggle::privacy::store::embedded::EmbeddedErasureStore;
use waggle::rooms::store::embedded::EmbeddedRoomStore;
use waggle::store::Migration;
use waggle::store::embedded::{Embedded, OpenError};
use waggle::users::store::embedded::EmbeddedUserStore;

use crate::fixture::{Stores, at, idempotent, repeated};

/// A directory that goes when the test ends, however it ends.
struct TestDir(PathBuf);

impl TestDir {
    fn new() -> Self {
        let name = format!("waggle-store-{:032x}", rand::random::<u128>());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn file(&self) -> PathBuf {
        self.0.join("waggle.db")
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn stores(db: &Embedded) -> Stores {
    let same = db.clone();
    Stores {
        auth: Arc::new(EmbeddedAuthStore::new(db.clone())),
        users: Arc::new(EmbeddedUserStore::new(db.clone())),
        presence: Arc::new(EmbeddedPresenceStore::new(db.clone())),
        chat: Arc::new(EmbeddedChatStore::new(db.clone())),
        rooms: Arc::new(EmbeddedRoomStore::new(db.clone())),
        drivers: Arc::new(EmbeddedDriverStore::new(db.clone())),
        orders: Arc::new(EmbeddedOrderStore::new(db.clone())),
        erasures: Arc::new(EmbeddedErasureStore::new(db.clone())),
        another: Arc::new(move || stores(&same)),
    }
}

/// Runs a test on a database of its own.
pub(crate) async fn run<F: Future<Output = ()>>(test: impl FnOnce(Stores) -> F) {
    let dir = TestDir::new();
    let db = Embedded::open(&dir.file(), &embedded_migrations()).unwrap();
    test(stores(&db)).await;
    db.close().await;
}

/// Two messages as the first version of chat's schema had them: a read and an unread one.
const OLD_MESSAGES: Migration = Migration {
    domain: "old messages",
    version: 1,
    sql: "
        INSERT INTO messages VALUES
            (x'000000000000000000000001', x'00000000000000000000000C', 1,
             x'0000000000000000000000AA', x'0000000000000000000000BB', 'one', 'text', 'c1', 1000, 2000),
            (x'000000000000000000000002', x'00000000000000000000000C', 2,
             x'0000000000000000000000AA', x'0000000000000000000000BB', 'two', 'text', NULL, 3000, NULL);",
};

#[tokio::test]
async fn messages_from_before_there_were_rooms_are_still_there() {
    let dir = TestDir::new();
    let mut steps: Vec<_> = embedded_migrations();
    steps.retain(|step| step.domain != "chat" || step.version == 1);
    steps.push(OLD_MESSAGES);
    let old = Embedded::open(&dir.file(), &steps).unwrap();
    old.close().await;

    let steps = [&embedded_migrations()[..], &[OLD_MESSAGES]].concat();
    let db = Embedded::open(&dir.file(), &steps).unwrap();
    let stores = stores(&db);
    let id = |byte| ConversationId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, byte]);
    let user = |byte| UserId::from_bytes(id(byte).bytes());
    let messages = stores.chat.range(id(0x0C), 1, 9).await.unwrap();
    let told: Vec<_> = messages
        .iter()
        .map(|m| (m.seq, m.content.as_str(), m.receiver, m.read_at.is_some()))
        .collect();
    assert_eq!(told, [(1, "one", Some(user(0xBB)), true), (2, "two", Some(user(0xBB)), false)]);
    assert_eq!(stores.chat.unread_counts(user(0xBB)).await.unwrap(), [(id(0x0C), 1)]);
    let again = idempotent(user(0xAA), user(0xBB), "one", "c1");
    let again = stores.chat.append(vec![again], at(0)).await.remove(0).unwrap();
    assert_eq!(repeated(again), messages[0]);
    db.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let dir = TestDir::new();
    let newer = Migration { domain: "chat", version: 3, sql: "" };
    drop(Embedded::open(&dir.file(), &[&embedded_migrations()[..], &[newer]].concat()).unwrap());
    let refused = Embedded::open(&dir.file(), &embedded_migrations()).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
}
