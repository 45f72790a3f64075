//! The headers that every kind of answer has: browsers do not guess what it is, and do not tell
//! others from which address, with which token, somebody came.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};

use crate::support::Server;
use crate::support::wire::UPGRADE;

#[track_caller]
fn assert_safe(headers: &HeaderMap, about: &str) {
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")]
    {
        let all: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(all, [value], "{name} of {about}");
    }
}

/// Sends a request and shows that its answer has this status, and the headers.
async fn check(request: RequestBuilder, status: u16, about: &str) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), status, "{about}");
    assert_safe(answer.headers(), about);
}

fn upgrade(server: &Server, path: &str) -> RequestBuilder {
    let request = server.request(Method::GET, path);
    UPGRADE.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

on_every_store! {
    #[set(CORS_ORIGIN = "https://app.example.com", RATE_LIMITS = "on", RATE_LIMIT_LOGINS = "2/1m")]
    async fn every_kind_of_answer_keeps_browsers_from_guessing_and_telling(server) {
        let get = |path: &str| server.request(Method::GET, path);
        for (path, status) in [
            // Pages, documents, files.
            ("/", 200),
            ("/?token=secret", 200),
            ("/docs/", 200),
            ("/docs", 200),
            ("/docs/openapi.json", 200),
            ("/docs/asyncapi.json", 200),
            ("/socket.io/socket.io.js", 200),
            // For those who run the server.
            ("/health", 200),
            ("/health/live", 200),
            ("/health/ready", 200),
            ("/metrics", 200),
            // Failures in every dialect, and where there is nothing.
            ("/api/auth/me?token=garbage", 401),
            ("/api/v1/driver/profile", 401),
            ("/nothing", 404),
            ("/login", 404),
            // Engine.IO.
            ("/socket.io/?EIO=4&transport=polling", 200),
            ("/socket.io/?EIO=4&transport=polling&sid=none", 400),
            ("/socket.io/?EIO=9&transport=polling", 400),
        ] {
            check(get(path), status, path).await;
        }
        let alice = server.register("alice").await;
        check(alice.request(Method::GET, "/api/auth/me"), 200, "an answer").await;
        check(alice.request(Method::PATCH, "/api/auth/me").body("{"), 415, "no JSON").await;
        let large = "x".repeat(1_100_000);
        let large = alice.request(Method::PATCH, "/api/auth/me").body(large);
        check(large.header("content-type", "application/json"), 413, "a large body").await;
        let login = serde_json::json!({ "username": "alice", "password": "wrong password" });
        for status in [401, 401, 429] {
            let request = server.request(Method::POST, "/login").json(&login);
            check(request, status, "a login").await;
        }
        let preflight = server.request(Method::OPTIONS, "/api/auth/me");
        let preflight = preflight.header("access-control-request-method", "PATCH");
        check(preflight.header("origin", "https://app.example.com"), 200, "a preflight").await;
        let socket_io = "/socket.io/?EIO=4&transport=websocket";
        for path in [socket_io, "/api/v1/ws/admin?token=secret", "/"] {
            check(upgrade(server, path), 101, path).await;
            let evil = upgrade(server, path).header("origin", "https://evil.example");
            check(evil, 403, path).await;
        }
    }
}
