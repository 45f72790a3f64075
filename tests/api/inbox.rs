//! The inbox: `GET /api/conversations` (CONTRACT §4).

use serde_json::{Value, json};

use crate::chat::send;
use crate::support::{Person, time};

async fn inbox(person: &Person, query: &str) -> Value {
    person.get(&format!("/api/conversations{query}")).await.data(200)
}

fn peers(inbox: &Value) -> Vec<&str> {
    let conversations = inbox["conversations"].as_array().unwrap().iter();
    conversations.map(|one| one["peer"]["username"].as_str().unwrap()).collect()
}

on_every_store! {
    async fn a_new_inbox_is_empty(server) {
        let alice = server.register("alice").await;
        assert_eq!(inbox(&alice, "").await, json!({ "conversations": [] }));
    }

    async fn a_conversation_is_shown_to_both_with_its_last_message(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        send(&mut socket, &bob, "first").await;
        let last = send(&mut socket, &bob, "second").await;
        for (person, peer, online, unread) in [(&alice, &bob, false, 0), (&bob, &alice, true, 2)] {
            let seen = inbox(person, "").await;
            let one = &seen["conversations"][0];
            assert_eq!(one["id"], last["conversationId"]);
            assert_eq!(one["type"], "direct");
            let shown = json!({
                "_id": peer.id, "id": peer.id, "username": peer.username, "isOnline": online,
            });
            assert_eq!(one["peer"], shown);
            assert_eq!(one["lastMessage"], last);
            assert_eq!(one["lastSeq"], 2);
            assert_eq!(one["unreadCount"], unread);
            assert_eq!(time(&one["updatedAt"]), time(&last["createdAt"]));
            assert_eq!(seen["conversations"].as_array().unwrap().len(), 1);
        }
    }

    async fn the_last_changed_stands_first(server) {
        let [alice, bob, carol, dave] = server.people(["alice", "bob", "carol", "dave"]).await;
        let mut socket = alice.connect("/").await;
        for person in [&bob, &carol, &dave] {
            send(&mut socket, person, "hello").await;
            next_millisecond().await;
        }
        assert_eq!(peers(&inbox(&alice, "").await), ["dave", "carol", "bob"]);
        send(&mut bob.connect("/").await, &alice, "I am here").await;
        assert_eq!(peers(&inbox(&alice, "").await), ["bob", "dave", "carol"]);
        // Reading is no change.
        bob.read_all(&alice).await;
        assert_eq!(peers(&inbox(&alice, "").await), ["bob", "dave", "carol"]);
        assert_eq!(peers(&inbox(&carol, "").await), ["alice"]);
    }

    async fn what_was_read_is_not_counted(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        send(&mut socket, &bob, "first").await;
        let second = send(&mut socket, &bob, "second").await;
        let read = json!({ "messageId": second["_id"] });
        bob.connect("/").await.done("message_read", &read).await;
        let seen = inbox(&bob, "").await;
        assert_eq!(seen["conversations"][0]["unreadCount"], 1);
        assert_eq!(seen["conversations"][0]["lastMessage"]["isRead"], true);
        bob.read_all(&alice).await;
        assert_eq!(inbox(&bob, "").await["conversations"][0]["unreadCount"], 0);
    }

    async fn pages_follow_each_other_without_gap_or_repeat(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        for number in 0..7 {
            let peer = server.register(&format!("peer{number}")).await;
            send(&mut socket, &peer, "hello").await;
        }
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = inbox(&alice, &format!("?limit=3{cursor}")).await;
            assert!(peers(&page).len() <= 3);
            seen.extend(peers(&page).into_iter().map(str::to_owned));
            match page.get("nextCursor") {
                Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
                None => break,
            }
        }
        let whole: Vec<_> = inbox(&alice, "").await["conversations"].as_array().unwrap().clone();
        let whole: Vec<_> = whole.iter().map(|one| one["peer"]["username"].clone()).collect();
        assert_eq!(json!(seen), json!(whole));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 7);
    }

    async fn a_limit_or_cursor_that_is_none_is_told(server) {
        let alice = server.register("alice").await;
        for (query, field) in [
            ("?limit=0", "limit"),
            ("?limit=x", "limit"),
            ("?cursor=%25", "cursor"),
            ("?cursor=bm9wZQ", "cursor"),
        ] {
            let answer = alice.get(&format!("/api/conversations{query}")).await;
            assert_eq!(answer.wrong_fields(), [field], "{query}");
        }
    }
}

/// Waits for the clock to show the next millisecond: times of the wire count those.
async fn next_millisecond() {
    let clock = waggle::clock::Clock::system();
    let now = clock.now();
    while clock.now() == now {
        tokio::task::yield_now().await;
    }
}
