//! Who may do what: every route and event for its owner, for others, for strangers and for those
//! whose session has ended (CONTRACT §1, §2, §10).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::chat::{send, to};
use crate::support::{Answer, Person, Server, Socket};

/// Every route that needs a token; `{peer}` is somebody else.
const ROUTES: [(&str, &str); 9] = [
    ("GET", "/api/auth/me"),
    ("PATCH", "/api/auth/me"),
    ("GET", "/api/auth/users"),
    ("GET", "/api/messages/{peer}"),
    ("PUT", "/api/messages/read/{peer}"),
    ("GET", "/api/messages/unread/count"),
    ("GET", "/api/conversations"),
    ("GET", "/auth/me"),
    ("POST", "/api/auth/logout"),
];

async fn call(server: &Server, route: (&str, &str), peer: &Person, token: Option<&str>) -> Answer {
    let (method, path) = route;
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = server.request(method, &path.replace("{peer}", &peer.id)).json(&json!({}));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Answer::of(request).await
}

on_every_store! {
    async fn every_route_is_open_to_whoever_is_logged_in(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        for route in ROUTES {
            call(server, route, &bob, Some(&alice.token)).await.data(200);
        }
    }

    async fn no_route_is_open_without_a_token_that_holds(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let ended = server.log_in("alice").await;
        ended.post("/api/auth/logout", &json!({})).await.data(200);
        let expired = alice.until(-1);
        for route in ROUTES {
            for token in [None, Some("garbage"), Some(""), Some(ended.token.as_str())] {
                let answer = call(server, route, &bob, token).await;
                answer.refused(401, "unauthenticated");
            }
            let answer = call(server, route, &bob, Some(&expired.token)).await;
            answer.refused(401, "token_expired");
        }
        alice.get("/api/auth/me").await.data(200);
    }

    async fn no_namespace_is_open_to_an_ended_session(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        socket.expect_end().await;
        for namespace in ["/", "/chat", "/presence"] {
            let auth = json!({ "token": alice.token });
            let refused = Socket::try_connect(server, namespace, &auth).await;
            assert_eq!(refused.err().as_deref(), Some("Authentication error: invalid token"));
        }
    }

    async fn an_ended_socket_can_do_nothing_more(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let mut bobs = bob.connect("/").await;
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        socket.expect_end().await;
        socket.emit("send_message", &to(&bob, "from beyond"));
        socket.emit("typing_start", &json!({ "receiverId": bob.id }));
        bobs.expect_none("receive_message").await;
        bobs.expect_none("user_typing").await;
        assert!(bob.history(&alice, "").await.is_empty());
    }

    async fn what_waits_when_a_session_ends_is_not_done(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        for number in 0..800 {
            socket.emit("send_message", &to(&bob, &number.to_string()));
        }
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        let unread = async || {
            let count = bob.get("/api/messages/unread/count").await.data(200);
            count["unreadCount"].as_u64().unwrap()
        };
        let done = unread().await;
        socket.expect_end().await;
        // One may have been under way.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(unread().await <= done + 1 && done < 800, "{done}");
    }

    async fn a_stranger_learns_nothing_of_a_conversation(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let mut carols = [carol.connect("/").await, carol.connect("/chat").await];
        let mut socket = alice.connect("/").await;
        let message = send(&mut socket, &bob, "between us").await;
        socket.done("typing_start", &json!({ "receiverId": bob.id })).await;
        let read = json!({ "messageId": message["_id"] });
        bob.connect("/").await.done("message_read", &read).await;
        let id = message["conversationId"].as_str().unwrap();
        for stranger in &mut carols {
            for event in ["receive_message", "message_sent", "user_typing", "message_read_receipt"] {
                stranger.expect_none(event).await;
            }
            stranger.refused("message_read", &read, "not_found").await;
            let named = json!({ "conversations": { id: 0 } });
            assert_eq!(stranger.done("sync", &named).await["messages"], json!([]));
        }
        let inbox = carol.get("/api/conversations").await.data(200);
        assert_eq!(inbox["conversations"], json!([]));
        for other in [&alice, &bob] {
            assert_eq!(carol.history(other, "").await, Vec::<Value>::new());
            assert_eq!(carol.read_all(other).await, 0);
        }
        let count = carol.get("/api/messages/unread/count").await.data(200);
        assert_eq!(count["unreadCount"], 0);
    }

    async fn nobody_can_speak_for_another(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let mut payload = to(&bob, "who am I?");
        for field in ["senderId", "sender", "userId", "from"] {
            payload[field] = json!(carol.id);
        }
        let mut socket = alice.connect("/").await;
        let ack = socket.done("send_message", &payload).await;
        assert_eq!(ack["message"]["sender"]["_id"], alice.id);
        let typing = json!({ "receiverId": bob.id, "userId": carol.id });
        let mut bobs = bob.connect("/").await;
        socket.done("typing_start", &typing).await;
        assert_eq!(bobs.expect("user_typing").await["userId"], alice.id);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "the first password")]
    async fn an_admin_reads_no_messages_of_others(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let message = send(&mut alice.connect("/").await, &bob, "private").await;
        let body = json!({ "email": "root@example.com", "password": "the first password" });
        let admin = server.post("/api/auth/login", &body).await.data(200);
        let admin = Person::of(server, &admin);
        assert!(admin.history(&alice, "").await.is_empty());
        let mut socket = admin.connect("/").await;
        let read = json!({ "messageId": message["_id"] });
        socket.refused("message_read", &read, "not_found").await;
    }
}
