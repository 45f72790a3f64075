//! The stores on MongoDB: each test in a database of its own on one real server.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use waggle::app::mongo_migrations;
use waggle::auth::store::mongo::MongoAuthStore;
use waggle::chat::store::Appended;
use waggle::chat::store::mongo::MongoChatStore;
use waggle::drivers::store::mongo::MongoDriverStore;
use waggle::ids::RoomId;
use waggle::orders::store::mongo::MongoOrderStore;
use waggle::presence::store::mongo::MongoPresenceStore;
use waggle::privacy::store::mongo::MongoErasureStore;
use waggle::rooms::model::{Member, Room};
use waggle::rooms::store::mongo::MongoRoomStore;
use waggle::store::mongo::{MigrateError, Mongo, MongoMigration};
use waggle::text::DisplayName;
use waggle::users::store::mongo::MongoUserStore;

use crate::fixture::{Stores, append, at, at_once, idempotent, somebody, stored, text, whole};
use crate::orders;

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
        rooms: Arc::new(MongoRoomStore::new(db)),
        drivers: Arc::new(MongoDriverStore::new(db)),
        orders: Arc::new(MongoOrderStore::new(db)),
        erasures: Arc::new(MongoErasureStore::new(db)),
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
pub(crate) async fn run<F>(test: impl FnOnce(Stores) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    run_on(|db| async move {
        db.migrate(&mongo_migrations()).await.unwrap();
        test(stores(&db)).await;
    })
    .await;
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    run_on(|db| async move {
        let newer =
            MongoMigration { domain: "chat", version: 99, apply: |_| Box::pin(async { Ok(()) }) };
        db.migrate(&[&mongo_migrations()[..], &[newer]].concat()).await.unwrap();
        let refused = db.migrate(&mongo_migrations()).await.unwrap_err();
        assert!(
            matches!(&refused, MigrateError::Newer { domain, stored: 99, known: 2 } if domain == "chat"),
            "{refused}"
        );
    })
    .await;
}

#[tokio::test]
async fn nodes_that_start_at_once_migrate_once_each_and_agree() {
    run_on(|db| async move {
        let nodes = (0..4).map(|_| db.clone());
        let outcomes =
            at_once(nodes.map(|db| async move { db.migrate(&mongo_migrations()).await }));
        assert!(outcomes.await.into_iter().all(|outcome| outcome.is_ok()));
        db.migrate(&mongo_migrations()).await.unwrap();
        let versions = db.database().collection::<Document>("schema_versions");
        let domains: HashSet<_> = mongo_migrations().into_iter().map(|step| step.domain).collect();
        assert_eq!(versions.count_documents(doc! {}).await.unwrap(), domains.len() as u64);
    })
    .await;
}

#[tokio::test]
async fn the_server_is_known_to_be_a_replica_set_and_answers() {
    run_on(|db| async move {
        assert!(db.is_replica_set());
        db.ping().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_write_that_is_repeated_is_stored_once() {
    run(|stores: Stores| async move {
        let (alice, bob) = (somebody(), somebody());
        let batch: Vec<_> = (0..5).map(|n| text(alice, bob, &format!("{n}"))).collect();
        let first = append(&stores, batch[..3].to_vec(), at(0)).await;
        let again = append(&stores.another_node(), batch, at(9)).await;
        assert_eq!(again[..3], first);
        assert_eq!(whole(&stores, first[0].conversation).await, again);
    })
    .await;
}

/// Makes commands of `kind` on this database's messages fail so many times; how many commands
/// have ever failed like this.
async fn fail(db: &Mongo, kind: &str, times: i32, how: Document) -> i32 {
    let mut data = doc! {
        "failCommands": [kind],
        "namespace": format!("{}.messages", db.database().name()),
    };
    data.extend(how);
    let command = doc! {
        "configureFailPoint": "failCommand", "mode": { "times": times }, "data": data,
    };
    let admin = db.database().client().database("admin");
    let before = admin.run_command(command).await;
    let before = before.expect("the server runs with enableTestCommands=1");
    before.get_i32("count").unwrap()
}

/// One test, because the server has one such switch.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_fails_at_is_neither_lost_nor_doubled() {
    run_on(|db| async move {
        db.migrate(&mongo_migrations()).await.unwrap();
        let stores = stores(&db);
        let (alice, bob) = (somebody(), somebody());
        let hows = [
            // Done, but not known to be replicated.
            ("insert", 1, doc! { "writeConcernError": { "code": 64, "errmsg": "waiting" } }),
            // More often than the driver itself tries again.
            ("insert", 3, doc! { "closeConnection": true }),
            // The primary steps down.
            ("insert", 3, doc! { "errorCode": 10107 }),
            ("aggregate", 3, doc! { "closeConnection": true }),
        ];
        for (round, (kind, times, how)) in hows.into_iter().enumerate() {
            let before = fail(&db, kind, times, how).await;
            let batch = (0..10)
                .map(|n| idempotent(alice, bob, &format!("{n}"), &format!("{round}-{n}")))
                .collect();
            let results = stores.another_node().chat.append(batch, at(0)).await;
            let messages: Vec<_> = results.into_iter().map(|r| stored(r.unwrap())).collect();
            let all = whole(&stores, messages[0].conversation).await;
            assert_eq!(all.len(), (round + 1) * 10);
            assert_eq!(all[round * 10..], messages);
            assert_eq!(fail(&db, "ping", 1, doc! {}).await, before + times, "{kind}");
        }
        let before = fail(&db, "update", 1, doc! { "closeConnection": true }).await;
        let reader = waggle::chat::model::ReadMark::All {
            conversation: waggle::ids::ConversationId::of_pair(alice, bob),
            reader: bob,
        };
        let marked = stores.chat.mark_read(vec![reader], at(1)).await;
        assert_eq!(marked[0].as_ref().unwrap().len(), 40);
        assert_eq!(fail(&db, "ping", 1, doc! {}).await, before + 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_the_database_refuses_does_not_stop_the_others() {
    run_on(|db| async move {
        db.migrate(&mongo_migrations()).await.unwrap();
        let only_short = doc! { "content": { "$not": { "$regex": "^refused" } } };
        let rule = doc! { "collMod": "messages", "validator": only_short };
        db.database().run_command(rule).await.unwrap();
        let stores = stores(&db);
        let (alice, bob) = (somebody(), somebody());
        let batch = ["one", "refused", "two"].map(|content| text(alice, bob, content)).to_vec();
        let conversation = batch[0].conversation;
        let results = stores.chat.append(batch, at(0)).await;
        assert!(matches!(results[0], Ok(Appended::Stored(_))));
        assert_eq!(results[1].as_ref().unwrap_err().code, waggle::error::Code::Internal);
        assert!(matches!(results[2], Ok(Appended::Stored(_))));
        assert_eq!(whole(&stores, conversation).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_room_counts_only_once_it_is_there_itself() {
    run_on(|db| async move {
        db.migrate(&mongo_migrations()).await.unwrap();
        let stores = stores(&db);
        let (room, owner) = new_room();
        // What a node leaves that ends half-way through a new room, or through closing one.
        let half = doc! {
            "roomId": room.id, "userId": owner.user, "isAdmin": owner.is_admin,
            "joinedAt": owner.joined_at, "since": owner.since,
        };
        db.database().collection::<Document>("roomMembers").insert_one(half).await.unwrap();
        assert!(stores.rooms.rooms_of(owner.user).await.unwrap().is_empty());
        assert_eq!(stores.rooms.room(room.id).await.unwrap(), None);
        stores.rooms.insert_room(&room, &owner).await.unwrap();
        assert_eq!(stores.rooms.rooms_of(owner.user).await.unwrap()[0].count, 1);
        assert_eq!(stores.rooms.room(room.id).await.unwrap(), Some((room, vec![owner])));
    })
    .await;
}

fn new_room() -> (Room, Member) {
    let owner = Member { user: somebody(), is_admin: false, joined_at: at(0), since: 0 };
    let room = Room {
        id: RoomId::generate(at(0)),
        name: DisplayName::parse("Bees").unwrap(),
        description: None,
        is_private: false,
        owner: owner.user,
        created_at: at(0),
        of_order: None,
    };
    (room, owner)
}

#[tokio::test]
async fn the_age_that_history_reaches_is_the_databases_to_keep_and_survives_a_migration() {
    run_on(|db| async move {
        db.migrate(&mongo_migrations()).await.unwrap();
        let drivers = stores(&db).drivers;
        let day = Duration::from_hours(24);
        assert_eq!(oldest_kept(&db).await, Some(30 * day));
        for days in [2, 2, 400] {
            drivers.keep_history(days * day, at(0)).await.unwrap();
            assert_eq!(oldest_kept(&db).await, Some(days * day));
        }
        db.database().collection::<Document>("schema_versions").drop().await.unwrap();
        db.migrate(&mongo_migrations()).await.unwrap();
        assert_eq!(oldest_kept(&db).await, Some(400 * day));
    })
    .await;
}

async fn oldest_kept(db: &Mongo) -> Option<Duration> {
    let locations = db.database().collection::<Document>("driver_locations");
    let indexes: Vec<_> = locations.list_indexes().await.unwrap().try_collect().await.unwrap();
    indexes.into_iter().find_map(|index| index.options?.expire_after)
}

#[tokio::test]
async fn a_counter_that_fell_behind_gives_no_number_twice() {
    run_on(|db| async move {
        db.migrate(&mongo_migrations()).await.unwrap();
        let stores = stores(&db);
        for number in 1..=20 {
            assert_eq!(
                orders::insert(&stores, &orders::new_order(somebody())).await.number,
                number
            );
        }
        let counters = db.database().collection::<Document>("counters");
        let behind = doc! { "$set": { "last": 3_i64 } };
        counters.update_one(doc! { "_id": "orderNumber" }, behind).await.unwrap();
        let numbers = at_once((0..10).map(|_| {
            let stores = stores.clone();
            async move { orders::insert(&stores, &orders::new_order(somebody())).await.number }
        }));
        let mut numbers = numbers.await;
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 10);
        assert!(numbers[0] > 20, "{numbers:?}");
    })
    .await;
}
