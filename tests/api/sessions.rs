//! Login sessions: refreshed by rotation, ended by logout and by a stolen token (CONTRACT §2).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use waggle::app::embedded_migrations;
use waggle::auth::store::AuthStore;
use waggle::auth::store::embedded::EmbeddedAuthStore;
use waggle::auth::store::mongo::MongoAuthStore;
use waggle::clock::Clock;
use waggle::store::embedded::Embedded;
use waggle::store::mongo::Mongo;

use crate::support::{Answer, Person, Server};

async fn refresh(server: &Server, token: &str) -> Answer {
    server.post("/api/auth/refresh", &json!({ "refreshToken": token })).await
}

fn pair(data: &Value) -> (String, String) {
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    (text("token"), text("refreshToken"))
}

/// Does something with the accounts and login sessions of a stopped server.
pub(crate) async fn on_auth_store<T>(
    server: &Server,
    work: impl AsyncFnOnce(&dyn AuthStore) -> T,
) -> T {
    if let Some(uri) = server.mongodb_uri() {
        return work(&MongoAuthStore::new(&Mongo::connect(uri).await.unwrap())).await;
    }
    let path = server.dir().join("data/waggle.db");
    let db = Embedded::open(&path, &embedded_migrations()).unwrap();
    let done = work(&EmbeddedAuthStore::new(db.clone())).await;
    db.close().await;
    done
}

/// Marks a refresh token as used so long ago, in the data of a stopped server: no test waits for
/// a minute.
async fn use_in_the_past(server: &Server, token: &str, ago: Duration) {
    let hash = Sha256::digest(token).into();
    let then = Clock::system().now() - ago;
    let token =
        on_auth_store(server, async |store| store.use_refresh_token(hash, then).await).await;
    assert!(token.unwrap().unwrap().used_at.is_none(), "it was used before");
}

on_every_store! {
    async fn a_refresh_gives_a_new_pair_of_the_same_session(server) {
        let alice = server.register("alice").await;
        let data = alice.refresh().await.data(200);
        assert!(data["expiresIn"].is_u64());
        assert_eq!(data["user"]["_id"], alice.id);
        let fresh = Person::of(server, &data);
        assert_ne!(fresh.refresh_token, alice.refresh_token);
        assert_ne!(fresh.token, alice.token);
        assert_eq!(fresh.claims()["sid"], alice.claims()["sid"]);
        fresh.get("/api/auth/me").await.data(200);
        alice.get("/api/auth/me").await.data(200);
        let third = fresh.refresh().await.data(200);
        assert_ne!(third["refreshToken"], fresh.refresh_token);
    }

    async fn a_refresh_token_used_twice_within_a_minute_has_one_successor(server) {
        let alice = server.register("alice").await;
        let (_, first) = pair(&alice.refresh().await.data(200));
        let (_, again) = pair(&alice.refresh().await.data(200));
        assert_eq!(first, again);
        // Even when the successor was used already: a late answer, not a theft.
        refresh(server, &first).await.data(200);
        assert_eq!(pair(&alice.refresh().await.data(200)).1, first);
    }

    async fn many_tabs_that_refresh_at_once_get_one_successor(server) {
        let alice = server.register("alice").await;
        let tabs = (0..8).map(async |_| pair(&alice.refresh().await.data(200)).1);
        let successors = futures_util::future::join_all(tabs).await;
        assert!(successors.iter().all(|one| one == &successors[0]), "{successors:?}");
        refresh(server, &successors[0]).await.data(200);
    }

    async fn a_refresh_token_used_after_its_grace_ends_the_session(server) {
        let alice = server.register("alice").await;
        let other = server.log_in("alice").await;
        server.stop().await;
        use_in_the_past(server, &alice.refresh_token, Duration::from_secs(61)).await;
        server.start_with(&[]).await;
        let mut socket = alice.connect("/").await;
        alice.refresh().await.refused(401, "unauthenticated");
        socket.expect_end().await;
        alice.get("/api/auth/me").await.refused(401, "unauthenticated");
        other.get("/api/auth/me").await.data(200);
        other.refresh().await.data(200);
    }

    async fn a_refresh_token_used_shortly_before_its_grace_is_over_is_good(server) {
        let alice = server.register("alice").await;
        server.stop().await;
        use_in_the_past(server, &alice.refresh_token, Duration::from_secs(40)).await;
        server.start_with(&[]).await;
        alice.refresh().await.data(200);
        alice.get("/api/auth/me").await.data(200);
    }

    async fn a_stolen_token_ends_what_its_thief_refreshed(server) {
        let alice = server.register("alice").await;
        server.stop().await;
        use_in_the_past(server, &alice.refresh_token, Duration::from_secs(20)).await;
        server.start_with(&[]).await;
        let (token, successor) = pair(&alice.refresh().await.data(200));
        server.stop().await;
        use_in_the_past(server, &successor, Duration::from_secs(3600)).await;
        server.start_with(&[]).await;
        refresh(server, &successor).await.refused(401, "unauthenticated");
        let thief = Person { token, ..alice.clone() };
        thief.get("/api/auth/me").await.refused(401, "unauthenticated");
        alice.refresh().await.refused(401, "unauthenticated");
    }

    // A refresh token lives as long as an access token at least.
    #[set(REFRESH_EXPIRES_IN = "1ms", JWT_EXPIRES_IN = "1ms")]
    async fn a_refresh_token_has_an_end(server) {
        let alice = server.register("alice").await;
        let registered = Instant::now();
        while registered.elapsed() < Duration::from_millis(2) {}
        alice.refresh().await.refused(401, "token_expired");
    }

    async fn what_is_no_refresh_token_is_refused(server) {
        let alice = server.register("alice").await;
        for token in ["garbage", "", &alice.token] {
            refresh(server, token).await.refused(401, "unauthenticated");
        }
        let none = server.post("/api/auth/refresh", &json!({})).await;
        assert_eq!(none.wrong_fields(), ["refreshToken"]);
        let wrong = json!({ "refreshToken": { "$ne": null } });
        let wrong = server.post("/api/auth/refresh", &wrong).await;
        assert_eq!(wrong.wrong_fields(), ["refreshToken"]);
    }

    async fn a_refresh_token_is_not_an_access_token(server) {
        let alice = server.register("alice").await;
        let wrong = Person { token: alice.refresh_token.clone(), ..alice };
        wrong.get("/api/auth/me").await.refused(401, "unauthenticated");
    }

    async fn a_logout_ends_this_session_and_no_other(server) {
        let alice = server.register("alice").await;
        let other = server.log_in("alice").await;
        let fresh = Person::of(server, &alice.refresh().await.data(200));
        let mut ended = [alice.connect("/").await, alice.connect("/chat").await];
        let mut staying = other.connect("/").await;
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        for socket in &mut ended {
            socket.expect_end().await;
        }
        for old in [&alice, &fresh] {
            old.get("/api/auth/me").await.refused(401, "unauthenticated");
            old.refresh().await.refused(401, "unauthenticated");
            let auth = json!({ "token": old.token });
            let refused = crate::support::Socket::try_connect(server, "/", &auth).await;
            assert_eq!(refused.err().as_deref(), Some("Authentication error: invalid token"));
        }
        staying.round_trip().await;
        other.get("/api/auth/me").await.data(200);
        other.refresh().await.data(200);
    }

    async fn a_logout_without_a_body_ends_this_session(server) {
        let alice = server.register("alice").await;
        let request = alice.request(reqwest::Method::POST, "/api/auth/logout");
        Answer::of(request).await.data(200);
        alice.get("/api/auth/me").await.refused(401, "unauthenticated");
    }

    async fn a_logout_of_all_ends_every_session_of_the_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let other = server.log_in("alice").await;
        let mut sockets = [alice.connect("/").await, other.connect("/presence").await];
        let mut bobs = bob.connect("/").await;
        alice.post("/api/auth/logout", &json!({ "all": true })).await.data(200);
        for socket in &mut sockets {
            socket.expect_end().await;
        }
        for session in [&alice, &other] {
            session.get("/api/auth/me").await.refused(401, "unauthenticated");
            session.refresh().await.refused(401, "unauthenticated");
        }
        bobs.round_trip().await;
        bob.get("/api/auth/me").await.data(200);
        server.log_in("alice").await.get("/api/auth/me").await.data(200);
    }

    async fn an_ended_session_stays_ended_over_a_restart(server) {
        let alice = server.register("alice").await;
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        server.restart().await;
        alice.get("/api/auth/me").await.refused(401, "unauthenticated");
        alice.refresh().await.refused(401, "unauthenticated");
    }
}
