//! `clientMsgId` in rooms (CONTRACT §5, §10).

use serde_json::{Value, json};

use crate::chat::seqs;
use crate::support::rooms::into;

fn once(room: &str, id: &str, content: &str) -> Value {
    let mut payload = into(room, content);
    payload["clientMsgId"] = json!(id);
    payload
}

on_every_store! {
    async fn a_repeat_stores_and_tells_one_message(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let (mut alices, mut bobs) = (alice.enter("/", &room).await, bob.enter("/", &room).await);
        let first = alices.done("send_message", &once(&room, "id-1", "hello")).await;
        assert_eq!(first["message"]["clientMsgId"], "id-1");
        let mut repeat = once(&room, "id-1", "hello");
        repeat["tempId"] = json!("second");
        let again = alices.done("send_message", &repeat).await;
        for field in ["id", "seq", "timestamp"] {
            assert_eq!(again["message"][field], first["message"][field]);
        }
        assert_eq!(alices.expect("message_sent").await["tempId"], "second");
        let elsewhere = alice.enter("/rooms", &room).await.done("send_message", &repeat).await;
        assert_eq!(elsewhere["message"]["id"], first["message"]["id"]);
        server.restart().await;
        let mut after = alice.enter("/", &room).await;
        let fourth = after.done("send_message", &once(&room, "id-1", "hello")).await;
        assert_eq!(fourth["message"]["id"], first["message"]["id"]);
        assert_eq!(after.say(&room, "next").await["seq"], 2);
        assert_eq!(bobs.hear(1).await["clientMsgId"], "id-1");
        bobs.expect_gone().await;
        assert!(!bobs.has(|packet| matches!(
            packet,
            crate::support::transport::Packet::Event { name, .. } if name == "receive_message"
        ).then_some(())));
    }

    async fn many_repeats_at_once_are_one_message(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut bobs = bob.enter("/", &room).await;
        let sending = (0..6).map(async |_| {
            let mut socket = alice.enter("/", &room).await;
            let payload = once(&room, "id-1", "hello");
            let asked: Vec<_> = (0..4).map(|_| socket.ask("send_message", &payload)).collect();
            let mut ids = Vec::new();
            for id in asked {
                ids.push(socket.ack(id).await["message"]["id"].clone());
            }
            ids
        });
        let ids = futures_util::future::join_all(sending).await.concat();
        assert!(ids.iter().all(|id| id == &ids[0] && id.is_string()), "{ids:?}");
        bobs.say(&room, "marker").await;
        bobs.hear(2).await;
        assert_eq!(seqs(&bobs.all("receive_message").await), [1]);
    }

    async fn other_content_or_another_addressee_is_a_conflict(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let other = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.enter(&other).await;
        let first = alices.done("send_message", &once(&room, "id-1", "hello")).await;
        alices.denied("send_message", &once(&room, "id-1", "other"), "conflict").await;
        alices.denied("send_message", &once(&other, "id-1", "hello"), "conflict").await;
        let direct = json!({ "receiverId": bob.id, "content": "hello", "clientMsgId": "id-1" });
        alices.refused("send_message", &direct, "conflict").await;
        let direct = json!({ "receiverId": bob.id, "content": "hello", "clientMsgId": "id-2" });
        alices.done("send_message", &direct).await;
        alices.denied("send_message", &once(&room, "id-2", "hello"), "conflict").await;
        let again = alices.done("send_message", &once(&room, "id-1", " hello ")).await;
        assert_eq!(again["message"]["id"], first["message"]["id"]);
        assert_eq!(bob.room_page(&room, "").await.len(), 1);
        assert!(bob.room_page(&other, "").await.is_empty());
        assert_eq!(bob.history(&alice, "").await.len(), 1);
    }

    async fn the_ids_of_two_senders_are_their_own(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let first = alices.done("send_message", &once(&room, "id-1", "a")).await;
        let second =
            bob.enter("/", &room).await.done("send_message", &once(&room, "id-1", "b")).await;
        assert_ne!(first["message"]["id"], second["message"]["id"]);
        assert_eq!(second["message"]["seq"], 2);
    }
}
