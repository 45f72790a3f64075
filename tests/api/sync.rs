//! The event `sync`: what was missed (CONTRACT §4, §10).

use serde_json::{Value, json};

use crate::chat::{send, seqs, to};
use crate::history::send_many;
use crate::support::rest::fields;
use crate::support::{Person, Socket};

/// Sends so many messages over several sockets at once.
pub(crate) async fn flood(from: &Person, receiver: &Person, count: usize) {
    let sockets = 10;
    assert_eq!(count % sockets, 0);
    let sending = (0..sockets).map(async |_| {
        send_many(&mut from.connect("/").await, receiver, count / sockets).await;
    });
    futures_util::future::join_all(sending).await;
}

/// The messages of an answer, which must stand by conversation and `seq`.
#[track_caller]
pub(crate) fn missed(answer: &Value) -> Vec<Value> {
    let messages = answer["messages"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    let place = |message: &Value| {
        let conversation = message["conversationId"].as_str().unwrap().to_owned();
        (conversation, message["seq"].as_i64().unwrap())
    };
    let places: Vec<_> = messages.iter().map(place).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(places.windows(2).all(|two| two[0] != two[1]), "{places:?}");
    messages
}

async fn sync(socket: &mut Socket, payload: Value) -> Vec<Value> {
    let answer = socket.done("sync", &payload).await;
    assert_eq!(answer["more"], false, "{answer}");
    missed(&answer)
}

fn contents(messages: &[Value]) -> Vec<&str> {
    let mut texts: Vec<_> =
        messages.iter().map(|message| message["content"].as_str().unwrap()).collect();
    texts.sort_unstable();
    texts
}

on_every_store! {
    async fn of_a_conversation_that_is_named_everything_after_its_seq_comes(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let sent = send_many(&mut socket, &bob, 5).await;
        let mut bobs = bob.connect("/chat").await;
        let own = send(&mut bobs, &alice, "one's own").await;
        let id = sent[0]["conversationId"].as_str().unwrap();
        for (after, expected) in [(0, 1..7), (3, 4..7), (6, 0..0), (100, 0..0), (-5, 1..7)] {
            let named = json!({ "conversations": { id: after } });
            let found = sync(&mut bobs, named).await;
            assert_eq!(seqs(&found), expected.collect::<Vec<_>>(), "after {after}");
        }
        // Read or not, one's own or not: named conversations come whole.
        bob.read_all(&alice).await;
        let found = sync(&mut bobs, json!({ "conversations": { id: 4 } })).await;
        assert_eq!(found[0]["content"], "5");
        assert_eq!(found[0]["isRead"], true);
        assert_eq!(found[1], own);
    }

    async fn any_number_may_stand_for_the_last_seq(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let sent = send(&mut socket, &bob, "hello").await;
        let id = sent["conversationId"].as_str().unwrap();
        let found = sync(&mut socket, json!({ "conversations": { id: i64::MAX } })).await;
        assert!(found.is_empty());
        for number in [-1, -1000, i64::MIN] {
            let found = sync(&mut socket, json!({ "conversations": { id: number } })).await;
            assert_eq!(found, std::slice::from_ref(&sent), "{number}");
        }
    }

    async fn of_the_others_the_unread_come(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let mut bobs = bob.connect("/").await;
        let read = send(&mut alice.connect("/").await, &bob, "read").await;
        bobs.done("message_read", &json!({ "messageId": read["_id"] })).await;
        send(&mut alice.connect("/").await, &bob, "unread of alice").await;
        send(&mut carol.connect("/").await, &bob, "unread of carol").await;
        send(&mut bobs, &carol, "one's own").await;
        let found = sync(&mut bobs, json!({})).await;
        assert_eq!(contents(&found), ["unread of alice", "unread of carol"]);
        let id = read["conversationId"].as_str().unwrap();
        let found = sync(&mut bobs, json!({ "conversations": { id: 2 } })).await;
        assert_eq!(contents(&found), ["unread of carol"]);
        let found = sync(&mut bobs, json!({ "conversations": { id: 0 } })).await;
        assert_eq!(contents(&found), ["read", "unread of alice", "unread of carol"]);
    }

    async fn with_a_time_what_is_newer_comes_read_or_not(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut alices, mut bobs) = (alice.connect("/").await, bob.connect("/").await);
        let mut carols = carol.connect("/").await;
        send(&mut alices, &bob, "old").await;
        let since = send(&mut carols, &bob, "the last one seen").await["createdAt"].clone();
        // Times count milliseconds: the next one begins before anything newer is sent.
        while json!(waggle::clock::Clock::system().now().to_string()) == since {
            bobs.round_trip().await;
        }
        send(&mut alices, &bob, "newer").await;
        send(&mut bobs, &carol, "newer, one's own").await;
        bob.read_all(&alice).await;
        let found = sync(&mut bobs, json!({ "since": since })).await;
        assert_eq!(contents(&found), ["newer", "newer, one's own"]);
        let id = found.iter().find(|message| message["content"] == "newer").unwrap();
        let named = json!({ id["conversationId"].as_str().unwrap(): 0 });
        let found = sync(&mut bobs, json!({ "since": since, "conversations": named })).await;
        assert_eq!(contents(&found), ["newer", "newer, one's own", "old"]);
        let everything = json!({ "since": "2000-01-01T00:00:00Z" });
        assert_eq!(sync(&mut bobs, everything).await.len(), 4);
        let offset = json!({ "since": "2999-01-01T02:00:00+02:00" });
        assert!(sync(&mut bobs, offset).await.is_empty());
    }

    async fn conversations_of_others_and_unknown_ones_hold_nothing(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let secret = send(&mut alice.connect("/").await, &bob, "secret").await;
        let id = secret["conversationId"].as_str().unwrap();
        let named = json!({ "conversations": { id: 0, "0".repeat(24): 0 } });
        let mut carols = carol.connect("/").await;
        assert!(sync(&mut carols, named).await.is_empty());
        assert!(sync(&mut carols, json!({ "since": "2000-01-01T00:00:00Z" })).await.is_empty());
        assert!(sync(&mut carols, json!({})).await.is_empty());
    }

    async fn what_is_more_than_500_is_continued_without_gap_or_repeat(server) {
        let [alice, bob, carol, dave] = server.people(["alice", "bob", "carol", "dave"]).await;
        let (first, second, third) =
            (flood(&alice, &bob, 310), flood(&carol, &bob, 310), flood(&dave, &bob, 310));
        tokio::join!(first, second, third);
        for since in [None, Some("2000-01-01T00:00:00Z")] {
            let mut socket = bob.connect("/").await;
            let (mut seen, mut named) = (Vec::new(), json!({}));
            for more in [true, false] {
                let mut payload = json!({ "conversations": named });
                if let Some(since) = since {
                    payload["since"] = json!(since);
                }
                let answer = socket.done("sync", &payload).await;
                let messages = missed(&answer);
                assert_eq!(answer["more"], more);
                assert_eq!(messages.len(), if more { 500 } else { 430 });
                for message in &messages {
                    let id = message["conversationId"].as_str().unwrap();
                    assert_eq!(message["seq"], named[id].as_i64().unwrap_or(0) + 1, "no gap");
                    named[id] = message["seq"].clone();
                }
                seen.extend(messages);
            }
            assert_eq!(seen.len(), 930);
        }
    }

    async fn exactly_500_are_not_more(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        flood(&alice, &bob, 500).await;
        let mut socket = bob.connect("/").await;
        assert_eq!(sync(&mut socket, json!({})).await.len(), 500);
        let mut alices = alice.connect("/").await;
        let sent = send(&mut alices, &bob, "one more").await;
        let answer = socket.done("sync", &json!({})).await;
        assert_eq!((answer["more"].clone(), missed(&answer).len()), (json!(true), 500));
        let named = json!({ sent["conversationId"].as_str().unwrap(): 500 });
        let rest = sync(&mut socket, json!({ "conversations": named })).await;
        assert_eq!(rest, [sent]);
    }

    async fn what_is_asked_wrongly_is_told_by_field(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        let many: serde_json::Map<_, _> =
            (0..1001).map(|number| (format!("{number:024x}"), json!(0))).collect();
        for (payload, field) in [
            (json!({ "conversations": { "x": 1 } }), "conversations"),
            (json!({ "conversations": many }), "conversations"),
            (json!({ "conversations": [1] }), "conversations"),
            (json!({ "since": "yesterday" }), "since"),
            (json!({ "since": 5 }), "since"),
            (json!({ "since": { "$gt": "" } }), "since"),
        ] {
            let error = socket.refused("sync", &payload, "validation_failed").await;
            assert_eq!(fields(&error), [field], "{payload}");
        }
        let id = "0".repeat(24);
        let payload = json!({ "conversations": { id: "one" } });
        socket.refused("sync", &payload, "validation_failed").await;
        socket.refused("send_message", &to(&alice, ""), "validation_failed").await;
    }
}
