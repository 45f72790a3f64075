//! Forgotten and reset passwords (CONTRACT §2).

use serde_json::{Value, json};

use crate::support::mail::{Mailbox, reset_token};
use crate::support::rest::PASSWORD;
use crate::support::{Answer, Server};

async fn forget(server: &Server, email: &str) -> Answer {
    server.post("/api/auth/forgot-password", &json!({ "email": email })).await
}

async fn reset(server: &Server, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    server.post("/api/auth/reset-password", &body).await
}

async fn log_in(server: &Server, password: &str) -> Answer {
    let body = json!({ "username": "alice", "password": password });
    server.post("/api/auth/login", &body).await
}

/// Lets the server send its mail into a box of this test.
async fn mailbox(server: &Server, set: &[(&str, &str)]) -> Mailbox {
    let mailbox = Mailbox::open().await;
    let url = mailbox.url.clone();
    let mut settings =
        vec![("SMTP_URL", url.as_str()), ("PUBLIC_URL", "https://chat.example.com/")];
    settings.extend(set);
    server.restart_with(&settings).await;
    mailbox
}

on_every_store! {
    async fn a_reset_password_replaces_the_old_one(server) {
        let mut mailbox = mailbox(server, &[]).await;
        let alice = server.register("alice").await;
        forget(server, &alice.email).await.data(200);
        let mail = mailbox.next().await;
        assert!(mail.contains(&format!("<{}>", alice.email)), "{mail}");
        assert!(mail.contains("https://chat.example.com/#reset-token="), "{mail}");
        reset(server, &reset_token(&mail), "a new password").await.data(200);
        log_in(server, PASSWORD).await.refused(401, "unauthenticated");
        log_in(server, "a new password").await.data(200);
    }

    async fn a_reset_ends_every_session_of_the_account(server) {
        let mut mailbox = mailbox(server, &[]).await;
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let other = server.log_in("alice").await;
        let mut sockets = [alice.connect("/").await, other.connect("/chat").await];
        let mut bobs = bob.connect("/").await;
        forget(server, &alice.email).await.data(200);
        let token = reset_token(&mailbox.next().await);
        for socket in &mut sockets {
            socket.expect_none("token_expired").await;
        }
        reset(server, &token, "a new password").await.data(200);
        for socket in &mut sockets {
            socket.expect_end().await;
        }
        for session in [&alice, &other] {
            session.get("/api/auth/me").await.refused(401, "unauthenticated");
            session.refresh().await.refused(401, "unauthenticated");
        }
        bobs.round_trip().await;
    }

    async fn a_reset_token_is_good_for_one_use(server) {
        let mut mailbox = mailbox(server, &[]).await;
        let alice = server.register("alice").await;
        forget(server, &alice.email).await.data(200);
        let token = reset_token(&mailbox.next().await);
        // A password that is refused does not use the token up.
        assert_eq!(reset(server, &token, "short").await.wrong_fields(), ["password"]);
        reset(server, &token, "a new password").await.data(200);
        reset(server, &token, "another one").await.refused(401, "unauthenticated");
        log_in(server, "a new password").await.data(200);
    }

    async fn a_reset_token_has_an_end(server) {
        let mut mailbox = mailbox(server, &[("RESET_EXPIRES_IN", "1ms")]).await;
        let alice = server.register("alice").await;
        forget(server, &alice.email).await.data(200);
        let token = reset_token(&mailbox.next().await);
        reset(server, &token, "a new password").await.refused(401, "unauthenticated");
        log_in(server, PASSWORD).await.data(200);
    }

    async fn nobody_learns_whether_an_address_has_an_account(server) {
        let mut mailbox = mailbox(server, &[]).await;
        let alice = server.register("alice").await;
        let unknown = forget(server, "nobody@example.com").await;
        let known = forget(server, &alice.email).await;
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
        known.data(200);
        // The mail for alice was asked for later, and comes alone.
        assert!(mailbox.next().await.contains(&alice.email));
        assert!(mailbox.is_empty());
    }

    async fn what_is_missing_or_no_token_is_told(server) {
        let body = json!({ "token": "garbage", "password": "a new password" });
        let answer = server.post("/api/auth/reset-password", &body).await;
        answer.refused(401, "unauthenticated");
        let answer = server.post("/api/auth/reset-password", &json!({})).await;
        assert_eq!(answer.wrong_fields(), ["token", "password"]);
        for wrong in [json!({}), json!({ "email": "x" }), json!({ "email": { "$gt": "" } })] {
            let answer = server.post("/api/auth/forgot-password", &wrong).await;
            assert_eq!(answer.wrong_fields(), ["email"], "{wrong}");
        }
        assert_eq!(forget(server, "somebody@example.com").await.data(200), Value::Object(Default::default()));
    }
}
