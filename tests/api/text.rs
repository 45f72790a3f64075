//! What becomes of the text of a message (CONTRACT §1, §4, §10).

use serde_json::json;

use crate::chat::{send, to};
use crate::support::rest::fields;

on_every_store! {
    async fn text_that_is_no_markup_arrives_whole(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let whole = [
            "Tom & Jerry", "1 < 2", "x <= y", "<3", "a\tb\nc", "\"quoted\" 'too' &lt;b&gt;", "😀 ünï 日本",
            "a > b", "%00 \\u0000 ${x} {{y}}", "null", "100% _like_",
        ];
        for text in whole {
            assert_eq!(send(&mut socket, &bob, text).await["content"], text);
        }
        let stored = bob.history(&alice, "").await;
        let stored: Vec<_> = stored.iter().map(|message| message["content"].clone()).collect();
        assert_eq!(stored, whole);
    }

    async fn no_left_angle_bracket_can_start_a_tag(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut socket, mut receiving) = (alice.connect("/").await, bob.connect("/").await);
        for (typed, stored) in [
            ("<script>alert(1)</script>", "< script>alert(1)< /script>"),
            ("if a<b then", "if a< b then"),
            ("<img src=x onerror=alert(1)>", "< img src=x onerror=alert(1)>"),
            ("<!-- c --><?php", "< !-- c -->< ?php"),
            ("<\u{202E}b>", "< b>"),
            ("<\u{0}i>", "< i>"),
            ("<<b", "<< b"),
        ] {
            assert_eq!(send(&mut socket, &bob, typed).await["content"], stored);
            let received = receiving.expect("receive_message").await;
            assert_eq!(received["message"]["content"], stored);
        }
    }

    async fn text_is_trimmed_composed_and_free_of_controls(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        for (typed, stored) in [
            ("  spaces \n", "spaces"),
            ("Cafe\u{301}", "Caf\u{e9}"),
            ("a\u{7}b\u{0}c\u{1b}[31m\u{7f}d", "abc[31md"),
            ("\u{202A}x\u{202E}y\u{2066}z\u{2069}", "xyz"),
            ("\u{200D}👨\u{200D}👩", "\u{200D}👨\u{200D}👩"),
        ] {
            assert_eq!(send(&mut socket, &bob, typed).await["content"], stored, "{typed:?}");
        }
    }

    async fn a_message_has_1_to_5000_characters(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        for longest in ["a".repeat(5000), "😀".repeat(5000), format!("  {}\n", "é".repeat(5000))] {
            let stored = send(&mut socket, &bob, &longest).await["content"].clone();
            assert_eq!(stored, longest.trim());
        }
        // Spaces that are added are not counted.
        let tags = send(&mut socket, &bob, &"<b".repeat(2500)).await["content"].clone();
        assert_eq!(tags, "< b".repeat(2500));
        for wrong in ["", "   \n\t ", "\u{202E}\u{0}", &"a".repeat(5001), &"😀".repeat(5001)] {
            let error = socket.refused("send_message", &to(&bob, wrong), "validation_failed").await;
            assert_eq!(fields(&error), ["content"]);
        }
        assert_eq!(alice.history(&bob, "").await.len(), 4);
    }

    async fn a_text_of_nearly_a_megabyte_is_answered(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let large = to(&bob, &"x".repeat(990_000));
        let error = socket.refused("send_message", &large, "validation_failed").await;
        assert_eq!(fields(&error), ["content"]);
        socket.done("send_message", &json!({ "receiverId": bob.id, "content": "small" })).await;
    }
}
