//! `MESSAGE_RETENTION`: old texts go, their places stay.

use std::time::Duration;

use serde_json::json;
use waggle::clock::Clock;

use super::texts;
use crate::chat::{send, seqs, to};
use crate::support::rest::PATIENCE;
use crate::support::time;

on_every_store! {
    async fn a_text_that_is_too_old_is_deleted_and_leaves_no_hole(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let room = server.room_of([&alice, &bob]).await;
        let mut alices = alice.connect("/").await;
        alices.enter(&room).await;
        let mut once = to(&bob, "old");
        once["clientMsgId"] = json!("an old key");
        let first = alices.done("send_message", &once).await["message"].clone();
        for _ in 0..2 {
            send(&mut alices, &bob, "old").await;
            alices.say(&room, "old").await;
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        let new = send(&mut alices, &bob, "new").await;
        alices.say(&room, "new").await;
        drop(alices);
        server.stop().await;
        // Between the old ones and the new ones, however long all that took.
        let age = Clock::system().now().since(time(&new["createdAt"])).as_millis();
        server.start_with(&[("MESSAGE_RETENTION", &format!("{}ms", age + 3000))]).await;
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let history = bob.history(&alice, "").await;
            assert_eq!(seqs(&history), [1, 2, 3, 4]);
            let newest = bob.history(&alice, "?limit=1").await;
            if texts(&history) == ["[deleted]", "[deleted]", "[deleted]", "new"] {
                assert_eq!(newest[0]["content"], "new");
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{history:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let unread = bob.get("/api/messages/unread/count").await.data(200);
        assert_eq!(unread["unreadCount"], 7, "{unread}");
        let page = bob.room_page(&room, "").await;
        assert_eq!(texts(&page), ["new", "[deleted]", "[deleted]"]);
        let document = super::exporting::exported(&bob).await.to_string();
        assert!(document.contains(r#""content":"[deleted]""#), "{document}");
        assert!(document.contains(r#""isDeleted":true"#), "{document}");
        // A repeat of a send that is as old finds its message.
        let mut alices = alice.connect("/").await;
        let again = alices.done("send_message", &once).await["message"].clone();
        assert_eq!((&again["_id"], &again["seq"]), (&first["_id"], &first["seq"]));
        assert_eq!(bob.history(&alice, "").await.len(), 4);
        let metrics = server.get("/metrics").await.body.to_string();
        assert!(metrics.contains("waggle_message_texts_expired_total"), "{metrics}");
    }
}
