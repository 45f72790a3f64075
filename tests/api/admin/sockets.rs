//! Connected sockets, as admins see and end them.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::rest::PATIENCE;
use crate::support::{Answer, Person, Server, is_id, time};

fn id(socket: &Value) -> &str {
    let id = socket["id"].as_str().unwrap();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{socket}");
    id
}

/// The namespaces of sockets, sorted.
fn namespaces(sockets: &[Value]) -> Vec<&str> {
    let mut names: Vec<_> = sockets.iter().map(|one| one["namespace"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

/// The only socket that a query finds.
async fn only(admin: &Person, query: &str) -> Value {
    let sockets = admin.sockets(query).await;
    let [socket] = &sockets[..] else { panic!("{query}: {sockets:?}") };
    socket.clone()
}

/// A list of sockets to none of which anything waits to be sent: who came is told to all a moment later.
async fn idle(admin: &Person, path: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let data = admin.get(path).await.data(200);
        if data["sockets"].as_array().unwrap().iter().all(|socket| socket["queued"] == 0) {
            return data;
        }
        assert!(Instant::now() < deadline, "{data}");
    }
}

async fn ask(server: &Server, url: &str, token: &str) -> Answer {
    Answer::of(server.http().get(url).bearer_auth(token)).await
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn sockets_of_every_door_are_listed_without_what_gives_access(server) {
        let (dan, admin) = (server.driver("dan").await, server.admin().await);
        let _sockets = [dan.connect("/").await, dan.connect("/chat").await];
        let _raws = [dan.drive().await, dan.watcher().await, admin.watch_fleet().await];
        let data = idle(&admin, "/api/admin/sockets").await;
        assert_eq!((&data["count"], &data["total"]), (&json!(5), &json!(5)));
        let sockets = data["sockets"].as_array().unwrap();
        let all = ["/", "/chat", "ws:admin", "ws:driver", "ws:location"];
        assert_eq!(namespaces(sockets), all);
        let ids: BTreeSet<_> = sockets.iter().map(id).collect();
        assert_eq!(ids.len(), 5);
        for socket in sockets {
            let raw = socket["namespace"].as_str().unwrap().starts_with("ws:");
            assert_eq!(socket["door"], if raw { "websocket" } else { "socket.io" });
            let whose = if socket["namespace"] == "ws:admin" { &admin } else { &dan };
            let user = &socket["user"];
            assert!(is_id(&user["_id"]) && user["_id"] == whose.id.as_str(), "{socket}");
            assert_eq!(user["username"], whose.username.as_str());
            assert_eq!(user["role"], if whose.username == "dan" { "driver" } else { "admin" });
            assert_eq!(socket["address"], "127.0.0.1");
            time(&socket["connectedAt"]);
            // Seed 000's socket has no end.
            assert_eq!(socket["expiresAt"].is_null(), socket["namespace"] == "ws:location");
            let mut fields: Vec<_> = socket.as_object().unwrap().keys().map(String::as_str).collect();
            fields.retain(|field| *field != "expiresAt");
            let known =
                ["address", "connectedAt", "door", "id", "namespace", "queued", "rooms", "user"];
            assert_eq!(fields, known);
        }
        let text = data.to_string();
        for secret in [&dan.claims()["sid"], &admin.claims()["sid"], &dan.claims()["jti"]] {
            assert!(!text.contains(secret.as_str().unwrap()), "{secret} in {text}");
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn the_list_comes_in_pages_that_hold_each_socket_once(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        let mut sockets = Vec::new();
        for _ in 0..5 {
            sockets.push(alice.connect("/chat").await);
        }
        let (mut seen, mut cursor, mut sizes) = (BTreeSet::new(), String::new(), Vec::new());
        loop {
            let page = admin.get(&format!("/api/admin/sockets?limit=2{cursor}")).await.data(200);
            let rows = page["sockets"].as_array().unwrap();
            sizes.push(rows.len());
            assert_eq!(page["count"], 5);
            seen.extend(rows.iter().map(|row| id(row).to_owned()));
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((seen.len(), sizes), (5, vec![2, 2, 1]));
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn the_list_can_be_narrowed(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (dan, admin) = (server.driver("dan").await, server.admin().await);
        alice.patch("/api/auth/me", &json!({ "name": "Queen Bee" })).await.data(200);
        let _sockets =
            [alice.connect("/chat").await, bob.connect("/chat").await, bob.connect("/").await];
        let _raw = dan.drive().await;
        for (query, expected) in [
            ("?search=BO", vec!["/", "/chat"]),
            ("?search=queen", vec!["/chat"]),
            ("?search=nobody", vec![]),
            ("?namespace=/chat", vec!["/chat", "/chat"]),
            ("?role=driver", vec!["ws:driver"]),
            ("?role=driver&namespace=/chat", vec![]),
            ("?search=bob&namespace=/&address=127.0.0.1", vec!["/"]),
            ("?address=192.0.2.7", vec![]),
            ("?search=&namespace=&role=&address=", vec!["/", "/chat", "/chat", "ws:driver"]),
        ] {
            assert_eq!(namespaces(&admin.sockets(query).await), expected, "{query}");
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn one_socket_is_shown_with_its_rooms(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let admin = server.admin().await;
        let room = server.room_of([&alice, &bob]).await;
        let _socket = alice.enter("/rooms", &room).await;
        let listed = only(&admin, "?search=alice").await;
        assert_eq!(listed["rooms"], 1);
        let one = admin.get(&format!("/api/admin/sockets/{}", id(&listed))).await.data(200);
        assert_eq!(one["roomIds"], json!([room]));
        assert_eq!(one["socket"], listed);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_socket_that_is_ended_is_gone_and_its_user_may_come_back(server) {
        let (dan, admin) = (server.driver("dan").await, server.admin().await);
        let (mut chat, mut root) = (dan.connect("/chat").await, dan.connect("/").await);
        let mut raw = dan.drive().await;
        let end = async |query: &str| {
            let path = format!("/api/admin/sockets/{}", id(&only(&admin, query).await));
            assert_eq!(admin.delete(&path).await.data(200)["disconnected"], 1);
            admin.delete(&path).await.refused(404, "not_found");
            admin.get(&path).await.refused(404, "not_found");
        };
        end("?namespace=/chat").await;
        chat.expect_end().await;
        end("?namespace=ws:driver").await;
        assert_eq!(raw.closed().await, Some(1008));
        root.round_trip().await;
        assert_eq!(namespaces(&admin.sockets("").await), ["/"]);
        dan.connect("/chat").await.round_trip().await;
        dan.drive().await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn all_sockets_of_a_user_are_ended_together(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (other, admin) = (server.log_in("alice").await, server.admin().await);
        let mut ended = [alice.connect("/").await, other.connect("/chat").await];
        let mut watcher = alice.watcher().await;
        let mut staying = bob.connect("/").await;
        let path = |id: &str| format!("/api/admin/users/{id}/sockets");
        assert_eq!(admin.delete(&path(&alice.id)).await.data(200)["disconnected"], 3);
        for socket in &mut ended {
            socket.expect_end().await;
        }
        assert_eq!(watcher.closed().await, Some(1008));
        staying.round_trip().await;
        assert_eq!(admin.delete(&path(&alice.id)).await.data(200)["disconnected"], 0);
        admin.delete(&path(&"0".repeat(24))).await.refused(404, "not_found");
        alice.connect("/").await.round_trip().await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn debug_sockets_is_the_same_list_for_admins_alone(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        let _socket = alice.connect("/").await;
        let listed = idle(&admin, "/api/admin/sockets?limit=1").await;
        assert_eq!(idle(&admin, "/debug/sockets?limit=1").await, listed);
        alice.get("/debug/sockets").await.refused(403, "forbidden");
        server.get("/debug/sockets").await.refused(401, "unauthenticated");
        admin.until(-1).get("/debug/sockets").await.refused(401, "token_expired");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123", OPERATIONS_PORT = "0")]
    async fn debug_sockets_is_where_the_metrics_are_and_asks_for_a_token_there_too(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        let _socket = alice.connect("/").await;
        let url = format!("http://{}/debug/sockets", server.operations_address().await.unwrap());
        assert_eq!(ask(server, &url, &admin.token).await.data(200)["count"], 1);
        ask(server, &url, &alice.token).await.refused(403, "forbidden");
        Answer::of(server.http().get(&url)).await.refused(401, "unauthenticated");
        admin.get("/debug/sockets").await.refused(404, "not_found");
        assert_eq!(admin.sockets("").await.len(), 1);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn bad_requests_are_told(server) {
        let admin = server.admin().await;
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=x", "limit"),
            ("cursor=%25", "cursor"),
            ("cursor=YWxpY2U", "cursor"),
            ("role=king", "role"),
            ("address=somewhere", "address"),
            ("role=user&role=driver", "query"),
        ] {
            let answer = admin.get(&format!("/api/admin/sockets?{query}")).await;
            assert_eq!(answer.wrong_fields(), [field], "{query}");
        }
        for id in ["1", "zzzzzzzzzzzzzzzz", "+123456789abcdef", "%00"] {
            let path = format!("/api/admin/sockets/{id}");
            assert_eq!(admin.get(&path).await.wrong_fields(), ["id"], "{id}");
            assert_eq!(admin.delete(&path).await.wrong_fields(), ["id"], "{id}");
        }
        admin.delete("/api/admin/sockets/0000000000000000").await.refused(404, "not_found");
    }
}
