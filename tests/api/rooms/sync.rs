//! `sync` and `auth.sync` with rooms (CONTRACT §4, §5, §10).

use serde_json::{Value, json};

use crate::chat::{send, seqs};
use crate::support::{Person, Socket};
use crate::sync::missed;

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

/// What a connection with `auth.sync` is told first.
async fn greeted(person: &Person, namespace: &str, asked: Value) -> Vec<Value> {
    let mut socket = person.connect_and_sync(namespace, asked).await;
    let came = socket.all("sync").await;
    assert_eq!(came.len(), 1, "{came:?}");
    missed(&came[0])
}

on_every_store! {
    async fn of_a_room_that_is_named_everything_after_its_seq_comes(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let sent = alices.say_many(&room, 5).await;
        let mut bobs = bob.enter("/rooms", &room).await;
        let own = bobs.say(&room, "one's own").await;
        for (after, expected) in [(0, 1..7), (3, 4..7), (6, 0..0), (100, 0..0), (-5, 1..7)] {
            let named = json!({ "conversations": { &room: after } });
            let found = sync(&mut bobs, named.clone()).await;
            assert_eq!(seqs(&found), expected.collect::<Vec<_>>(), "after {after}");
            assert_eq!(greeted(&bob, "/rooms", named).await, found);
        }
        let found = sync(&mut bobs, json!({ "conversations": { &room: 4 } })).await;
        assert_eq!(found, [sent[4].clone(), own]);
    }

    async fn of_the_others_the_unread_come(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (one, two) =
            (server.room_of([&alice, &bob]).await, server.room_of([&alice, &bob]).await);
        let mut alices = alice.enter("/", &one).await;
        alices.enter(&two).await;
        let sent = alices.say_many(&one, 3).await;
        alices.say(&two, "of the other").await;
        let mut bobs = bob.connect("/rooms").await;
        let read = json!({ "roomId": one, "messageId": sent[1]["id"] });
        bobs.done("message_read", &read).await;
        for asked in [json!({}), json!(true)] {
            let found = greeted(&bob, "/rooms", asked).await;
            assert_eq!(contents(&found), ["1", "3", "of the other"]);
        }
        assert_eq!(contents(&sync(&mut bobs, json!({})).await), ["1", "3", "of the other"]);
        let found = sync(&mut bobs, json!({ "conversations": { &one: 2 } })).await;
        assert_eq!(contents(&found), ["3", "of the other"]);
        assert!(sync(&mut alices, json!({})).await.is_empty(), "one's own are not unread");
        // Asking is not reading.
        assert_eq!(bob.unread_in(&one).await, 2);
    }

    async fn what_was_said_before_one_joined_is_not_unread(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(false).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say(&room, "early").await;
        bob.join_room(&room).await;
        alices.say(&room, "later").await;
        let mut bobs = bob.connect("/").await;
        assert_eq!(contents(&sync(&mut bobs, json!({})).await), ["later"]);
        let named = json!({ "conversations": { &room: 0 } });
        assert_eq!(contents(&sync(&mut bobs, named).await), ["early", "later"]);
    }

    async fn with_a_time_what_is_newer_comes_read_or_not(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (one, two) =
            (server.room_of([&alice, &bob]).await, server.room_of([&alice, &bob]).await);
        let mut alices = alice.enter("/", &one).await;
        alices.enter(&two).await;
        alices.say(&two, "old").await;
        let since = alices.say(&one, "the last one seen").await["timestamp"].clone();
        while json!(waggle::clock::Clock::system().now().to_string()) == since {
            alices.round_trip().await;
        }
        alices.say(&one, "newer").await;
        let mut bobs = bob.enter("/rooms", &one).await;
        bobs.say(&one, "newer, one's own").await;
        let asked = json!({ "since": since });
        let found = sync(&mut bobs, asked.clone()).await;
        assert_eq!(contents(&found), ["newer", "newer, one's own"]);
        assert_eq!(greeted(&bob, "/", asked).await, found);
        let named = json!({ "since": since, "conversations": { &two: 0 } });
        let found = sync(&mut bobs, named).await;
        assert_eq!(contents(&found), ["newer", "newer, one's own", "old"]);
    }

    async fn rooms_that_one_is_not_in_hold_nothing(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let public = server.room_of([&alice, &bob, &carol]).await;
        let hidden = alice.create_room(true).await;
        let token = alice.invite_token(&hidden, json!({})).await;
        bob.join_with(&hidden, &token).await.data(200);
        let mut alices = alice.enter("/", &public).await;
        alices.enter(&hidden).await;
        for room in [&public, &hidden] {
            alices.say(room, "hello").await;
        }
        let named = json!({ "conversations": { &public: 0, &hidden: 0, "0".repeat(24): 0 } });
        assert_eq!(greeted(&bob, "/rooms", named.clone()).await.len(), 2);
        alice.remove(&hidden, &bob).await.data(200);
        alice.remove(&public, &bob).await.data(200);
        carol.leave_room(&public).await;
        let everything = json!({ "since": "2000-01-01T00:00:00Z" });
        for person in [&bob, &carol] {
            for asked in [&named, &everything, &json!({})] {
                assert!(greeted(person, "/", asked.clone()).await.is_empty(), "{asked}");
                let mut socket = person.connect("/rooms").await;
                assert!(sync(&mut socket, asked.clone()).await.is_empty(), "{asked}");
            }
        }
    }

    async fn each_namespace_gives_its_own_kind_and_the_root_both(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say(&room, "to the room").await;
        let direct = send(&mut alices, &bob, "to bob").await;
        let pair = direct["conversationId"].as_str().unwrap();
        for (namespace, expected) in [
            ("/", vec!["to bob", "to the room"]),
            ("/chat", vec!["to bob"]),
            ("/rooms", vec!["to the room"]),
        ] {
            for asked in [
                json!({}),
                json!({ "since": "2000-01-01T00:00:00Z" }),
                json!({ "conversations": { pair: 0, &room: 0 } }),
            ] {
                let found = greeted(&bob, namespace, asked.clone()).await;
                assert_eq!(contents(&found), expected, "{namespace} {asked}");
                let mut socket = bob.connect(namespace).await;
                assert_eq!(sync(&mut socket, asked).await, found);
            }
        }
    }

    async fn what_is_more_than_500_says_so_and_goes_on_by_name(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.enter("/", &room).await.say_many(&room, 260).await;
        alice.enter("/rooms", &room).await.say_many(&room, 260).await;
        let mut bobs = bob.connect("/rooms").await;
        let first = bobs.done("sync", &json!({})).await;
        assert_eq!(first["more"], true);
        assert_eq!(seqs(&missed(&first)), (1..=500).collect::<Vec<_>>());
        let rest = sync(&mut bobs, json!({ "conversations": { &room: 500 } })).await;
        assert_eq!(seqs(&rest), (501..=520).collect::<Vec<_>>());
    }

    async fn nothing_is_lost_between_leaving_and_coming_back(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut heard = Vec::new();
        for _ in 0..4 {
            let last = heard.last().copied().unwrap_or(0);
            let asked: Vec<_> = (0..20)
                .map(|_| alices.ask("send_message", &crate::support::rooms::into(&room, "x")))
                .collect();
            // In the middle of that: back, in the room, and then what was missed.
            let mut bobs = bob.enter("/rooms", &room).await;
            let named = json!({ "conversations": { &room: last } });
            heard.extend(seqs(&sync(&mut bobs, named).await));
            let upto = heard.last().copied().unwrap_or(0);
            let mut end = 0;
            for id in asked {
                end = alices.ack(id).await["message"]["seq"].as_i64().unwrap();
            }
            let mut next = upto + 1;
            while next <= end {
                let seq = bobs.expect("receive_message").await["seq"].as_i64().unwrap();
                if seq > upto {
                    assert_eq!(seq, next);
                    heard.push(seq);
                    next += 1;
                }
            }
        }
        assert_eq!(heard, (1..=80).collect::<Vec<_>>());
    }
}
