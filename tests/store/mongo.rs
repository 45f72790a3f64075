//! The stores on MongoDB: each test in a database of its own on one real server.

use std::future::Future;
use std::sync::Arc;

use mongodb::bson::{Document, doc};
use waggle::auth::store::mongo::MongoAuthStore;
use waggle::chat::store::Appended;
use waggle::chat::store::mongo::MongoChatStore;
use waggle::presence::store::mongo::MongoPresenceStore;
use waggle::store::mongo::{MigrateError, Mongo, MongoMigration};
use waggle::users::store::mongo::MongoUserStore;

use crate::fixture::{Stores, append, at, at_once, idempotent, somebody, stored, text, whole};

fn migrations() -> Vec<MongoMigration> {
    use waggle::{auth, chat, presence};
    [
        auth::store::mongo::MIGRATIONS,
        presence::store::mongo::MIGRATIONS,
        chat::store::mongo::MIGRATIONS,
    ]
    .concat()
}

/// The server's URI with a database name of this test's own.
fn fresh_uri() -> String {
    let server = std::env::var("WAGGLE_TEST_MONGODB_URI").expect(
        "WAGGLE_TEST_MONGODB_URI must name a replica set; tests/run.sh starts one and sets it",
    );
    let (address, options) = server.split_once('?').unwrap_or((&server, ""));
    let (scheme, rest) = address.split_once("://").expect("a URI has a scheme");
    let hosts = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{hosts}/waggle_test_{:032x}?{options}", rand::random::<u128>())
}

fn stores(db: &Mongo) -> Stores {
    let same = db.clone();
    Stores {
        auth: Arc::new(MongoAuthStore::new(db)),
        users: Arc::new(MongoUserStore::new(db)),
        presence: Arc::new(MongoPresenceStore::new(db)),
        chat: Arc::new(MongoChatStore::new(db)),
        another: Arc::new(move || stores(&same)),
    }
}

/// Runs a test on a database of its own, which is dropped however the test ends.
async fn run_on<F>(test: impl FnOnce(Mongo) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let db = Mongo::connect(&fresh_uri()).await.unwrap();
    let outcome = tokio::spawn(test(db.clone())).await;
    db.database().drop().await.unwrap();
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// Runs a test on stores of its own.
pub async fn run<F>(test: impl FnOnce(Stores) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    run_on(async |db: Mongo| {
        db.migrate(&migrations()).await.unwrap();
        test(stores(&db)).await;
    })
    .await;
}
