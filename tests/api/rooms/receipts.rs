//! Who has read a message of a room, and when.

use serde_json::{Value, json};

use crate::support::rooms::at;
use crate::support::{Person, time};

async fn receipts(person: &Person, message: &Value) -> Value {
    let (room, id) = (message["roomId"].as_str().unwrap(), message["id"].as_str().unwrap());
    person.of_room(room, &format!("/messages/{id}/receipts")).await
}

/// The receipt of one recipient.
#[track_caller]
fn of<'a>(receipts: &'a Value, person: &Person) -> &'a Value {
    let mut all = receipts["receipts"].as_array().unwrap().iter();
    all.find(|receipt| receipt["userId"] == person.id.as_str())
        .unwrap_or_else(|| panic!("{} is no recipient: {receipts}", person.username))
}

fn summary(total: i64, read: i64) -> Value {
    json!({ "totalRecipients": total, "readCount": read })
}

on_every_store! {
    async fn every_recipient_has_a_receipt(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let mut alices = alice.enter("/", &room).await;
        let message = alices.say(&room, "hello").await;
        let before = receipts(&alice, &message).await;
        assert_eq!(before["message"], message);
        assert_eq!(before["summary"], summary(2, 0));
        for person in [&bob, &carol] {
            let receipt = of(&before, person);
            assert_eq!(receipt["username"], person.username.as_str());
            assert_eq!((&receipt["read"], &receipt["readAt"]), (&json!(false), &Value::Null));
            assert!(time(&receipt["deliveredAt"]) >= time(&message["timestamp"]));
        }
        assert_eq!(before["receipts"].as_array().unwrap().len(), 2, "the sender is none");
        let payload = json!({ "messageId": message["id"] });
        bob.connect("/").await.done("message_read", &payload).await;
        let told = alices.expect("message_receipt").await;
        let after = receipts(&carol, &message).await;
        assert_eq!(after["summary"], summary(2, 1));
        assert_eq!(of(&after, &bob)["read"], true);
        assert_eq!(of(&after, &bob)["readAt"], told["timestamp"]);
        assert_eq!(of(&after, &carol)["read"], false);
    }

    async fn the_first_read_is_the_one_that_counts(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let sent = alices.say_many(&room, 3).await;
        let payload = json!({ "roomId": room, "messageIds": [sent[1]["id"]] });
        bob.connect("/").await.done("mark_messages_read", &payload).await;
        let first = receipts(&alice, &sent[1]).await;
        bob.room_page(&room, "").await;
        bob.enter("/", &room).await;
        assert_eq!(receipts(&alice, &sent[1]).await, first);
        assert_eq!(receipts(&alice, &sent[0]).await["summary"], summary(1, 1));
        server.restart().await;
        let mut after = receipts(&alice, &sent[1]).await;
        after["message"] = first["message"].clone();
        assert_eq!(after, first);
    }

    async fn who_came_later_is_no_recipient_of_what_was_said_before(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let early = alices.say(&room, "early").await;
        carol.join_room(&room).await;
        assert_eq!(carol.unread_in(&room).await, 0);
        assert_eq!(carol.connect("/").await.enter(&room).await["unreadCount"], 0);
        let later = alices.say(&room, "later").await;
        // Looking at it does not make one a recipient.
        assert_eq!(carol.room_page(&room, "").await.len(), 2);
        assert_eq!(receipts(&carol, &early).await["summary"], summary(1, 0));
        of(&receipts(&alice, &early).await, &bob);
        assert_eq!(receipts(&alice, &later).await["summary"], summary(2, 1));
        let listed = alice.room_page(&room, "").await;
        assert_eq!(listed[0]["receipts"], summary(2, 1));
        assert_eq!(listed[1]["receipts"], summary(1, 0));
    }

    async fn who_came_back_is_no_recipient_of_what_was_said_before(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let read = alices.say(&room, "read").await;
        bob.room_page(&room, "").await;
        let unread = alices.say(&room, "unread").await;
        bob.leave_room(&room).await;
        assert_eq!(receipts(&alice, &unread).await["summary"], summary(0, 0));
        bob.join_room(&room).await;
        for message in [&read, &unread] {
            assert_eq!(receipts(&alice, message).await["summary"], summary(0, 0));
        }
        assert_eq!(bob.unread_in(&room).await, 0);
        let later = alices.say(&room, "later").await;
        assert_eq!(bob.unread_in(&room).await, 1);
        assert_eq!(receipts(&alice, &later).await["summary"], summary(1, 0));
        bob.room_page(&room, "").await;
        assert_eq!(receipts(&alice, &later).await["summary"], summary(1, 1));
    }

    async fn a_message_of_another_room_or_of_two_has_no_receipts_here(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let other = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &other).await;
        let elsewhere = alices.say(&other, "elsewhere").await["id"].clone();
        let direct = json!({ "receiverId": bob.id, "content": "hello" });
        let direct = alices.done("send_message", &direct).await["message"]["_id"].clone();
        for id in [elsewhere, direct, json!("0".repeat(24))] {
            let path = at(&room, &format!("/messages/{}/receipts", id.as_str().unwrap()));
            bob.get(&path).await.refused(404, "not_found");
        }
    }
}
