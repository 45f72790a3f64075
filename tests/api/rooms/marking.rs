//! `mark_messages_read`: many messages at once, one announcement.

use serde_json::{Value, json};

use crate::support::rest::fields;
use crate::support::{Socket, time};

fn marking<'a>(room: &str, messages: impl IntoIterator<Item = &'a Value>) -> Value {
    let ids: Vec<_> = messages.into_iter().map(|message| message["id"].clone()).collect();
    json!({ "roomId": room, "messageIds": ids })
}

async fn mark<'a>(
    socket: &mut Socket,
    room: &str,
    messages: impl IntoIterator<Item = &'a Value>,
) -> Value {
    socket.done("mark_messages_read", &marking(room, messages)).await["messageCount"].clone()
}

on_every_store! {
    async fn what_is_marked_is_counted_and_told_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        let mut outside = bob.connect("/rooms").await;
        let sent = alices.say_many(&room, 6).await;
        assert_eq!(mark(&mut bobs, &room, [&sent[0], &sent[2], &sent[3]]).await, 3);
        for socket in [&mut alices, &mut bobs, &mut outside] {
            let told = socket.expect("messages_read").await;
            assert_eq!(told["roomId"], room.as_str());
            assert_eq!(told["recipientId"], bob.id.as_str());
            assert_eq!(told["messageCount"], 3);
            time(&told["timestamp"]);
        }
        assert_eq!(bob.unread_in(&room).await, 3);
        // Again, and together with what is still unread: that alone counts.
        assert_eq!(mark(&mut bobs, &room, [&sent[2]]).await, 0);
        assert_eq!(mark(&mut outside, &room, &sent).await, 3);
        assert_eq!(mark(&mut bobs, &room, &sent).await, 0);
        assert_eq!(alices.expect("messages_read").await["messageCount"], 3);
        alices.say(&room, "marker").await;
        alices.hear(7).await;
        alices.expect_none("messages_read").await;
        alices.expect_none("message_receipt").await;
    }

    async fn a_message_named_twice_counts_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let sent = alice.enter("/", &room).await.say_many(&room, 2).await;
        let mut bobs = bob.connect("/").await;
        assert_eq!(mark(&mut bobs, &room, [&sent[1], &sent[1], &sent[1]]).await, 1);
        assert_eq!(bob.unread_in(&room).await, 1);
    }

    async fn ones_own_messages_and_those_from_before_one_joined_do_not_count(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = alice.create_room(false).await;
        let mut alices = alice.enter("/", &room).await;
        let early = alices.say(&room, "early").await;
        bob.join_room(&room).await;
        let mut bobs = bob.enter("/", &room).await;
        let own = bobs.say(&room, "mine").await;
        let later = alices.say(&room, "later").await;
        assert_eq!(mark(&mut bobs, &room, [&early, &own]).await, 0);
        assert_eq!(mark(&mut bobs, &room, [&early, &own, &later]).await, 1);
        assert_eq!(alices.expect("messages_read").await["messageCount"], 1);
        assert_eq!(mark(&mut alices, &room, [&own]).await, 1);
    }

    async fn with_a_foreign_message_among_them_nothing_is_marked(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let other = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.enter(&other).await;
        let sent = alices.say_many(&room, 2).await;
        let elsewhere = alices.say(&other, "elsewhere").await;
        let direct = json!({ "receiverId": bob.id, "content": "hello" });
        let direct = alices.done("send_message", &direct).await["message"].clone();
        let unknown = json!({ "id": "0".repeat(24) });
        let mut bobs = bob.connect("/rooms").await;
        for foreign in [&elsewhere, &direct, &unknown] {
            let payload = marking(&room, [&sent[0], foreign, &sent[1]]);
            bobs.denied("mark_messages_read", &payload, "not_found").await;
        }
        assert_eq!(bob.unread_in(&room).await, 2);
        assert_eq!(bob.unread_in(&other).await, 1);
        // The same when the server has not seen the messages since it started.
        server.restart().await;
        let mut bobs = bob.connect("/rooms").await;
        let payload = marking(&room, [&sent[0], &elsewhere]);
        bobs.denied("mark_messages_read", &payload, "not_found").await;
        assert_eq!(mark(&mut bobs, &room, &sent).await, 2);
    }

    async fn at_least_1_and_at_most_500_are_marked_at_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let sent = alice.enter("/", &room).await.say_many(&room, 500).await;
        let mut bobs = bob.connect("/rooms").await;
        let id = &sent[0]["id"];
        for count in [0, 501, 10_000] {
            let payload = json!({ "roomId": room, "messageIds": vec![id; count] });
            let error = bobs.denied("mark_messages_read", &payload, "validation_failed").await;
            assert_eq!(fields(&error), ["messageIds"], "{count}");
        }
        assert_eq!(bob.unread_in(&room).await, 500);
        assert_eq!(mark(&mut bobs, &room, &sent).await, 500);
        assert_eq!(bob.unread_in(&room).await, 0);
    }

    async fn what_is_wrong_is_told_by_field_and_strangers_mark_nothing(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (room, hidden) = (alice.create_room(false).await, alice.create_room(true).await);
        let mut alices = alice.enter("/", &room).await;
        let message = alices.say(&room, "hello").await;
        for (payload, wrong) in [
            (json!({}), vec!["roomId", "messageIds"]),
            (json!({ "roomId": room }), vec!["messageIds"]),
            (json!({ "roomId": room, "messageIds": ["x"] }), vec!["messageIds"]),
            (json!({ "roomId": room, "messageIds": [7] }), vec!["messageIds"]),
            (json!({ "roomId": room, "messageIds": message["id"] }), vec!["messageIds"]),
            (json!({ "roomId": "x", "messageIds": [message["id"]] }), vec!["roomId"]),
        ] {
            let error = alices.denied("mark_messages_read", &payload, "validation_failed").await;
            let named: Vec<_> = fields(&error)
                .iter()
                .map(|field| field.split(['.', '[']).next().unwrap().to_owned())
                .collect();
            assert_eq!(named, wrong, "{payload}");
        }
        let mut bobs = bob.connect("/rooms").await;
        bobs.denied("mark_messages_read", &marking(&room, [&message]), "forbidden").await;
        bobs.denied("mark_messages_read", &marking(&hidden, [&message]), "not_found").await;
    }

    async fn of_many_markings_at_once_each_message_counts_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let sent = alices.say_many(&room, 60).await;
        let marked = (0..6_usize).map(async |number| {
            let mut socket = bob.connect("/rooms").await;
            let mut count = 0;
            for chunk in 0..6 {
                let first = (number * 7 + chunk * 10) % 50;
                let some = mark(&mut socket, &room, &sent[first..first + 10]).await;
                count += some.as_i64().unwrap();
            }
            count
        });
        let marked: i64 = futures_util::future::join_all(marked).await.into_iter().sum();
        let left = bob.unread_in(&room).await.as_i64().unwrap();
        assert_eq!(marked + left, 60);
        alices.say(&room, "marker").await;
        alices.hear(61).await;
        let told = alices.all("messages_read").await;
        let told: i64 = told.iter().map(|one| one["messageCount"].as_i64().unwrap()).sum();
        assert_eq!(told, marked);
        let listed = alice.room_page(&room, "?pageSize=200").await;
        let read = listed.iter().filter(|one| one["receipts"]["readCount"] == 1).count();
        assert_eq!(read as i64, marked);
    }
}
