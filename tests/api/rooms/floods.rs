//! Rate limits of rooms: told with the time to wait (CONTRACT §1, §10).

use serde_json::{Value, json};

use crate::support::rooms::{into, named};

#[track_caller]
fn check(error: &Value) {
    assert_eq!(error["code"], "rate_limited", "{error}");
    assert!((1..=60).contains(&error["retryAfter"].as_u64().unwrap()), "{error}");
    assert_eq!(error["remaining"], 0, "{error}");
    assert!(error["message"].is_string(), "{error}");
}

on_every_store! {
    #[set(RATE_LIMITS = "on", RATE_LIMIT_SENDS = "3/1m")]
    async fn sends_are_limited_by_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut sockets = [alice.enter("/", &room).await, alice.enter("/rooms", &room).await];
        for number in [0, 1, 0] {
            sockets[number].say(&room, "hello").await;
        }
        for socket in &mut sockets {
            let ack = socket.emit_ack("send_message", &into(&room, "too many")).await;
            assert_eq!(ack["ok"], false);
            assert_eq!(ack["error"]["code"], "rate_limited");
            assert!(ack["error"]["retryAfter"].is_u64());
            let told = socket.expect("message_error").await;
            check(&told);
            assert_eq!(told["roomId"], room.as_str());
            socket.emit("send_message", &into(&room, "without an ack"));
            check(&socket.expect("message_error").await);
            socket.expect_none("error").await;
        }
        bob.enter("/", &room).await.say(&room, "I may").await;
        assert_eq!(bob.room_page(&room, "").await.len(), 4);
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_JOINS = "4/1m")]
    async fn joins_are_limited_by_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(false).await;
        bob.join_room(&room).await;
        let mut bobs = bob.connect("/rooms").await;
        for _ in 0..3 {
            bobs.enter(&room).await;
        }
        let ack = bobs.emit_ack("join_room", &named(&room)).await;
        assert_eq!(ack["error"]["code"], "rate_limited");
        let told = bobs.expect("join_room_error").await;
        check(&told);
        assert_eq!(told["roomId"], room.as_str());
        bobs.emit("join_room", &named(&room));
        check(&bobs.expect("join_room_error").await);
        // Who is in stays in, and others come in.
        bobs.say(&room, "still here").await;
        alice.enter("/", &room).await;
        let refused = bob.join_with(&room, "").await;
        assert!(refused.refused(429, "rate_limited")["retryAfter"].is_u64());
        assert!(!refused.header("retry-after").is_empty());
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_TYPING = "2/1m")]
    async fn typing_is_limited_by_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        let typing = json!({ "roomId": room, "isTyping": true });
        for _ in 0..2 {
            alices.done("typing", &typing).await;
        }
        alices.emit("typing", &typing);
        check(&alices.expect("message_error").await);
        alices.say(&room, "marker").await;
        bobs.hear(1).await;
        let told = bobs.all("typing").await;
        let starts = told.iter().filter(|one| one["isTyping"] == true).count();
        assert_eq!(starts, 2, "{told:?}");
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_REST_WRITES = "2/1m")]
    async fn what_changes_rooms_is_limited_and_says_what_is_left(server) {
        let alice = server.register("alice").await;
        for left in ["1", "0"] {
            let answer = alice.post("/rooms", &json!({ "name": "Kitchen" })).await;
            answer.data(201);
            assert_eq!(answer.header("x-ratelimit-limit"), "2");
            assert_eq!(answer.header("x-ratelimit-remaining"), left);
            assert!(answer.header("x-ratelimit-reset").parse::<i64>().is_ok());
        }
        let refused = alice.post("/rooms", &json!({ "name": "Kitchen" })).await;
        refused.refused(429, "rate_limited");
        assert!(!refused.header("retry-after").is_empty());
        assert_eq!(alice.get("/rooms").await.data(200)["rooms"].as_array().unwrap().len(), 2);
    }
}
