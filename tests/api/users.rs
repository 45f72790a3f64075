//! The directory: `GET /api/auth/users` (CONTRACT §2).

use futures_util::{StreamExt, stream};
use serde_json::Value;

use crate::support::{Person, is_id, time};

fn names(page: &Value) -> Vec<String> {
    let users = page["users"].as_array().unwrap();
    users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

async fn list(caller: &Person, query: &str) -> Value {
    caller.get(&format!("/api/auth/users{query}")).await.data(200)
}

on_every_store! {
    async fn the_directory_lists_everybody_but_the_caller_by_name(server) {
        let [bob, _, carol, _] = server.people(["bob", "Alice", "carol", "Dave"]).await;
        let page = list(&bob, "").await;
        assert_eq!(names(&page), ["Alice", "carol", "Dave"]);
        assert!(page.get("nextCursor").is_none());
        let user = &page["users"][1];
        assert!(is_id(&user["_id"]));
        assert_eq!(user["email"], carol.email);
        assert_eq!(user["role"], "user");
        assert_eq!(user["isOnline"], false);
        time(&user["lastSeen"]);
        let _socket = carol.connect("/").await;
        assert_eq!(list(&bob, "").await["users"][1]["isOnline"], true);
    }

    async fn a_search_finds_parts_of_names_without_regard_to_case(server) {
        let [alice, bob, _] = server.people(["alice", "bob", "Bobby.T"]).await;
        bob.patch("/api/auth/me", &serde_json::json!({ "name": "Robert Ford" })).await.data(200);
        assert_eq!(names(&list(&alice, "?search=BOB").await), ["bob", "Bobby.T"]);
        assert_eq!(names(&list(&alice, "?search=ford").await), ["bob"]);
        assert_eq!(names(&list(&alice, "?search=nobody").await), Vec::<String>::new());
        assert_eq!(names(&list(&alice, "?search=alice").await), Vec::<String>::new());
        // What a pattern would take for a wildcard is a plain character.
        for plain in ["%25", "_", ".*", "%5B", "b.b", "%5C"] {
            let found = names(&list(&alice, &format!("?search={plain}")).await);
            assert_eq!(found, Vec::<String>::new(), "{plain}");
        }
        assert_eq!(names(&list(&alice, "?search=.t").await), ["Bobby.T"]);
    }

    async fn pages_follow_each_other_without_gap_or_repeat(server) {
        let people = ["u1", "u2", "u3", "u4", "u5", "u6", "u7"].map(|name| format!("{name}x"));
        for name in &people {
            server.register(name).await;
        }
        let caller = server.log_in("u4x").await;
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = list(&caller, &format!("?limit=2{cursor}")).await;
            assert!(names(&page).len() <= 2);
            seen.extend(names(&page));
            match page.get("nextCursor") {
                Some(next) => cursor = format!("&cursor={}", next.as_str().unwrap()),
                None => break,
            }
        }
        assert_eq!(seen, ["u1x", "u2x", "u3x", "u5x", "u6x", "u7x"]);
    }

    async fn a_limit_or_cursor_that_is_none_is_told(server) {
        let alice = server.register("alice").await;
        for (query, field) in [
            ("?limit=0", "limit"),
            ("?limit=-1", "limit"),
            ("?limit=many", "limit"),
            ("?cursor=%25%25", "cursor"),
        ] {
            let answer = alice.get(&format!("/api/auth/users{query}")).await;
            assert_eq!(answer.wrong_fields(), [field], "{query}");
        }
    }

    async fn a_thousand_come_without_asking_and_a_cursor_beyond(server) {
        let registering = stream::iter(0..1001).map(async |number| {
            server.register(&format!("user{number:04}")).await;
        });
        registering.buffer_unordered(24).collect::<()>().await;
        let caller = server.log_in("user0000").await;
        let page = list(&caller, "").await;
        assert_eq!(names(&page).len(), 1000);
        assert!(page.get("nextCursor").is_none(), "the caller is no one of the others");
        server.register("user1001").await;
        let page = list(&caller, "").await;
        assert_eq!(names(&page).len(), 1000);
        assert_eq!(names(&list(&caller, "?limit=5000").await).len(), 1000);
        let rest = format!("?cursor={}", page["nextCursor"].as_str().unwrap());
        assert_eq!(names(&list(&caller, &rest).await), ["user1001"]);
    }
}
