//! The messages of a room by page: newest first, read with that.

use serde_json::Value;

use crate::chat::seqs;
use crate::support::rooms::at;

on_every_store! {
    async fn pages_stand_newest_first_and_are_counted(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        alice.enter("/", &room).await.say_many(&room, 45).await;
        let down = |from: i64, to: i64| (to..=from).rev().collect::<Vec<_>>();
        for (query, page, size, pages, expected) in [
            ("", 1, 20, 3, down(45, 26)),
            ("?page=1&pageSize=20", 1, 20, 3, down(45, 26)),
            ("?page=2", 2, 20, 3, down(25, 6)),
            ("?page=3", 3, 20, 3, down(5, 1)),
            ("?page=4", 4, 20, 3, vec![]),
            ("?page=1000000000", 1_000_000_000, 20, 3, vec![]),
            ("?pageSize=45", 1, 45, 1, down(45, 1)),
            ("?pageSize=44", 1, 44, 2, down(45, 2)),
            ("?pageSize=10&page=5", 5, 10, 5, down(5, 1)),
            ("?pageSize=1000", 1, 200, 1, down(45, 1)),
            ("?before=11", 1, 20, 3, down(10, 1)),
            ("?before=11&pageSize=3", 1, 3, 15, down(10, 8)),
            ("?before=1", 1, 20, 3, vec![]),
            ("?after=40", 1, 20, 3, down(45, 41)),
            ("?after=0&pageSize=3", 1, 3, 15, down(3, 1)),
            ("?after=45", 1, 20, 3, vec![]),
        ] {
            let data = bob.of_room(&room, &format!("/messages{query}")).await;
            assert_eq!(seqs(data["messages"].as_array().unwrap()), expected, "{query}");
            assert_eq!(data["page"], page, "{query}");
            assert_eq!(data["pageSize"], size, "{query}");
            assert_eq!(data["total"], 45, "{query}");
            assert_eq!(data["totalPages"], pages, "{query}");
        }
    }

    async fn an_empty_room_has_no_pages(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(false).await;
        let data = alice.of_room(&room, "/messages").await;
        assert_eq!(data["messages"].as_array().unwrap().len(), 0);
        assert_eq!((&data["total"], &data["totalPages"]), (&Value::from(0), &Value::from(0)));
    }

    async fn a_page_that_is_none_is_told(server) {
        let alice = server.register("alice").await;
        let room = alice.create_room(false).await;
        for (query, field) in [
            ("?page=0", "page"),
            ("?page=x", "page"),
            ("?page=-1", "page"),
            ("?pageSize=0", "pageSize"),
            ("?pageSize=many", "pageSize"),
            ("?before=x", "before"),
            ("?after=-1", "after"),
            ("?before=5&after=1", "before"),
        ] {
            let answer = alice.get(&at(&room, &format!("/messages{query}"))).await;
            assert_eq!(answer.wrong_fields(), [field], "{query}");
        }
    }

    async fn a_message_has_one_shape_everywhere(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut payload = crate::support::rooms::into(&room, "hello");
        payload["clientMsgId"] = Value::from("id-1");
        let sent = alices.done("send_message", &payload).await["message"].clone();
        assert_eq!(alices.hear(1).await, sent);
        let mut listed = bob.room_page(&room, "").await[0].clone();
        let receipts = listed.as_object_mut().unwrap().remove("receipts").unwrap();
        assert_eq!(listed, sent);
        assert_eq!(receipts["totalRecipients"], 1);
        let of_one = format!("/messages/{}/receipts", sent["id"].as_str().unwrap());
        assert_eq!(bob.of_room(&room, &of_one).await["message"], sent);
        let named = serde_json::json!({ "conversations": { &room: 0 } });
        let synced = bob.connect("/").await.done("sync", &named).await;
        assert_eq!(synced["messages"][0], sent);
        let inbox = bob.get("/api/conversations").await.data(200);
        assert_eq!(inbox["conversations"][0]["lastMessage"], sent);
    }

    async fn what_a_page_holds_is_read_and_nothing_else(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.enter("/", &room).await;
        let mut bobs = bob.connect("/rooms").await;
        alices.say_many(&room, 30).await;
        bob.room_page(&room, "?page=2&pageSize=10").await;
        assert_eq!(bob.unread_in(&room).await, 20);
        for socket in [&mut alices, &mut bobs] {
            let read = socket.expect("messages_read").await;
            assert_eq!(read["recipientId"], bob.id.as_str());
            assert_eq!(read["messageCount"], 10);
            assert_eq!(read["roomId"], room.as_str());
        }
        // Overlapping that: only what is new counts, and nothing is told twice.
        bob.room_page(&room, "?before=21&pageSize=15").await;
        assert_eq!(alices.expect("messages_read").await["messageCount"], 5);
        bob.room_page(&room, "?before=21&pageSize=15").await;
        assert_eq!(bob.unread_in(&room).await, 15);
        alice.room_page(&room, "").await;
        bob.room_page(&room, "?pageSize=30").await;
        assert_eq!(alices.expect("messages_read").await["messageCount"], 15);
        assert_eq!(bob.unread_in(&room).await, 0);
        alices.say(&room, "marker").await;
        alices.hear(31).await;
        alices.expect_none("messages_read").await;
    }

    async fn a_page_counts_who_has_read_each_message(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        let mut alices = alice.enter("/", &room).await;
        alices.say_many(&room, 4).await;
        bob.room_page(&room, "?after=1&pageSize=2").await;
        let mut carols = carol.enter("/", &room).await;
        carols.say(&room, "hello").await;
        let listed = alice.room_page(&room, "").await;
        let counts: Vec<_> = listed
            .iter()
            .map(|one| (one["receipts"]["totalRecipients"].clone(), one["receipts"]["readCount"].clone()))
            .map(|(total, read)| (total.as_i64().unwrap(), read.as_i64().unwrap()))
            .collect();
        // Newest first; the fifth is carol's, which alice reads by asking.
        assert_eq!(counts, [(2, 1), (2, 1), (2, 2), (2, 2), (2, 1)]);
    }
}
