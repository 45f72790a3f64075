//! Who may do what on `/api/v1` and at its sockets: a table of every route and everybody.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::rest::PASSWORD;
use crate::support::v1::burger;
use crate::support::{Answer, Person, Raw, Server, time};

/// Method, path, body, and the status for the driver of the order, another driver, a customer and
/// an admin. `{order}` is an order that dan has; `$dan` in a body names him.
type Row = (&'static str, &'static str, &'static str, [u16; 4]);

const ROUTES: [Row; 19] = [
    ("GET", "driver/profile", "", [200, 200, 403, 403]),
    ("PUT", "driver/status", r#"{"status":"online"}"#, [200, 200, 403, 403]),
    (
        "POST",
        "driver/locations",
        r#"{"locations":[{"latitude":0,"longitude":0,"timestamp":"2025-05-20T16:30:00Z"}]}"#,
        [200, 200, 403, 403],
    ),
    ("GET", "orders/assigned", "", [200, 200, 403, 403]),
    ("GET", "earnings/today?tz=Europe/Vienna", "", [200, 200, 403, 403]),
    ("GET", "earnings/history", "", [200, 200, 403, 403]),
    ("GET", "orders/{order}", "", [200, 404, 404, 200]),
    ("PUT", "orders/{order}/status", r#"{"status":"out_for_delivery"}"#, [200, 404, 403, 200]),
    ("POST", "orders/{order}/accept", "", [200, 409, 403, 403]),
    ("POST", "orders/{order}/reject", "", [409, 409, 403, 403]),
    ("POST", "orders", "$burger", [403, 403, 403, 201]),
    ("GET", "orders", "", [403, 403, 403, 200]),
    ("POST", "orders/{order}/assign", r#"{"driver_id":"dan"}"#, [403, 403, 403, 200]),
    ("POST", "orders/{order}/unassign", "", [403, 403, 403, 200]),
    ("POST", "orders/{order}/cancel", r#"{"reason":"x"}"#, [403, 403, 404, 200]),
    ("POST", "pools", r#"{"order_ids":[{order}],"driver_id":"dan"}"#, [403, 403, 403, 201]),
    ("GET", "drivers", "", [403, 403, 403, 200]),
    ("GET", "drivers/dan/trail", "", [403, 403, 403, 200]),
    ("PATCH", "drivers/dan/status", r#"{"status":"online"}"#, [403, 403, 403, 200]),
];

async fn call(server: &Server, row: &Row, order: &Value, token: Option<&str>) -> Answer {
    let (method, path, body, _) = row;
    let number = order["order_id"].to_string();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let path = format!("/api/v1/{}", path.replace("{order}", &number));
    let mut request = server.request(method, &path);
    if !body.is_empty() {
        let body = body.replace("$burger", &burger().to_string()).replace("{order}", &number);
        request = request.header("content-type", "application/json").body(body);
    }
    Answer::of(token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth)).await
}

/// The word that belongs to a status.
fn word(status: u16) -> &'static str {
    match status {
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        other => panic!("{other}"),
    }
}

async fn order_of(admin: &Person, dan: &Person) -> Value {
    let mut body = burger();
    body["driver_id"] = json!(dan.username);
    admin.post("/api/v1/orders", &body).await.bare(201)
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn everybody_may_do_what_the_table_says(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let people = [&dan, &eve, &server.register("alice").await, &server.admin().await];
        for row in &ROUTES {
            for (who, expected) in people.iter().zip(row.3) {
                let order = order_of(people[3], &dan).await;
                let answer = call(server, row, &order, Some(&who.token)).await;
                if expected < 300 {
                    assert_eq!(answer.status, expected, "{row:?} by {}: {answer:?}", who.username);
                    assert!(
                        answer.body.get("success").is_none() && answer.body.get("code").is_none()
                    );
                } else {
                    assert_eq!(answer.status, expected, "{row:?} by {}: {answer:?}", who.username);
                    answer.refused_v1(expected, word(expected));
                }
            }
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn nobody_may_do_anything_without_a_token_that_holds(server) {
        let [dan, admin] = [server.driver("dan").await, server.admin().await];
        let order = order_of(&admin, &dan).await;
        let ended = [server.log_in("dan").await, server.admin().await];
        for person in &ended {
            person.post("/api/auth/logout", &json!({})).await.data(200);
        }
        let expired = [dan.until(-1), admin.until(-1)];
        for row in &ROUTES {
            for token in
                [None, Some("garbage"), Some(""), Some(&*ended[0].token), Some(&*ended[1].token)]
            {
                call(server, row, &order, token).await.refused_v1(401, "unauthenticated");
            }
            for person in &expired {
                call(server, row, &order, Some(&person.token))
                    .await
                    .refused_v1(401, "token_expired");
            }
        }
        let after = admin.get(&format!("/api/v1/orders/{}", order["order_id"])).await.bare(200);
        assert_eq!(after["status"], "preparing", "nothing was done");
        for path in ["ws/driver/dan", "ws/admin"] {
            for token in [
                "",
                "garbage",
                &ended[0].token,
                &ended[1].token,
                &expired[0].token,
                &expired[1].token,
            ] {
                let path = format!("/api/v1/{path}?token={token}");
                assert_eq!(Raw::refusal(server, &path).await, Some(4001), "{path}");
            }
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_does_not_exist_is_not_found_in_the_same_words(server) {
        let [dan, admin] = [server.driver("dan").await, server.admin().await];
        let nobody = "0".repeat(24);
        for (method, path, who) in [
            ("GET", "nothing".to_owned(), &dan),
            ("DELETE", "driver/profile".to_owned(), &dan),
            ("GET", "orders/999999".to_owned(), &dan),
            ("GET", format!("orders/{nobody}"), &admin),
            ("POST", "orders/999999/accept".to_owned(), &dan),
            ("POST", format!("orders/{nobody}/cancel"), &admin),
            ("POST", "orders/999999/unassign".to_owned(), &admin),
            ("GET", "drivers/nobody/trail".to_owned(), &admin),
            ("GET", "drivers/999999/trail".to_owned(), &admin),
            ("GET", format!("drivers/{}/trail", admin.id), &admin),
        ] {
            let request = who.request(
                Method::from_bytes(method.as_bytes()).unwrap(),
                &format!("/api/v1/{path}"),
            );
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
            answer.refused_v1(404, "not_found");
        }
        let order = admin.create().await;
        for driver in [json!("nobody"), json!(999_999), json!(admin.id)] {
            let given = admin.v1_on(&order, "assign", &json!({ "driver_id": driver })).await;
            given.refused_v1(404, "not_found");
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_app_logs_in_refreshes_and_reads_its_profile(server) {
        server.driver("dan").await;
        for wrong in [
            json!({ "username": "dan", "password": "wrong password" }),
            json!({ "username": "nobody", "password": PASSWORD }),
        ] {
            server.post("/api/v1/auth/login", &wrong).await.refused_v1(401, "unauthenticated");
        }
        server.post("/api/v1/auth/login", &json!({})).await.refused_v1(400, "validation_failed");
        let bad = json!({ "refresh_token": "garbage" });
        server.post("/api/v1/auth/refresh", &bad).await.refused_v1(401, "unauthenticated");
        let by = |field: &str, name: &str| json!({ field: name, "password": PASSWORD });
        let mut pair = Value::Null;
        for body in [by("username", "dan"), by("email", "dan@example.com")] {
            pair = server.post("/api/v1/auth/login", &body).await.bare(200);
            assert_eq!(
                (&pair["token_type"], &pair["driver"]["username"]),
                (&json!("bearer"), &json!("dan"))
            );
            assert!(pair["expires_in"].as_u64().is_some_and(|seconds| seconds > 0), "{pair}");
            time(&pair["driver"]["created_at"]);
        }
        let refresh = json!({ "refresh_token": pair["refresh_token"] });
        let fresh = server.post("/api/v1/auth/refresh", &refresh).await.bare(200);
        let token = fresh["access_token"].as_str().unwrap();
        let profile = server.request(Method::GET, "/api/v1/driver/profile").bearer_auth(token);
        assert_eq!(Answer::of(profile).await.bare(200), fresh["driver"]);
        let path = format!("/api/v1/ws/driver/{}?token={token}", fresh["driver"]["driver_id"]);
        Raw::open(server, &path).await.expect_connected().await;
        let admin = json!({ "email": "root@example.com", "password": PASSWORD });
        let admin = server.post("/api/v1/auth/login", &admin).await.bare(200);
        assert_eq!(admin["driver"], Value::Null);
    }
}
