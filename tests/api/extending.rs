//! A socket and its token: warned, ended, or extended (CONTRACT §2).
//!
//! Tokens that end in a few seconds are made by hand, so that nothing has to be waited for but
//! the event itself.

use serde_json::json;

use crate::support::access::now;
use crate::support::{Person, Server, Socket, time};

/// Seconds in which a token ends: time for all that is to be done before.
const SOON: i64 = 5;

/// A socket of somebody else whose end shows that a token has ended that was made before.
async fn witness(server: &Server) -> Socket {
    server.register("witness").await.until(SOON).connect("/presence").await
}

on_every_store! {
    async fn a_socket_is_told_at_connect_when_its_token_ends_within_a_minute(server) {
        let alice = server.register("alice").await;
        let end = now() + 55;
        let mut socket = Person { token: alice.forge("exp", end), ..alice }.connect("/").await;
        let told = socket.all("token_expiring").await;
        assert_eq!(told.len(), 1);
        assert_eq!(time(&told[0]["expiresAt"]).millis(), end * 1000);
    }

    async fn a_socket_is_told_a_minute_before_its_token_ends_and_not_earlier(server) {
        let alice = server.register("alice").await;
        let end = now() + 62;
        let mut socket = Person { token: alice.forge("exp", end), ..alice }.connect("/chat").await;
        let told = socket.expect("token_expiring").await;
        assert_eq!(time(&told["expiresAt"]).millis(), end * 1000);
        assert!(now() >= end - 60, "not earlier than a minute before");
        assert!(now() <= end - 58, "and not much later");
    }

    async fn a_socket_ends_with_its_token_in_every_namespace(server) {
        let alice = server.register("alice").await;
        let end = now() + SOON;
        let short = Person { token: alice.forge("exp", end), ..alice.clone() };
        let mut sockets = Vec::new();
        for namespace in ["/", "/chat", "/presence"] {
            sockets.push(short.connect(namespace).await);
        }
        let mut staying = alice.connect("/").await;
        for socket in &mut sockets {
            socket.expect("token_expiring").await;
            let told = socket.expect("token_expired").await;
            assert!(now() >= end, "not before its time");
            assert_eq!(time(&told["expiresAt"]).millis(), end * 1000);
            socket.expect_end().await;
        }
        staying.round_trip().await;
        staying.expect_none("token_expired").await;
    }

    async fn a_refresh_by_rest_extends_the_sockets_of_its_session(server) {
        let alice = server.register("alice").await;
        let other = server.log_in("alice").await;
        let mut extended = alice.until(SOON).connect("/").await;
        let mut also = alice.until(SOON).connect("/chat").await;
        let mut forgotten = other.until(SOON).connect("/").await;
        alice.refresh().await.data(200);
        // The other session's sockets show that the time is over.
        forgotten.expect("token_expired").await;
        forgotten.expect_end().await;
        for socket in [&mut extended, &mut also] {
            socket.round_trip().await;
            socket.expect_none("token_expired").await;
        }
    }

    async fn a_newer_token_by_event_extends_its_socket_alone(server) {
        let alice = server.register("alice").await;
        let mut extended = alice.until(SOON).connect("/chat").await;
        let mut other = alice.until(SOON).connect("/").await;
        let ack = extended.done("refresh_token", &json!({ "token": alice.token })).await;
        let end = alice.claims()["exp"].as_i64().unwrap();
        assert_eq!(time(&ack["expiresAt"]).millis(), end * 1000);
        other.expect("token_expired").await;
        extended.round_trip().await;
        extended.expect_none("token_expired").await;
    }

    async fn the_token_of_another_session_of_the_same_user_extends_too(server) {
        let alice = server.register("alice").await;
        let newer = server.log_in("alice").await;
        let mut socket = alice.until(SOON).connect("/presence").await;
        socket.done("refresh_token", &json!({ "token": newer.token })).await;
        let mut witness = witness(server).await;
        witness.expect("token_expired").await;
        socket.round_trip().await;
    }

    async fn an_older_token_does_not_shorten_a_socket(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        let ack = socket.done("refresh_token", &json!({ "token": alice.until(SOON).token })).await;
        let mut witness = witness(server).await;
        let end = alice.claims()["exp"].as_i64().unwrap();
        assert_eq!(time(&ack["expiresAt"]).millis(), end * 1000);
        witness.expect("token_expired").await;
        socket.round_trip().await;
    }

    async fn tokens_that_do_not_hold_extend_nothing(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        for (token, code) in [
            (bob.token.clone(), "forbidden"),
            ("garbage".to_owned(), "unauthenticated"),
            (alice.until(-5).token, "token_expired"),
            (alice.refresh_token.clone(), "unauthenticated"),
        ] {
            socket.refused("refresh_token", &json!({ "token": token }), code).await;
        }
        for payload in [json!({}), json!({ "token": 7 }), json!({ "token": { "$ne": "" } })] {
            socket.refused("refresh_token", &payload, "validation_failed").await;
        }
        bob.post("/api/auth/logout", &json!({})).await.data(200);
        let ended = json!({ "token": bob.token });
        socket.refused("refresh_token", &ended, "unauthenticated").await;
    }
}
