//! Values of the wrong kind: operator objects where text belongs, in every field of every event
//! and body, on both stores. All are refused by name of the field's fault, and nothing is stored.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::setting::mongod::Mongod;
use crate::setting::rest::{Rest, User};
use crate::setting::server::{Server, Setup};
use crate::setting::turn;

const ANSWER: Duration = Duration::from_secs(15);

fn operators() -> [Value; 3] {
    [json!({ "$gt": "" }), json!({ "$where": "sleep(5000)" }), json!([{ "$ne": null }])]
}

/// Valid payloads of every event.
fn events(to: &User, token: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "send_message",
            json!({
                "receiverId": to.id, "content": "text", "messageType": "text", "tempId": "t",
                "clientMsgId": "c",
            }),
        ),
        ("typing_start", json!({ "receiverId": to.id })),
        ("typing_stop", json!({ "receiverId": to.id })),
        ("message_read", json!({ "messageId": to.id, "senderId": to.id })),
        ("sync", json!({ "conversations": { &to.id: 0 }, "since": "2025-05-20T16:30:00.000Z" })),
        ("presence_subscribe", json!({ "userIds": [to.id] })),
        ("presence_unsubscribe", json!({ "userIds": [to.id] })),
        ("refresh_token", json!({ "token": token })),
    ]
}

/// Valid bodies of every route that takes one.
fn bodies() -> Vec<(&'static str, Value)> {
    vec![
        (
            "/api/auth/register",
            json!({
                "username": "mallory", "email": "m@example.com", "password": "password123",
                "name": "M", "role": "user",
            }),
        ),
        ("/api/auth/login", json!({ "email": "from@example.com", "password": "password123" })),
        ("/api/auth/login", json!({ "username": "from", "password": "password123" })),
        ("/api/auth/refresh", json!({ "refreshToken": "r" })),
        ("/api/auth/logout", json!({ "all": false })),
        ("/api/auth/forgot-password", json!({ "email": "from@example.com" })),
        ("/api/auth/reset-password", json!({ "token": "t", "password": "password123" })),
    ]
}

/// The payload with an operator in each of its fields in turn, and as the whole.
fn spoilt(payload: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for operator in operators() {
        for field in payload.as_object().unwrap().keys() {
            let mut spoilt = payload.clone();
            spoilt[field] = operator.clone();
            all.push(spoilt);
        }
    }
    all
}

async fn assert_events_refuse(client: &Client, to: &User, token: &str) -> usize {
    let mut refused = 0;
    for (name, payload) in events(to, token) {
        let whole = [json!([payload]), json!("text"), json!(7), json!(null)];
        for bad in spoilt(&payload).into_iter().chain(whole) {
            // Without a payload these ask for everything.
            if bad.is_null() && name == "sync" {
                continue;
            }
            let ack = client.ask(name, &bad, ANSWER).await.unwrap();
            let code = (&ack["ok"], &ack["error"]["code"]);
            assert_eq!(code, (&json!(false), &json!("validation_failed")), "{name} {bad}: {ack}");
            refused += 1;
        }
    }
    refused
}

async fn assert_bodies_refuse(rest: &Rest, token: &str) -> usize {
    let mut refused = 0;
    for (path, body) in bodies() {
        for bad in spoilt(&body) {
            let (status, answer) = rest.post(path, Some(token), bad.to_string()).await;
            let outcome = (status, &answer["error"]["code"]);
            assert_eq!(outcome, (400, &json!("validation_failed")), "{path} {bad}: {answer}");
            refused += 1;
        }
    }
    for bad in spoilt(&json!({ "name": "N", "email": "n@example.com", "image": "i.png" })) {
        let (status, answer) = rest.patch("/api/auth/me", token, bad.to_string()).await;
        let outcome = (status, &answer["error"]["code"]);
        assert_eq!(outcome, (400, &json!("validation_failed")), "{bad}: {answer}");
        refused += 1;
    }
    refused
}

async fn refuse_operators(store: &str, setup: Setup) {
    let mut server = setup.start().await;
    let [from, to] = server.rest.register_all(["from", "peer"]).await;
    let client = Client::connect(server.port(), &from.token).await.unwrap();
    let events = assert_events_refuse(&client, &to, &from.token).await;
    let bodies = assert_bodies_refuse(&server.rest, &from.token).await;
    println!("operators on {store}: {events} events and {bodies} bodies refused");
    assert_nothing_stored(&server, &from, &to).await;
    server.assert_alive();
}

async fn assert_nothing_stored(server: &Server, from: &User, to: &User) {
    assert_eq!(server.rest.history(from, to).await, Vec::<Value>::new());
    let (_, answer) = server.rest.get("/api/auth/users", Some(&from.token)).await;
    assert_eq!(answer["data"]["users"].as_array().unwrap().len(), 1, "{answer}");
    let (_, me) = server.rest.get("/api/auth/me", Some(&from.token)).await;
    assert_eq!(me["data"]["user"]["email"], "from@example.com");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_refused_in_every_field_on_the_embedded_store() {
    let _turn = turn();
    refuse_operators("embedded", Setup::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_are_refused_in_every_field_on_mongodb() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    refuse_operators("mongodb", Setup::mongo(&mongod)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_a_megabyte_are_refused_and_nothing_is_stored() {
    let _turn = turn();
    let mut server = Setup::embedded().start().await;
    let [from, to] = server.rest.register_all(["from", "peer"]).await;
    let client = Client::connect(server.port(), &from.token).await.unwrap();
    let long = "m".repeat(990_000);
    for (field, payload) in [
        ("content", json!({ "receiverId": to.id, "content": long })),
        ("receiverId", json!({ "receiverId": long, "content": "c" })),
        ("clientMsgId", json!({ "receiverId": to.id, "content": "c", "clientMsgId": long })),
        ("tempId", json!({ "receiverId": to.id, "content": "c", "tempId": long })),
    ] {
        let ack = client.ask("send_message", &payload, ANSWER).await.unwrap();
        assert_eq!(ack["error"]["code"], "validation_failed", "{field}");
        assert_eq!(ack["error"]["details"][0]["field"], field, "{field}");
    }
    let body = json!({ "username": "x", "email": "x@example.com", "password": long });
    let (status, _) = server.rest.post("/api/auth/register", None, body.to_string()).await;
    assert_eq!(status, 400);
    let (status, _) = server.rest.post("/api/auth/login", None, "x".repeat(1_100_000)).await;
    assert_eq!(status, 413);
    assert_nothing_stored(&server, &from, &to).await;
    server.assert_alive();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deep_json_is_refused() {
    let _turn = turn();
    let mut server = Setup::embedded().start().await;
    let [from, to] = server.rest.register_all(["from", "peer"]).await;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [deep.clone(), format!(r#"{{"email":{deep},"password":"p"}}"#)] {
        let (status, answer) = server.rest.post("/api/auth/login", None, body).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!("validation_failed")),
            "{answer}"
        );
    }
    // What nobody reads may be as deep as it likes.
    let unread = format!(r#"{{"email":"f@example.com","password":"p","unread":{deep}}}"#);
    let (status, answer) = server.rest.post("/api/auth/login", None, unread).await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!("unauthenticated")), "{answer}");
    let client = Client::connect(server.port(), &from.token).await.unwrap();
    let ack = client.ask_raw(&format!("[\"send_message\",{deep}]"), ANSWER).await;
    assert_eq!(ack.unwrap()["error"]["code"], "validation_failed");
    assert_nothing_stored(&server, &from, &to).await;
    server.assert_alive();
}
