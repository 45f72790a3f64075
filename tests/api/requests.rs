//! REST in general: sizes, types, unknown routes, request ids (CONTRACT §1, §10).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::rest::fields;
use crate::support::{Answer, Server};

async fn log_in(server: &Server, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = server.request(Method::POST, "/api/auth/login");
    Answer::of(request.header("content-type", content_type).body(body)).await
}

on_every_store! {
    async fn an_error_carries_the_id_of_its_request(server) {
        let answer = server.get("/api/auth/me").await;
        answer.refused(401, "unauthenticated");
        assert_eq!(answer.body["requestId"], answer.header("x-request-id"));
        let other = server.get("/api/auth/me").await;
        assert_ne!(other.body["requestId"], answer.body["requestId"]);
        let own = server.request(Method::GET, "/api/auth/me").header("x-request-id", "mine-1");
        assert_eq!(Answer::of(own).await.body["requestId"], "mine-1");
        for bad in ["<script>", &"x".repeat(65), "a b"] {
            let bad = server.request(Method::GET, "/api/auth/me").header("x-request-id", bad);
            let id = Answer::of(bad).await.body["requestId"].clone();
            assert!(id.as_str().unwrap().chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
        }
        let alice = server.register("alice").await;
        assert!(!alice.get("/api/auth/me").await.header("x-request-id").is_empty());
    }

    async fn a_body_over_a_megabyte_is_too_large(server) {
        let size = 1024 * 1024;
        let body = |size: usize| {
            let empty = json!({ "username": "", "password": "p" }).to_string().len();
            json!({ "username": "x".repeat(size - empty), "password": "p" }).to_string()
        };
        let largest = log_in(server, "application/json", body(size)).await;
        largest.refused(401, "unauthenticated");
        let larger = log_in(server, "application/json", body(size + 1)).await;
        larger.refused(413, "payload_too_large");
    }

    async fn a_body_that_is_no_json_is_told_apart(server) {
        for text in ["{", "", "not json", "{\"username\":\"x\",}", "{}{}", "[1,2"] {
            log_in(server, "application/json", text).await.refused(400, "malformed");
        }
        let broken = b"{\"username\":\"\xff\xfe\",\"password\":\"p\"}".to_vec();
        log_in(server, "application/json", broken).await.refused(400, "malformed");
        let in_order = r#"["alice@example.com", "alice", "password123"]"#;
        for wrong in ["[]", "7", "null", "\"text\"", in_order] {
            log_in(server, "application/json", wrong).await.refused(400, "validation_failed");
        }
        let deep = format!("{{\"username\":{}", "[".repeat(10_000));
        assert_eq!(log_in(server, "application/json", deep).await.status, 400);
    }

    async fn a_body_must_claim_to_be_json(server) {
        let body = json!({ "username": "alice", "password": "password123" }).to_string();
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"] {
            let answer = log_in(server, kind, body.clone()).await;
            answer.refused(415, "unsupported_media_type");
        }
        for kind in ["application/json; charset=utf-8", "Application/JSON", "application/x+json"] {
            log_in(server, kind, body.clone()).await.refused(401, "unauthenticated");
        }
        let none = server.request(Method::POST, "/api/auth/login").body(body);
        Answer::of(none).await.refused(415, "unsupported_media_type");
    }

    async fn what_does_not_exist_is_not_found_in_the_same_dialect(server) {
        let alice = server.register("alice").await;
        for path in ["/api", "/api/nothing", "/api/auth/nothing", "/api/messages", "/nothing", "/api/users"] {
            alice.get(path).await.refused(404, "not_found");
        }
        let delete = Answer::of(alice.request(Method::DELETE, "/api/auth/me")).await;
        delete.refused(404, "not_found");
        let get = alice.get("/api/auth/login").await;
        get.refused(404, "not_found");
    }

    async fn unknown_fields_of_a_body_are_ignored(server) {
        let body = json!({
            "username": "alice", "email": "alice@example.com", "password": "password123",
            "isAdmin": true, "_id": "0".repeat(24), "createdAt": "2000-01-01T00:00:00.000Z",
        });
        let data = server.post("/api/auth/register", &body).await.data(201);
        assert_ne!(data["user"]["_id"], "0".repeat(24));
        assert_ne!(data["user"]["createdAt"], body["createdAt"]);
        assert_eq!(data["user"].get("isAdmin"), None::<&Value>);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn every_parameter_that_is_wrong_is_named(server) {
        let (admin, dan) = (server.admin().await, server.driver("dan").await);
        let room = dan.create_room(false).await;
        let of_dan = format!("/api/messages/{}", dan.id);
        let in_room = crate::support::rooms::at(&room, "/messages");
        let placed = admin.place(&crate::support::orders::tea()).await;
        let track = crate::support::orders::at(&placed, "/track");
        for (path, names) in [
            (&*of_dan, &["limit", "skip", "before", "after"][..]),
            ("/api/conversations", &["limit", "cursor"]),
            ("/api/auth/users", &["cursor", "limit"]),
            (&in_room, &["page", "pageSize", "before", "after"]),
            ("/api/orders", &["status", "limit", "cursor"]),
            (&track, &["after", "limit"]),
            ("/api/drivers/nearby", &["lat", "lng", "radius"]),
            ("/api/admin/sockets", &["role", "address", "cursor", "limit"]),
            ("/api/admin/bans", &["cursor", "limit"]),
            ("/api/v1/orders", &["status", "before", "limit"]),
            ("/api/v1/drivers", &["after", "limit"]),
            ("/api/v1/drivers/dan/trail", &["after", "limit"]),
            ("/api/v1/earnings/history", &["tz", "from", "to", "limit"]),
        ] {
            let query: Vec<_> = names.iter().map(|name| format!("{name}=wr!ong")).collect();
            let who = if path.contains("earnings") || path == in_room { &dan } else { &admin };
            let answer = who.get(&format!("{path}?{}", query.join("&"))).await;
            let error = if path.starts_with("/api/v1") {
                answer.refused_v1(400, "validation_failed")
            } else {
                answer.refused(400, "validation_failed")
            };
            assert_eq!(fields(&error), names, "{path}");
        }
    }

    async fn answers_are_not_guessed_at_by_browsers(server) {
        let answer = server.get("/api/auth/me").await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}
