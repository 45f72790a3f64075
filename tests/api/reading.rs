//! Reading: by the receiver alone, told to the sender once (CONTRACT §4).

use serde_json::{Value, json};

use crate::chat::send;
use crate::history::send_many;
use crate::support::rest::fields;
use crate::support::time;

fn of(message: &Value) -> Value {
    json!({ "messageId": message["_id"] })
}

on_every_store! {
    async fn a_read_is_told_to_every_socket_of_the_sender_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut alices = [alice.connect("/").await, alice.connect("/chat").await];
        let mut bobs = bob.connect("/chat").await;
        let message = send(&mut alices[0], &bob, "hello").await;
        let payload = json!({ "messageId": message["_id"], "senderId": alice.id });
        bobs.done("message_read", &payload).await;
        let mut receipts = Vec::new();
        for socket in &mut alices {
            let told = socket.all("message_read_receipt").await;
            assert_eq!(told.len(), 1);
            assert_eq!(told[0]["messageId"], message["_id"]);
            assert_eq!(told[0]["readerId"], bob.id);
            time(&told[0]["readAt"]);
            receipts.extend(told);
        }
        let stored = alice.history(&bob, "").await;
        assert_eq!(stored[0]["isRead"], true);
        assert_eq!(stored[0]["readAt"], receipts[0]["readAt"]);
        assert_eq!(stored[0]["updatedAt"], stored[0]["readAt"]);
        bobs.expect_none("message_read_receipt").await;
    }

    async fn a_second_read_is_answered_and_not_told(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut alices, mut bobs) = (alice.connect("/").await, bob.connect("/").await);
        let message = send(&mut alices, &bob, "hello").await;
        bobs.done("message_read", &of(&message)).await;
        let first = bob.history(&alice, "").await[0]["readAt"].clone();
        bobs.done("message_read", &of(&message)).await;
        assert_eq!(bob.read_all(&alice).await, 0);
        assert_eq!(alices.all("message_read_receipt").await.len(), 1);
        assert_eq!(bob.history(&alice, "").await[0]["readAt"], first);
    }

    async fn many_reads_at_once_are_told_once(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut alices = alice.connect("/").await;
        let messages = send_many(&mut alices, &bob, 5).await;
        let reading = (0..4).map(async |number| {
            let mut socket = bob.connect("/").await;
            if number == 0 {
                bob.read_all(&alice).await;
            }
            for message in &messages {
                socket.done("message_read", &of(message)).await;
            }
        });
        futures_util::future::join_all(reading).await;
        let mut told: Vec<_> = alices.all("message_read_receipt").await;
        told.sort_by_key(|receipt| receipt["seq"].as_i64());
        let told: Vec<_> = told.iter().map(|receipt| &receipt["messageId"]).collect();
        let sent: Vec<_> = messages.iter().map(|message| &message["_id"]).collect();
        assert_eq!(told, sent);
    }

    async fn one_message_is_marked_and_no_other(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let messages = send_many(&mut alice.connect("/").await, &bob, 3).await;
        bob.connect("/").await.done("message_read", &of(&messages[1])).await;
        let read: Vec<_> = bob.history(&alice, "").await;
        let read: Vec<_> = read.iter().map(|message| message["isRead"] == true).collect();
        assert_eq!(read, [false, true, false]);
    }

    async fn only_the_receiver_reads(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut alices, mut carols) = (alice.connect("/").await, carol.connect("/").await);
        let message = send(&mut alices, &bob, "hello").await;
        alices.refused("message_read", &of(&message), "forbidden").await;
        carols.refused("message_read", &of(&message), "not_found").await;
        let unknown = json!({ "messageId": "0".repeat(24) });
        carols.refused("message_read", &unknown, "not_found").await;
        alices.expect_none("message_read_receipt").await;
        assert_eq!(bob.history(&alice, "").await[0]["isRead"], false);
        // The same when the server has not seen the message since it started.
        server.restart().await;
        carol.connect("/").await.refused("message_read", &of(&message), "not_found").await;
        bob.connect("/").await.done("message_read", &of(&message)).await;
    }

    async fn a_sender_that_is_named_must_agree_with_the_message(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut alices, mut bobs) = (alice.connect("/").await, bob.connect("/").await);
        let message = send(&mut alices, &bob, "hello").await;
        for wrong in [json!(carol.id), json!("alice"), json!({ "$ne": "" })] {
            let payload = json!({ "messageId": message["_id"], "senderId": wrong });
            let error = bobs.refused("message_read", &payload, "validation_failed").await;
            assert_eq!(fields(&error), ["senderId"]);
        }
        for payload in [json!({}), json!({ "messageId": 1 }), json!({ "messageId": "x" })] {
            let error = bobs.refused("message_read", &payload, "validation_failed").await;
            assert_eq!(fields(&error), ["messageId"]);
        }
        alices.expect_none("message_read_receipt").await;
    }

    async fn reading_all_marks_what_the_other_one_wrote(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let (mut alices, mut bobs) = (alice.connect("/").await, bob.connect("/").await);
        let mut carols = carol.connect("/").await;
        let messages = send_many(&mut alices, &bob, 3).await;
        send(&mut bobs, &alice, "mine").await;
        send(&mut carols, &bob, "of somebody else").await;
        assert_eq!(bob.read_all(&alice).await, 3);
        let told = alices.all("message_read_receipt").await;
        for (receipt, message) in told.iter().zip(&messages) {
            assert_eq!(receipt["messageId"], message["_id"]);
            assert_eq!(receipt["readerId"], bob.id);
        }
        assert_eq!(told.len(), 3);
        carols.expect_none("message_read_receipt").await;
        bobs.expect_none("message_read_receipt").await;
        assert_eq!(bob.read_all(&alice).await, 0);
        let history = alice.history(&bob, "").await;
        let read: Vec<_> = history.iter().map(|message| message["isRead"] == true).collect();
        assert_eq!(read, [true, true, true, false]);
    }

    async fn reading_all_needs_somebody(server) {
        let alice = server.register("alice").await;
        let nobody = format!("/api/messages/read/{}", "0".repeat(24));
        alice.put(&nobody).await.refused(404, "not_found");
        alice.put("/api/messages/read/bob").await.refused(400, "validation_failed");
    }

    async fn unread_messages_are_counted_by_conversation(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let count = async || bob.get("/api/messages/unread/count").await.data(200);
        assert_eq!(count().await, json!({ "unreadCount": 0, "byConversation": {} }));
        let mut bobs = bob.connect("/").await;
        let of_alice = send_many(&mut alice.connect("/").await, &bob, 3).await;
        let of_carol = send_many(&mut carol.connect("/").await, &bob, 2).await;
        send(&mut bobs, &alice, "one's own is not unread").await;
        let (with_alice, with_carol) = (&of_alice[0]["conversationId"], &of_carol[0]["conversationId"]);
        let both = json!({ with_alice.as_str().unwrap(): 3, with_carol.as_str().unwrap(): 2 });
        assert_eq!(count().await, json!({ "unreadCount": 5, "byConversation": both }));
        bobs.done("message_read", &of(&of_alice[2])).await;
        assert_eq!(count().await["unreadCount"], 4);
        bob.read_all(&alice).await;
        let rest = json!({ with_carol.as_str().unwrap(): 2 });
        assert_eq!(count().await, json!({ "unreadCount": 2, "byConversation": rest }));
        server.restart().await;
        assert_eq!(count().await["unreadCount"], 2);
    }

    async fn hundreds_of_receipts_at_once_reach_the_sender(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut alices = alice.connect("/").await;
        send_many(&mut alices, &bob, 450).await;
        assert_eq!(bob.read_all(&alice).await, 450);
        assert_eq!(alices.all("message_read_receipt").await.len(), 450);
    }
}
