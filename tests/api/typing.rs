//! Typing (CONTRACT §4).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chat::to;
use crate::support::rest::fields;
use crate::support::{Person, Socket};

fn at(person: &Person) -> Value {
    json!({ "receiverId": person.id })
}

fn is(person: &Person, typing: bool) -> Value {
    json!({ "userId": person.id, "isTyping": typing })
}

async fn start(socket: &mut Socket, receiver: &Person) {
    socket.done("typing_start", &at(receiver)).await;
}

on_every_store! {
    async fn the_receiver_is_told_of_start_and_stop(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut typing, mut other) = (alice.connect("/").await, alice.connect("/").await);
        let mut told = [bob.connect("/").await, bob.connect("/chat").await];
        let mut carols = carol.connect("/").await;
        start(&mut typing, &bob).await;
        typing.done("typing_stop", &at(&bob)).await;
        for socket in &mut told {
            assert_eq!(socket.all("user_typing").await, [is(&alice, true), is(&alice, false)]);
        }
        for socket in [&mut typing, &mut other, &mut carols] {
            socket.expect_none("user_typing").await;
        }
    }

    #[set(TYPING_TIMEOUT = "300ms")]
    async fn typing_ends_by_itself(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut typing, mut told) = (alice.connect("/").await, bob.connect("/chat").await);
        let started = Instant::now();
        start(&mut typing, &bob).await;
        assert_eq!(told.expect("user_typing").await, is(&alice, true));
        assert_eq!(told.expect("user_typing").await, is(&alice, false));
        assert!(started.elapsed().as_millis() >= 290, "{:?}", started.elapsed());
    }

    #[set(TYPING_TIMEOUT = "3s")]
    async fn a_new_start_makes_typing_last(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut typing, mut told) = (alice.connect("/").await, bob.connect("/").await);
        start(&mut typing, &bob).await;
        let first = Instant::now();
        // Some time later, well before the end of the first one.
        while first.elapsed() < Duration::from_millis(100) {
            typing.emit_ack("nonsense", &json!({})).await;
        }
        let second = Instant::now();
        start(&mut typing, &bob).await;
        let stopped = |told: &Value| told["isTyping"] == false;
        assert_eq!(told.expect_where("user_typing", stopped).await, is(&alice, false));
        assert!(second.elapsed() >= Duration::from_millis(2990), "{:?}", second.elapsed());
        let rest = told.all("user_typing").await;
        assert_eq!(rest, [is(&alice, true), is(&alice, true)], "one stop for both");
    }

    async fn typing_ends_when_the_message_is_sent(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut typing, mut told) = (alice.connect("/").await, bob.connect("/").await);
        start(&mut typing, &bob).await;
        typing.done("send_message", &to(&bob, "done")).await;
        assert_eq!(told.all("user_typing").await, [is(&alice, true), is(&alice, false)]);
        // Who was not typing does not stop.
        typing.done("send_message", &to(&bob, "again")).await;
        told.expect_none("user_typing").await;
    }

    async fn typing_to_one_does_not_end_by_a_message_to_another(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut typing, mut told) = (alice.connect("/").await, bob.connect("/").await);
        start(&mut typing, &bob).await;
        typing.done("send_message", &to(&carol, "hello")).await;
        assert_eq!(told.all("user_typing").await, [is(&alice, true)]);
    }

    async fn typing_ends_when_its_socket_is_gone(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut told = bob.connect("/").await;
        for cut in [true, false] {
            let mut typing = alice.connect("/").await;
            start(&mut typing, &bob).await;
            assert_eq!(told.expect("user_typing").await, is(&alice, true));
            if cut {
                drop(typing);
            } else {
                typing.leave();
            }
            assert_eq!(told.expect("user_typing").await, is(&alice, false));
        }
    }

    async fn typing_goes_on_when_another_socket_is_gone(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut typing, mut told) = (alice.connect("/").await, bob.connect("/").await);
        let mut other = alice.connect("/").await;
        start(&mut other, &bob).await;
        start(&mut typing, &bob).await;
        other.leave();
        server.until_sockets(2).await;
        assert_eq!(told.all("user_typing").await, [is(&alice, true), is(&alice, true)]);
    }

    async fn typing_needs_somebody_who_exists(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        for event in ["typing_start", "typing_stop"] {
            let nobody = json!({ "receiverId": "0".repeat(24) });
            socket.refused(event, &nobody, "not_found").await;
            for wrong in [json!({}), json!({ "receiverId": 5 }), json!({ "receiverId": "bob" })] {
                let error = socket.refused(event, &wrong, "validation_failed").await;
                assert_eq!(fields(&error), ["receiverId"]);
            }
        }
    }
}
