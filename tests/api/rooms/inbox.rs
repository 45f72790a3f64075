//! Rooms among the conversations: unread counts and the inbox (CONTRACT §4, §5).

use serde_json::{Value, json};

use crate::support::{Person, time};

async fn inbox(person: &Person, query: &str) -> Vec<Value> {
    let data = person.get(&format!("/api/conversations{query}")).await.data(200);
    data["conversations"].as_array().unwrap().clone()
}

async fn unread(person: &Person) -> Value {
    person.get("/api/messages/unread/count").await.data(200)
}

/// Waits for the clock to show the next millisecond: times of the wire count those.
async fn next_millisecond() {
    let clock = waggle::clock::Clock::system();
    let now = clock.now();
    while clock.now() == now {
        tokio::task::yield_now().await;
    }
}

on_every_store! {
    async fn a_room_is_a_conversation_of_its_members(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let seen = inbox(&bob, "").await;
        assert_eq!(seen.len(), 1, "empty rooms too");
        assert_eq!(seen[0]["lastMessage"], Value::Null);
        assert_eq!((&seen[0]["lastSeq"], &seen[0]["unreadCount"]), (&json!(0), &json!(0)));
        let mut alices = alice.enter("/", &room).await;
        alices.say(&room, "first").await;
        let last = alices.say(&room, "second").await;
        for (person, unread) in [(&alice, 0), (&bob, 2)] {
            let seen = inbox(person, "").await;
            let one = &seen[0];
            assert_eq!(one["id"], room.as_str());
            assert_eq!(one["type"], "room");
            assert_eq!(one["room"]["id"], room.as_str());
            assert_eq!(one["room"]["name"], "Kitchen");
            assert!(one.get("peer").is_none(), "{one}");
            assert_eq!(one["lastMessage"], last);
            assert_eq!(one["lastSeq"], 2);
            assert_eq!(one["unreadCount"], unread);
            assert_eq!(time(&one["updatedAt"]), time(&last["timestamp"]));
        }
        assert!(inbox(&carol, "").await.is_empty());
    }

    async fn rooms_and_pairs_are_counted_together(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let quiet = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say_many(&room, 3).await;
        let direct = json!({ "receiverId": bob.id, "content": "hello" });
        let direct = carol.connect("/").await.done("send_message", &direct).await;
        let pair = direct["message"]["conversationId"].as_str().unwrap();
        let expected = json!({ "unreadCount": 4, "byConversation": { pair: 1, &room: 3 } });
        assert_eq!(unread(&bob).await, expected);
        bob.enter("/", &room).await;
        bob.read_all(&carol).await;
        assert_eq!(unread(&bob).await, json!({ "unreadCount": 0, "byConversation": {} }));
        bob.enter("/", &quiet).await.say(&quiet, "one's own").await;
        assert_eq!(unread(&bob).await["unreadCount"], 0);
        assert_eq!(unread(&alice).await["unreadCount"], 1);
    }

    async fn a_room_that_one_left_counts_no_more(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.enter("/", &room).await.say(&room, "hello").await;
        assert_eq!(unread(&bob).await["unreadCount"], 1);
        bob.leave_room(&room).await;
        assert_eq!(unread(&bob).await["unreadCount"], 0);
        assert!(inbox(&bob, "").await.is_empty());
    }

    async fn the_last_changed_stands_first_whatever_it_is(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut alices = alice.connect("/").await;
        let mut expected = Vec::new();
        for number in 0..4 {
            next_millisecond().await;
            let room = server.room_of([&alice, &bob]).await;
            next_millisecond().await;
            alices.enter(&room).await;
            alices.say(&room, "hello").await;
            expected.push(room);
            if number == 1 {
                next_millisecond().await;
                let direct = json!({ "receiverId": bob.id, "content": "hello" });
                let ack = alices.done("send_message", &direct).await;
                expected.push(ack["message"]["conversationId"].as_str().unwrap().to_owned());
            }
        }
        expected.reverse();
        let ids = |page: &[Value]| -> Vec<_> {
            page.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&inbox(&bob, "").await), expected);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = bob.get(&format!("/api/conversations?limit=2{cursor}")).await.data(200);
            seen.extend(ids(page["conversations"].as_array().unwrap()));
            match page.get("nextCursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, expected);
    }
}
