//! The embedded stores: each test in a directory of its own.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use waggle::auth::store::embedded::EmbeddedAuthStore;
use waggle::chat::store::embedded::EmbeddedChatStore;
use waggle::presence::store::embedded::EmbeddedPresenceStore;
use waggle::rooms::store::embedded::EmbeddedRoomStore;
use waggle::store::Migration;
use waggle::store::embedded::{Embedded, OpenError};
use waggle::users::store::embedded::EmbeddedUserStore;

use crate::fixture::Stores;

fn migrations() -> Vec<Migration> {
    use waggle::{auth, chat, presence, rooms};
    [
        auth::store::embedded::MIGRATIONS,
        presence::store::embedded::MIGRATIONS,
        chat::store::embedded::MIGRATIONS,
        rooms::store::embedded::MIGRATIONS,
    ]
    .concat()
}

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
        another: Arc::new(move || stores(&same)),
    }
}

/// Runs a test on a database of its own.
pub(crate) async fn run<F: Future<Output = ()>>(test: impl FnOnce(Stores) -> F) {
    let dir = TestDir::new();
    let db = Embedded::open(&dir.file(), &migrations()).unwrap();
    test(stores(&db)).await;
    db.close().await;
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let dir = TestDir::new();
    let newer = Migration { domain: "chat", version: 2, sql: "" };
    drop(Embedded::open(&dir.file(), &[&migrations()[..], &[newer]].concat()).unwrap());
    let refused = Embedded::open(&dir.file(), &migrations()).err().unwrap();
    assert!(matches!(refused, OpenError::Newer { .. }), "{refused}");
}
