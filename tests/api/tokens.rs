//! Access tokens: what they say, where they are taken, and which are refused (CONTRACT §2).

use jsonwebtoken::Algorithm;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::access::{now, part, sign};
use crate::support::rest::registration;
use crate::support::server::SECRET;
use crate::support::transport::{Transport, websocket};
use crate::support::{Answer, Person, Raw, Server, Socket};

const NO_TOKEN: &str = "Authentication error: no token provided";
const INVALID: &str = "Authentication error: invalid token";
const EXPIRED: &str = "Authentication error: token expired";

async fn me(server: &Server, token: &str) -> Answer {
    Answer::of(server.request(Method::GET, "/api/auth/me").bearer_auth(token)).await
}

async fn connect_error(server: &Server, auth: Value) -> String {
    let Err(message) = Socket::try_connect(server, "/", &auth).await else {
        panic!("{auth} was let in");
    };
    message
}

on_every_store! {
    async fn a_token_names_user_role_and_login_session(server) {
        let alice = server.register("alice").await;
        assert_eq!(part(&alice.token, 0)["alg"], "HS256");
        let claims = alice.claims();
        assert_eq!(claims["sub"], alice.id);
        assert_eq!(claims["userId"], alice.id);
        assert_eq!(claims["role"], "user");
        assert!(claims["sid"].is_string() && claims["jti"].is_string());
        let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
        assert!((now() - iat).abs() <= 10, "{iat}");
        assert!((exp - iat - 7 * 24 * 3600).abs() <= 1, "{iat} {exp}");
        let again = server.log_in("alice").await.claims();
        assert_ne!(again["sid"], claims["sid"]);
        assert_ne!(again["jti"], claims["jti"]);
    }

    async fn a_drivers_token_names_the_driver_by_name_and_number(server) {
        let mut body = registration("driver9");
        body["role"] = json!("driver");
        let data = server.post("/api/auth/register", &body).await.data(201);
        let claims = Person::of(server, &data).claims();
        assert_eq!(claims["role"], "driver");
        assert_eq!(claims["driverId"], "driver9");
        assert!(claims["driver_id"].is_u64());
        assert_eq!(claims["driver_id"], data["user"]["driver_id"]);
    }

    async fn a_token_is_taken_from_the_header_and_the_query(server) {
        let alice = server.register("alice").await;
        me(server, &alice.token).await.data(200);
        server.get(&format!("/api/auth/me?token={}", alice.token)).await.data(200);
        let lower = server.request(Method::GET, "/api/auth/me");
        let lower = lower.header("authorization", format!("bearer {}", alice.token));
        Answer::of(lower).await.data(200);
        let basic = server.request(Method::GET, "/api/auth/me");
        let basic = basic.header("authorization", format!("Basic {}", alice.token));
        Answer::of(basic).await.refused(401, "unauthenticated");
    }

    async fn a_socket_shows_its_token_in_auth_header_or_query(server) {
        let alice = server.register("alice").await;
        let none = json!({});
        let mut by_auth = alice.connect("/chat").await;
        by_auth.round_trip().await;
        let with_word = json!({ "token": format!("Bearer {}", alice.token) });
        Socket::connect(server, "/chat", &with_word).await.round_trip().await;
        let bearer = format!("Bearer {}", alice.token);
        let header = websocket(server, "", &[("authorization", &bearer)]).await.unwrap();
        let header = Socket::over(Transport::over_websocket(header), "/chat", &none).await;
        header.unwrap().round_trip().await;
        let query = format!("&token={}", alice.token);
        let query = websocket(server, &query, &[]).await.unwrap();
        let query = Socket::over(Transport::over_websocket(query), "/chat", &none).await;
        query.unwrap().round_trip().await;
    }

    async fn a_connection_without_a_token_is_refused_with_its_reason(server) {
        for auth in [json!({}), json!({ "token": "" }), json!({ "token": null }), json!("text")] {
            assert_eq!(connect_error(server, auth).await, NO_TOKEN);
        }
        for namespace in ["/chat", "/presence"] {
            let refused = Socket::try_connect(server, namespace, &json!({})).await;
            assert_eq!(refused.err().as_deref(), Some(NO_TOKEN), "{namespace}");
        }
        server.get("/api/auth/me").await.refused(401, "unauthenticated");
    }

    async fn a_token_made_for_another_service_is_refused_everywhere(server) {
        let alice = server.register("alice").await;
        let of_others = [json!("another-service"), json!(["waggle", "another"]), json!("")];
        for audience in of_others {
            let token = alice.forge("aud", audience.clone());
            me(server, &token).await.refused(401, "unauthenticated");
            assert_eq!(connect_error(server, json!({ "token": token })).await, INVALID);
            let path = format!("/api/v1/ws/admin?token={token}");
            assert_eq!(Raw::refusal(server, &path).await, Some(4001), "{audience}");
        }
        me(server, &alice.forge("unknown", "claim")).await.data(200);
    }

    async fn tokens_that_are_not_ours_are_refused_everywhere(server) {
        let alice = server.register("alice").await;
        let claims = alice.claims();
        let (head, rest) = alice.token.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        let mut no_end = claims.clone();
        no_end.as_object_mut().unwrap().remove("exp");
        let mut no_user = claims.clone();
        no_user.as_object_mut().unwrap().remove("sub");
        let bad = [
            "garbage".to_owned(),
            "x.y.z".to_owned(),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{head}.{body}."),
            sign(&claims, Algorithm::HS256, "another secret of more than 32 bytes"),
            sign(&claims, Algorithm::HS384, SECRET),
            sign(&claims, Algorithm::HS512, SECRET),
            sign(&no_end, Algorithm::HS256, SECRET),
            sign(&no_user, Algorithm::HS256, SECRET),
            alice.forge("sid", "0".repeat(24)),
            alice.forge("sub", "0".repeat(24)),
            alice.forge("sub", json!({ "$ne": "" })),
        ];
        for token in bad {
            me(server, &token).await.refused(401, "unauthenticated");
            assert_eq!(connect_error(server, json!({ "token": token })).await, INVALID, "{token}");
        }
    }

    async fn a_login_session_of_one_does_not_open_for_another(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mixed = alice.forge("sid", bob.claims()["sid"].clone());
        me(server, &mixed).await.refused(401, "unauthenticated");
        assert_eq!(connect_error(server, json!({ "token": mixed })).await, INVALID);
    }

    async fn an_expired_token_is_told_apart(server) {
        let alice = server.register("alice").await;
        for seconds in [0, -1, -60, -86_400] {
            let expired = alice.until(seconds).token;
            me(server, &expired).await.refused(401, "token_expired");
            assert_eq!(connect_error(server, json!({ "token": expired })).await, EXPIRED);
        }
    }

    async fn the_role_of_the_account_decides_and_not_the_claim(server) {
        let alice = server.register("alice").await;
        let admin = alice.forge("role", "admin");
        let seen = me(server, &admin).await.data(200);
        assert_eq!(seen["user"]["role"], "user");
        let posing = Person { token: admin.clone(), ..alice.clone() };
        posing.get("/api/admin/sockets").await.refused(403, "forbidden");
        posing.get(&format!("/api/messages/{}", alice.id)).await.data(200);
        let path = format!("/api/v1/ws/admin?token={admin}");
        assert_eq!(Raw::refusal(server, &path).await, Some(4001));
        let refresh = json!({ "refreshToken": alice.refresh_token });
        let fresh = server.post("/api/auth/refresh", &refresh).await.data(200);
        assert_eq!(Person::of(server, &fresh).claims()["role"], "user");
    }

    #[set(JWT_EXPIRES_IN = "5s")]
    async fn the_configured_life_of_a_token_is_kept_to(server) {
        let alice = server.register("alice").await;
        let claims = alice.claims();
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((4..=5).contains(&life), "{claims}");
        let body = json!({ "username": "alice", "password": crate::support::rest::PASSWORD });
        assert_eq!(server.post("/api/auth/login", &body).await.data(200)["expiresIn"], 5);
        let mut socket = alice.connect("/").await;
        let expiring = socket.expect("token_expiring").await;
        let expired = socket.expect("token_expired").await;
        socket.expect_end().await;
        assert_eq!(expiring["expiresAt"], expired["expiresAt"]);
        assert!(now() >= claims["exp"].as_i64().unwrap(), "not before its time");
        me(server, &alice.token).await.refused(401, "token_expired");
    }

    #[set(JWT_EXPIRES = "15m", JWT_SECRET = "")]
    async fn tokens_are_configured_by_their_old_names_too(server) {
        let alice = server.register("alice").await;
        assert_eq!(alice.claims()["exp"].as_i64().unwrap() - alice.claims()["iat"].as_i64().unwrap(), 900);
        // The generated secret is kept: a restart invalidates nothing.
        server.restart().await;
        me(server, &alice.token).await.data(200);
        server.restart_with(&[("JWT_SECRET_KEY", "another secret of more than 32 bytes")]).await;
        me(server, &alice.token).await.refused(401, "unauthenticated");
    }
}
