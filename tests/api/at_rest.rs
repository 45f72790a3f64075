//! What is in the store, and what of it an answer never shows.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::chat::send;
use crate::support::mail::{Mailbox, reset_token};
use crate::support::rest::PASSWORD;
use crate::support::{Person, Server};

/// The database, where the store is MongoDB.
pub(crate) async fn database(server: &Server) -> Option<mongodb::Database> {
    let client = mongodb::Client::with_uri_str(server.mongodb_uri()?).await.unwrap();
    client.default_database()
}

/// Everything that a store holds as text.
pub(crate) async fn everything_in_store(server: &Server) -> String {
    String::from_utf8_lossy(&bytes_in_store(server).await).into_owned()
}

/// Everything that a store holds: the bytes of its files, or its documents.
async fn bytes_in_store(server: &Server) -> Vec<u8> {
    let Some(database) = database(server).await else {
        let files = std::fs::read_dir(server.dir().join("data")).unwrap();
        // By another process: one that closes a file drops the locks that SQLite has on it here.
        let cat =
            std::process::Command::new("cat").args(files.map(|file| file.unwrap().path())).output();
        return cat.unwrap().stdout;
    };
    let mut text = String::new();
    for name in database.list_collection_names().await.unwrap() {
        let mut documents = database.collection::<Document>(&name).find(doc! {}).await.unwrap();
        while let Some(document) = documents.try_next().await.unwrap() {
            text.push_str(&document.to_string());
        }
    }
    text.into_bytes()
}

/// A text with a character for each byte, in which bytes that are no text can be looked for.
fn byte_by_byte(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What could be stored in the place of a secret: its text, its end, since the signature alone would do for a token
/// whose claims can be guessed, and the bytes that either stands for, as they are and as documents show them.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let ends = [secret, secret.rsplit('.').next().unwrap()];
    let decoded = ends.into_iter().filter_map(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let shown = decoded.flat_map(|bytes| [STANDARD_NO_PAD.encode(&bytes).into_bytes(), bytes]);
    ends.map(|text| text.as_bytes().to_vec()).into_iter().chain(shown).collect()
}

/// Makes the stored messages unreadable, behind the server's back.
async fn spoil_messages(server: &Server) {
    if let Some(database) = database(server).await {
        let spoilt = doc! { "$set": { "messageType": "gobbledygook" } };
        let messages = database.collection::<Document>("messages");
        assert_eq!(messages.update_many(doc! {}, spoilt).await.unwrap().modified_count, 1);
        return;
    }
    let db = rusqlite::Connection::open(server.dir().join("data/waggle.db")).unwrap();
    let spoilt = db.execute("UPDATE messages SET message_type = 'gobbledygook'", []).unwrap();
    assert_eq!(spoilt, 1);
}

/// The tokens of somebody who has used everything that gives one.
async fn tokens(server: &Server, mailbox: &mut Mailbox) -> Vec<String> {
    let alice = server.register("alice").await;
    let fresh = Person::of(server, &alice.refresh().await.data(200));
    let body = json!({ "email": alice.email });
    server.post("/api/auth/forgot-password", &body).await.data(200);
    let used = reset_token(&mailbox.next().await);
    let body = json!({ "token": used, "password": "another password" });
    server.post("/api/auth/reset-password", &body).await.data(200);
    let body = json!({ "email": alice.email });
    server.post("/api/auth/forgot-password", &body).await.data(200);
    let unused = reset_token(&mailbox.next().await);
    let bob = server.register("bob").await;
    let room = bob.create_room(true).await;
    let invite = bob.invite_token(&room, json!({})).await;
    let pairs = [alice, fresh, bob].map(|person| [person.token, person.refresh_token]);
    pairs.into_iter().flatten().chain([used, unused, invite]).collect()
}

on_every_store! {
    async fn neither_tokens_nor_passwords_are_stored(server) {
        let mut mailbox = Mailbox::open().await;
        server.restart_with(&[("SMTP_URL", mailbox.url.as_str())]).await;
        let tokens = tokens(server, &mut mailbox).await;
        // While the server runs, so that the log that SQLite writes ahead is read too.
        let stored = byte_by_byte(&bytes_in_store(server).await);
        let holds = |part: &[u8]| stored.contains(&byte_by_byte(part));
        assert!(holds(b"alice@example.com") && holds(b"$2b$"), "nothing read");
        for secret in tokens.iter().map(String::as_str).chain([PASSWORD, "another password"]) {
            for form in forms(secret) {
                assert!(form.len() > 7 && !holds(&form), "{secret} is stored");
            }
        }
    }

    async fn an_internal_error_shows_nothing_of_its_cause(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        send(&mut alice.connect("/").await, &bob, "hello").await;
        server.stop().await;
        spoil_messages(server).await;
        server.start_with(&[]).await;
        let answer = alice.get(&format!("/api/messages/{}", bob.id)).await;
        let error = answer.refused(500, "internal");
        let plain = json!({ "code": "internal", "message": "Something went wrong" });
        assert_eq!(error, plain);
        assert_eq!(answer.body["message"], "Something went wrong");
        assert_eq!(answer.body.as_object().unwrap().len(), 4, "{answer:?}");
        let mut socket = alice.connect("/chat").await;
        let ack = socket.emit_ack("sync", &json!({ "since": "2000-01-01T00:00:00.000Z" })).await;
        assert_eq!(ack, json!({ "ok": false, "error": plain }));
        assert_eq!(socket.expect("error").await, plain);
        // The rest goes on.
        socket.refused("typing_start", &json!({}), "validation_failed").await;
    }
}
