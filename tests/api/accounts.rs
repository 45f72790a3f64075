//! Registering and logging in (CONTRACT §2).

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::rest::{PASSWORD, registration};
use crate::support::{Server, is_id, time};

async fn register_as(server: &Server, field: &str, value: Value) -> crate::support::Answer {
    let mut body = registration("somebody");
    body[field] = value;
    server.post("/api/auth/register", &body).await
}

on_every_store! {
    async fn registering_gives_a_pair_of_tokens_and_the_user(server) {
        let mut body = registration("Alice.B-c_9");
        body["name"] = json!("Alice B.");
        let answer = server.post("/api/auth/register", &body).await;
        let data = answer.data(201);
        assert!(data["token"].is_string() && data["refreshToken"].is_string());
        assert_eq!(data["expiresIn"], 7 * 24 * 3600, "JWT_EXPIRES_IN is 7d by default");
        let user = &data["user"];
        assert!(is_id(&user["_id"]));
        assert_eq!(user["username"], "Alice.B-c_9");
        assert_eq!(user["email"], "Alice.B-c_9@example.com");
        assert_eq!(user["name"], "Alice B.");
        assert_eq!(user["role"], "user");
        assert_eq!(user["isOnline"], false);
        assert!(time(&user["createdAt"]) <= time(&user["lastSeen"]));
        let text = answer.body.to_string();
        assert!(!text.contains(PASSWORD) && !text.contains("$2"), "no password, no hash: {text}");
    }

    async fn a_user_or_a_driver_may_be_asked_for_and_nothing_else(server) {
        let driver = register_as(server, "role", json!("driver")).await.data(201);
        assert_eq!(driver["user"]["role"], "driver");
        assert!(driver["user"]["driver_id"].is_u64(), "{driver}");
        for role in ["admin", "restaurant", "root", ""] {
            let answer = register_as(server, "role", json!(role)).await;
            assert_eq!(answer.wrong_fields(), ["role"], "{role}");
        }
    }

    async fn names_and_addresses_are_taken_without_regard_to_case(server) {
        server.register("alice").await;
        let mut body = registration("ALICE");
        body["email"] = json!("other@example.com");
        server.post("/api/auth/register", &body).await.refused(409, "conflict");
        let mut body = registration("other");
        body["email"] = json!("Alice@Example.COM");
        server.post("/api/auth/register", &body).await.refused(409, "conflict");
        server.register("alicia").await;
    }

    async fn of_many_who_want_a_name_at_once_one_gets_it(server) {
        let wanting = (0..8).map(async |number| {
            let mut body = registration(if number % 2 == 0 { "alice" } else { "ALICE" });
            body["email"] = json!(format!("alice{number}@example.com"));
            server.post("/api/auth/register", &body).await.status
        });
        let mut statuses = futures_util::future::join_all(wanting).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    }

    async fn a_username_has_3_to_30_plain_characters_and_starts_with_a_letter(server) {
        let long = "a".repeat(31);
        let bad = ["", "al", &long, "9lives", "-dash", "white space", "é-acute", "a<b>c", "ab\u{0}c"];
        for name in bad {
            let answer = register_as(server, "username", json!(name)).await;
            assert_eq!(answer.wrong_fields(), ["username"], "{name:?}");
        }
        for name in ["bob", &"b".repeat(30)] {
            server.register(name).await;
        }
    }

    async fn a_username_cannot_be_mistaken_for_an_id(server) {
        let answer = register_as(server, "username", json!("abcdefabcdefabcdefabcdef")).await;
        assert_eq!(answer.wrong_fields(), ["username"]);
    }

    async fn a_password_has_8_characters_to_71_bytes(server) {
        let long = "x".repeat(72);
        let wide = "é".repeat(36);
        for bad in ["", "1234567", "ééééééé", &long, &wide] {
            let answer = register_as(server, "password", json!(bad)).await;
            assert_eq!(answer.wrong_fields(), ["password"], "{bad}");
        }
        for (number, good) in ["éééééééé", &"x".repeat(71)].into_iter().enumerate() {
            let mut body = registration(&format!("person{number}"));
            body["password"] = json!(good);
            server.post("/api/auth/register", &body).await.data(201);
            let login = json!({ "username": body["username"], "password": good });
            server.post("/api/auth/login", &login).await.data(200);
        }
        // bcrypt reads 72 bytes: one more than the 71 that are set must not open the account.
        let longer = json!({ "username": "person1", "password": "x".repeat(72) });
        server.post("/api/auth/login", &longer).await.refused(401, "unauthenticated");
    }

    async fn everything_wrong_with_a_registration_is_told_at_once(server) {
        let body = json!({ "username": "x", "email": "nowhere", "role": "admin" });
        let answer = server.post("/api/auth/register", &body).await;
        assert_eq!(answer.wrong_fields(), ["username", "email", "password", "role"]);
    }

    async fn operator_objects_and_wrong_types_are_told_by_field(server) {
        server.register("alice").await;
        for wrong in [json!({ "$gt": "" }), json!(["alice"]), json!(7), json!(true)] {
            for field in ["username", "email", "password", "name", "role"] {
                let answer = register_as(server, field, wrong.clone()).await;
                assert_eq!(answer.wrong_fields(), [field], "{wrong}");
            }
            let login = json!({ "username": "alice", "password": wrong });
            let answer = server.post("/api/auth/login", &login).await;
            assert_eq!(answer.wrong_fields(), ["password"], "{wrong}");
            let login = json!({ "email": wrong, "password": PASSWORD });
            assert_eq!(server.post("/api/auth/login", &login).await.wrong_fields(), ["email"]);
        }
    }

    async fn one_logs_in_by_name_or_address_in_any_case(server) {
        let alice = server.register("Alice").await;
        for name in [
            json!({ "username": "Alice" }),
            json!({ "username": "aLICE" }),
            json!({ "email": "Alice@example.com" }),
            json!({ "email": "alice@EXAMPLE.com" }),
        ] {
            let mut body = name.clone();
            body["password"] = json!(PASSWORD);
            let data = server.post("/api/auth/login", &body).await.data(200);
            assert_eq!(data["user"]["_id"], alice.id, "{name}");
            assert!(data["token"].is_string() && data["refreshToken"].is_string());
            assert!(data["expiresIn"].is_u64());
        }
    }

    async fn a_login_needs_a_name_and_a_password(server) {
        let error = server.post("/api/auth/login", &json!({})).await;
        assert_eq!(error.wrong_fields(), ["email", "password"]);
    }

    async fn a_wrong_name_and_a_wrong_password_are_answered_alike(server) {
        server.register("alice").await;
        let mut told = Vec::new();
        for body in [
            json!({ "username": "alice", "password": "wrong password" }),
            json!({ "email": "alice@example.com", "password": "" }),
            json!({ "username": "nobody", "password": PASSWORD }),
            json!({ "email": "nobody@example.com", "password": PASSWORD }),
        ] {
            let answer = server.post("/api/auth/login", &body).await;
            let error = answer.refused(401, "unauthenticated");
            told.push((error, answer.body["message"].clone()));
        }
        assert!(told.iter().all(|one| one == &told[0]), "{told:?}");
    }

    #[set(BCRYPT_COST = "10")]
    async fn a_wrong_name_costs_the_work_of_a_wrong_password(server) {
        server.register("alice").await;
        let [mut known, mut unknown] = [Duration::MAX; 2];
        // In turn, so that a busy machine slows both.
        for _ in 0..3 {
            for (name, fastest) in [("alice", &mut known), ("nobody", &mut unknown)] {
                let body = json!({ "username": name, "password": "wrong password" });
                let started = Instant::now();
                server.post("/api/auth/login", &body).await.refused(401, "unauthenticated");
                *fastest = started.elapsed().min(*fastest);
            }
        }
        assert!(unknown > known / 3, "{unknown:?} for nobody, {known:?} for alice");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "the first password")]
    async fn the_first_admin_comes_from_the_environment(server) {
        let body = json!({ "email": "root@example.com", "password": "the first password" });
        let data = server.post("/api/auth/login", &body).await.data(200);
        assert_eq!(data["user"]["role"], "admin");
        assert_eq!(data["user"]["username"], "admin");
        // A second start finds the account there.
        server.restart().await;
        let again = server.post("/api/auth/login", &body).await.data(200);
        assert_eq!(again["user"]["_id"], data["user"]["_id"]);
    }

    async fn accounts_answer_under_the_old_prefix_too(server) {
        let data = server.post("/auth/register", &registration("alice")).await.data(201);
        let body = json!({ "username": "alice", "password": PASSWORD });
        let login = server.post("/auth/login", &body).await.data(200);
        assert_eq!(login["user"]["_id"], data["user"]["_id"]);
        let refresh = json!({ "refreshToken": login["refreshToken"] });
        let alice = server.post("/auth/refresh", &refresh).await.data(200);
        let alice = crate::support::Person::of(server, &alice);
        assert_eq!(alice.get("/auth/me").await.data(200)["user"]["username"], "alice");
        assert_eq!(alice.get("/auth/users").await.data(200)["users"], json!([]));
        let change = alice.patch("/auth/me", &json!({ "name": "A" })).await.data(200);
        assert_eq!(change["user"]["name"], "A");
        let forgotten = server.post("/auth/forgot-password", &json!({ "email": alice.email })).await;
        forgotten.data(200);
        let reset = json!({ "token": "none", "password": PASSWORD });
        server.post("/auth/reset-password", &reset).await.refused(401, "unauthenticated");
        server.post("/auth/login", &json!({})).await.refused(400, "validation_failed");
        alice.post("/auth/logout", &json!({})).await.data(200);
        alice.get("/auth/me").await.refused(401, "unauthenticated");
    }

    async fn an_account_outlives_the_server(server) {
        let alice = server.register("alice").await;
        server.restart().await;
        assert_eq!(alice.get("/api/auth/me").await.data(200)["user"]["_id"], alice.id);
        assert_eq!(server.log_in("alice").await.id, alice.id);
    }
}
