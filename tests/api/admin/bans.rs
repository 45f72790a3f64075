//! Bans: what ends with one, what it keeps out, and what its end brings back.

use std::time::Duration;

use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use serde_json::json;
use sha2::{Digest, Sha256};
use waggle::clock::Clock;

use super::log_in;
use crate::at_rest::database;
use crate::sessions::on_auth_store;
use crate::support::mail::{Mailbox, reset_token};
use crate::support::process::Process;
use crate::support::rest::PASSWORD;
use crate::support::{Person, Raw, Server, Socket, is_id, time};

const NAMESPACES: [&str; 5] = ["/", "/chat", "/rooms", "/presence", "/orders"];
const REASON: &str = "sells <b>honey";

/// Shows that nothing of before opens anything.
async fn assert_ended(server: &Server, person: &Person) {
    person.get("/api/auth/me").await.refused(401, "unauthenticated");
    let auth = json!({ "token": person.token });
    for namespace in NAMESPACES {
        let message = Socket::try_connect(server, namespace, &auth).await.err();
        assert_eq!(message.as_deref(), Some("Authentication error: invalid token"), "{namespace}");
    }
    assert_eq!(Raw::refusal(server, &person.driver_path()).await, Some(4001));
    let mut watcher = Raw::open(server, "/").await;
    watcher.send_text(&json!({ "type": "auth", "token": person.token }).to_string());
    assert_eq!(watcher.expect_flat("error").await["code"], "unauthenticated");
}

/// Shows that somebody gets no new session, and hears why, at every door.
async fn assert_kept_out(server: &Server, person: &Person) {
    let refresh = json!({ "refreshToken": person.refresh_token });
    let v1_refresh = json!({ "refresh_token": person.refresh_token });
    let answers = [
        log_in(server, "/api/auth/login", &person.username, PASSWORD).await,
        log_in(server, "/auth/login", &person.username, PASSWORD).await,
        log_in(server, "/api/v1/auth/login", &person.username, PASSWORD).await,
        log_in(server, "/login", &person.username, PASSWORD).await,
        server.post("/api/auth/refresh", &refresh).await,
        server.post("/api/v1/auth/refresh", &v1_refresh).await,
    ];
    for answer in answers {
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{answer:?}");
        let text = answer.body.to_string();
        assert!(text.contains("This account is banned") && !text.contains("honey"), "{text}");
    }
    // Who does not know the password learns nothing of it.
    let answer = log_in(server, "/api/auth/login", &person.username, "not the password").await;
    answer.refused(401, "unauthenticated");
}

/// Removes every login session, as the server does with those that no refresh token can reach.
async fn remove_logins(server: &Server) {
    if let Some(database) = database(server).await {
        database.collection::<Document>("logins").delete_many(doc! {}).await.unwrap();
        return;
    }
    let db = rusqlite::Connection::open(server.dir().join("data/waggle.db")).unwrap();
    db.execute_batch("DELETE FROM refresh_tokens; DELETE FROM logins").unwrap();
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_ban_ends_everything_of_an_account_at_once_and_over_a_restart(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let (other, admin) = (server.log_in("dan").await, server.admin().await);
        let mut sockets = Vec::new();
        for namespace in NAMESPACES {
            sockets.push(dan.connect(namespace).await);
        }
        sockets.push(other.connect("/").await);
        let auth = json!({ "token": dan.token });
        sockets.push(Socket::polling(server, "/chat", &auth).await);
        let mut raws = [dan.drive().await, dan.watcher().await, other.watcher().await];
        let (mut eves, mut eves_raw) = (eve.connect("/").await, eve.drive().await);
        admin.ban(&dan, REASON).await.data(200);
        for socket in &mut sockets {
            socket.expect_end().await;
        }
        for raw in &mut raws {
            assert_eq!(raw.closed().await, Some(4001));
        }
        assert!(admin.sockets("?search=dan").await.is_empty());
        for again in [false, true] {
            for session in [&dan, &other] {
                assert_ended(server, session).await;
                assert_kept_out(server, session).await;
            }
            if !again {
                eves.round_trip().await;
                eves_raw.round_trip().await;
                server.restart().await;
            }
        }
        eve.get("/api/auth/me").await.data(200);
        eve.refresh().await.data(200);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_lifted_ban_lets_in_again_and_brings_no_session_back(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        admin.ban(&alice, REASON).await.data(200);
        admin.lift_ban(&alice).await.data(200);
        assert_ended(server, &alice).await;
        alice.refresh().await.refused(401, "unauthenticated");
        let fresh = server.log_in("alice").await;
        fresh.connect("/").await.round_trip().await;
        fresh.refresh().await.data(200);
        // Lifted again, nothing happens; and it can be banned anew.
        admin.lift_ban(&alice).await.data(200);
        fresh.get("/api/auth/me").await.data(200);
        admin.ban(&alice, REASON).await.data(200);
        assert_ended(server, &fresh).await;
    }

    #[set(
        ADMIN_EMAIL = "root@example.com",
        ADMIN_PASSWORD = "password123",
        RATE_LIMITS = "on",
        RATE_LIMIT_LOGINS = "off",
        RATE_LIMIT_LOGIN_FAILURES = "2/15m"
    )]
    async fn the_right_password_is_no_failed_login_during_a_ban(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        admin.ban(&alice, REASON).await.data(200);
        for _ in 0..3 {
            log_in(server, "/api/auth/login", "alice", PASSWORD).await.refused(403, "forbidden");
        }
        admin.lift_ban(&alice).await.data(200);
        server.log_in("alice").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_link_to_reset_the_password_ends_with_a_ban_and_none_is_sent(server) {
        let mut mailbox = Mailbox::open().await;
        server.restart_with(&[("SMTP_URL", &mailbox.url)]).await;
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let admin = server.admin().await;
        let forget = async |person: &Person| {
            let body = json!({ "email": person.email });
            server.post("/api/auth/forgot-password", &body).await.data(200);
        };
        let reset = async |token: &str| {
            let body = json!({ "token": token, "password": "a new password" });
            server.post("/api/auth/reset-password", &body).await
        };
        forget(&alice).await;
        let link = reset_token(&mailbox.next().await);
        admin.ban(&alice, REASON).await.data(200);
        reset(&link).await.refused(401, "unauthenticated");
        forget(&alice).await;
        forget(&bob).await;
        // Asked for later, and comes alone.
        assert!(mailbox.next().await.contains(&bob.email));
        admin.lift_ban(&alice).await.data(200);
        reset(&link).await.refused(401, "unauthenticated");
        server.log_in("alice").await;
        assert!(mailbox.is_empty());
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_link_that_was_on_its_way_at_a_ban_resets_nothing(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        admin.ban(&alice, REASON).await.data(200);
        server.stop().await;
        let (user, end) = (alice.id.parse().unwrap(), Clock::system().now() + Duration::from_secs(600));
        let hash = Sha256::digest("a link").into();
        on_auth_store(server, async |store| store.insert_reset_token(hash, user, end).await).await.unwrap();
        server.start_with(&[]).await;
        let body = json!({ "token": "a link", "password": "a new password" });
        server.post("/api/auth/reset-password", &body).await.refused(403, "forbidden");
        admin.lift_ban(&alice).await.data(200);
        server.log_in("alice").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_ban_ends_a_socket_that_outlives_its_stored_session(server) {
        let dan = server.register("dan").await;
        let mut watcher = dan.watcher().await;
        remove_logins(server).await;
        server.admin().await.ban(&dan, REASON).await.data(200);
        assert_eq!(watcher.closed().await, Some(4001));
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn no_login_that_is_under_way_outlives_a_ban(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        for _ in 0..5 {
            let logins = (0..8).map(|_| log_in(server, "/api/auth/login", "alice", PASSWORD));
            let (answers, banned) = tokio::join!(join_all(logins), admin.ban(&alice, REASON));
            banned.data(200);
            let answers = answers.into_iter().filter(|answer| answer.status == 200);
            let sessions: Vec<_> = answers.map(|it| Person::of(server, &it.data(200))).collect();
            for session in &sessions {
                session.get("/api/auth/me").await.refused(401, "unauthenticated");
                session.refresh().await.refused(403, "forbidden");
            }
            admin.lift_ban(&alice).await.data(200);
            for session in &sessions {
                session.get("/api/auth/me").await.refused(401, "unauthenticated");
                session.refresh().await.refused(401, "unauthenticated");
            }
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn admins_are_not_banned_neither_by_themselves_nor_by_each_other(server) {
        let first = server.admin().await;
        let second = [("ADMIN_USERNAME", "second"), ("ADMIN_EMAIL", "second@example.com")];
        server.restart_with(&second).await;
        let second = server.log_in("second").await;
        for (who, whom) in [(&first, &first), (&first, &second), (&second, &first)] {
            who.ban(whom, REASON).await.refused(403, "forbidden");
            whom.get("/api/auth/me").await.data(200);
            whom.refresh().await.data(200);
        }
        assert_eq!(first.get("/api/admin/bans").await.data(200)["bans"], json!([]));
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn the_list_says_who_banned_whom_when_and_why(server) {
        let people = server.people(["alice", "Bob", "carl"]).await;
        let admin = server.admin().await;
        for person in &people {
            admin.ban(person, &format!(" {REASON} ")).await.data(200);
        }
        let again = admin.ban(&people[1], "").await.data(200)["ban"].clone();
        let page = admin.get("/api/admin/bans?limit=2").await.data(200);
        let bans = page["bans"].as_array().unwrap();
        assert_eq!(bans[0]["user"]["_id"], people[0].id.as_str());
        assert_eq!(bans[0]["reason"], "sells < b>honey");
        assert_eq!(bans[1], again);
        // Banned again without a reason, it has the one before.
        assert_eq!(again["reason"], "sells < b>honey");
        let other = admin.ban(&people[1], "lies").await.data(200)["ban"].clone();
        assert_eq!(other["reason"], "lies");
        admin.ban(&people[1], REASON).await.data(200);
        for ban in bans {
            assert!(is_id(&ban["by"]["_id"]) && ban["by"]["role"] == "admin", "{ban}");
            time(&ban["at"]);
        }
        let cursor = page["nextCursor"].as_str().unwrap();
        let rest = admin.get(&format!("/api/admin/bans?limit=2&cursor={cursor}")).await.data(200);
        assert_eq!(rest["bans"][0]["user"]["username"], "carl");
        assert!(rest["bans"].as_array().unwrap().len() == 1 && rest["nextCursor"].is_null());
        // Others see it nowhere.
        let eve = server.register("eve").await;
        let users = eve.get("/api/auth/users").await.data(200).to_string();
        assert!(users.contains("alice") && !users.contains("honey") && !users.contains("ban"));
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn bad_requests_are_told_and_ban_nobody(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        let ban = format!("/api/admin/users/{}/ban", alice.id);
        let long = json!({ "reason": "x".repeat(501) });
        assert_eq!(admin.put_json(&ban, &long).await.wrong_fields(), ["reason"]);
        let nobody = format!("/api/admin/users/{}/ban", "0".repeat(24));
        admin.put(&nobody).await.refused(404, "not_found");
        admin.delete(&nobody).await.refused(404, "not_found");
        assert_eq!(admin.put("/api/admin/users/alice/ban").await.wrong_fields(), ["id"]);
        for query in ["limit=0", "cursor=%25"] {
            let answer = admin.get(&format!("/api/admin/bans?{query}")).await;
            answer.refused(400, "validation_failed");
        }
        alice.get("/api/auth/me").await.data(200);
        // Without a body it has no reason.
        assert!(admin.put(&ban).await.data(200)["ban"]["reason"].is_null());
        alice.get("/api/auth/me").await.refused(401, "unauthenticated");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn who_banned_whom_is_one_line_of_the_log_without_the_reason(server) {
        let (alice, admin) = (server.register("alice").await, server.admin().await);
        server.stop().await;
        let process = Process::start(server).await;
        admin.ban(&alice, REASON).await.data(200);
        admin.lift_ban(&alice).await.data(200);
        process.signal("TERM").await;
        let (_, log) = process.end().await;
        server.start_with(&[]).await;
        for message in ["\"banned\"", "\"ban lifted\""] {
            let lines: Vec<_> = log.lines().filter(|line| line.contains(message)).collect();
            let [line] = lines[..] else { panic!("{lines:?} of {log}") };
            assert!(line.contains(&alice.id) && line.contains(&admin.id), "{line}");
        }
        assert!(!log.contains("honey"), "{log}");
    }
}
