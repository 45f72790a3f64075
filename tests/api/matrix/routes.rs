//! The routes: of each the status for everybody.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};

use super::{Cast, Scene, assert_silent};
use crate::support::documents::pattern;
use crate::support::{Answer, Person, Server};

/// Method, path, body, and the status for alice, to whom it all belongs, for mia, who is in her
/// rooms, for bob, another user, for dan, the driver of the order, for eve, another driver, and for
/// the admin. What stands in braces is made for each call.
type Row = (&'static str, &'static str, &'static str, [u16; 6]);

const EVERYBODY: [u16; 6] = [200; 6];
const DRIVERS: [u16; 6] = [403, 403, 403, 200, 200, 403];
const ADMINS: [u16; 6] = [403, 403, 403, 403, 403, 200];
/// What is done with a public room by its members, its owner, and everybody.
const MEMBERS: [u16; 6] = [200, 200, 403, 403, 403, 403];
const OWNER: [u16; 6] = [200, 403, 403, 403, 403, 403];

#[rustfmt::skip]
const ROUTES: &[Row] = &[
    ("POST", "/api/auth/logout", "{}", EVERYBODY),
    ("GET", "/api/auth/me", "", EVERYBODY),
    ("PATCH", "/api/auth/me", r#"{"image":"a.png"}"#, EVERYBODY),
    ("GET", "/api/auth/users", "", EVERYBODY),
    ("GET", "/api/messages/{mia}", "", EVERYBODY),
    ("PUT", "/api/messages/read/{mia}", "", EVERYBODY),
    ("GET", "/api/messages/unread/count", "", EVERYBODY),
    ("GET", "/api/conversations", "", EVERYBODY),
    ("POST", "/rooms", r#"{"name":"x"}"#, [201; 6]),
    ("GET", "/rooms", "", EVERYBODY),
    ("GET", "/rooms/{open}", "", EVERYBODY),
    ("PATCH", "/rooms/{open}", r#"{"description":"x"}"#, OWNER),
    ("DELETE", "/rooms/{open}", "", OWNER),
    ("POST", "/rooms/{open}/join", "", EVERYBODY),
    ("POST", "/rooms/{open}/leave", "", MEMBERS),
    ("POST", "/rooms/{open}/invite", "{}", [201, 201, 403, 403, 403, 403]),
    ("GET", "/rooms/{open}/invites", "", OWNER),
    ("DELETE", "/rooms/{open}/invites/{invite}", "", OWNER),
    ("GET", "/rooms/{open}/members", "", MEMBERS),
    ("DELETE", "/rooms/{open}/members/{mia}", "", OWNER),
    ("PATCH", "/rooms/{open}/members/{mia}", r#"{"role":"admin"}"#, OWNER),
    ("GET", "/rooms/{open}/presence", "", MEMBERS),
    ("GET", "/rooms/{open}/messages", "", MEMBERS),
    ("GET", "/rooms/{open}/messages/{message}/receipts", "", MEMBERS),
    ("POST", "/api/orders", r#"{"items":["x"]}"#, [201, 201, 201, 403, 403, 201]),
    ("GET", "/api/orders", "", EVERYBODY),
    ("GET", "/api/orders/{taken}", "", [200, 404, 404, 200, 404, 200]),
    ("POST", "/api/orders/{taken}/accept", "", [403, 403, 403, 200, 409, 403]),
    ("POST", "/api/orders/{pending}/accept", "", DRIVERS),
    ("POST", "/api/orders/{taken}/reject", "", [403, 403, 403, 409, 409, 403]),
    ("POST", "/api/orders/{pending}/reject", "", DRIVERS),
    ("POST", "/api/orders/{taken}/cancel", "", [200, 404, 404, 403, 403, 200]),
    ("PUT", "/api/orders/{taken}/status", r#"{"status":"outForDelivery"}"#, [403, 403, 403, 200, 404, 200]),
    ("POST", "/api/orders/{pending}/assign", r#"{"driverId":"dan"}"#, ADMINS),
    ("POST", "/api/orders/{taken}/unassign", "", ADMINS),
    ("GET", "/api/orders/{taken}/track", "", [200, 404, 404, 200, 404, 200]),
    ("GET", "/api/orders/{pending}/track", "", [200, 404, 404, 403, 403, 200]),
    ("GET", "/api/drivers/nearby?lat=0&lng=0", "", EVERYBODY),
    ("GET", "/api/drivers/me", "", DRIVERS),
    ("PUT", "/api/drivers/me/availability", r#"{"available":true}"#, DRIVERS),
    ("POST", "/api/drivers/me/location", r#"{"latitude":0,"longitude":0}"#, DRIVERS),
    ("GET", "/api/v1/driver/profile", "", DRIVERS),
    ("PUT", "/api/v1/driver/status", r#"{"status":"online"}"#, DRIVERS),
    ("POST", "/api/v1/driver/locations", r#"{"locations":[{"latitude":0,"longitude":0,"timestamp":"2025-05-20T16:30:00Z"}]}"#, DRIVERS),
    ("GET", "/api/v1/orders", "", ADMINS),
    ("POST", "/api/v1/orders", r#"{"restaurant_name":"B","pickup_address":"P","delivery_address":"D"}"#, [403, 403, 403, 403, 403, 201]),
    ("GET", "/api/v1/orders/assigned", "", DRIVERS),
    ("GET", "/api/v1/orders/{taken}", "", [200, 404, 404, 200, 404, 200]),
    ("PUT", "/api/v1/orders/{taken}/status", r#"{"status":"out_for_delivery"}"#, [403, 403, 403, 200, 404, 200]),
    ("POST", "/api/v1/orders/{taken}/accept", "", [403, 403, 403, 200, 409, 403]),
    ("POST", "/api/v1/orders/{pending}/reject", "", DRIVERS),
    ("POST", "/api/v1/orders/{pending}/assign", r#"{"driver_id":"dan"}"#, ADMINS),
    ("POST", "/api/v1/orders/{taken}/unassign", "", ADMINS),
    ("POST", "/api/v1/orders/{taken}/cancel", r#"{"reason":"x"}"#, [200, 404, 404, 403, 403, 200]),
    ("POST", "/api/v1/pools", r#"{"order_ids":["{pending}"],"driver_id":"dan"}"#, [403, 403, 403, 403, 403, 201]),
    ("GET", "/api/v1/earnings/today", "", DRIVERS),
    ("GET", "/api/v1/earnings/history", "", DRIVERS),
    ("GET", "/api/v1/drivers", "", ADMINS),
    ("GET", "/api/v1/drivers/{dan}/trail", "", ADMINS),
    ("PATCH", "/api/v1/drivers/{dan}/status", r#"{"status":"online"}"#, ADMINS),
    ("GET", "/api/admin/sockets", "", ADMINS),
    ("GET", "/api/admin/sockets/{socket}", "", ADMINS),
    ("DELETE", "/api/admin/sockets/{socket}", "", ADMINS),
    ("DELETE", "/api/admin/users/{guest}/sockets", "", ADMINS),
    ("PUT", "/api/admin/users/{guest}/ban", r#"{"reason":"x"}"#, ADMINS),
    ("DELETE", "/api/admin/users/{guest}/ban", "", ADMINS),
    ("GET", "/api/admin/bans", "", ADMINS),
    ("POST", "/driver/update", r#"{"lat":0,"long":0}"#, DRIVERS),
];

/// Routes that look at no token: the same for everybody.
#[rustfmt::skip]
const OPEN: &[(&str, &str, &str, u16)] = &[
    ("POST", "/api/auth/register", r#"{"username":"{new}","email":"{new}@example.com","password":"password123"}"#, 201),
    ("POST", "/api/auth/login", r#"{"username":"mia","password":"password123"}"#, 200),
    ("POST", "/api/auth/refresh", r#"{"refreshToken":"x"}"#, 401),
    ("POST", "/api/auth/forgot-password", r#"{"email":"nobody@example.com"}"#, 200),
    ("POST", "/api/auth/reset-password", r#"{"token":"x","password":"password123"}"#, 401),
    ("POST", "/api/v1/auth/login", r#"{"username":"dan","password":"password123"}"#, 200),
    ("POST", "/api/v1/auth/refresh", r#"{"refresh_token":"x"}"#, 401),
    ("POST", "/login", r#"{"username":"dan","password":"password123"}"#, 200),
    ("GET", "/health", "", 200),
    ("GET", "/health/live", "", 200),
    ("GET", "/health/ready", "", 200),
    ("GET", "/metrics", "", 200),
];

/// The rows, and those of public rooms again for private ones, which are not there for strangers.
fn rows() -> Vec<(&'static str, String, &'static str, [u16; 6])> {
    let mut rows = Vec::new();
    for (method, path, body, who) in ROUTES {
        rows.push((*method, (*path).to_owned(), *body, *who));
        if path.contains("{open}") {
            let who = [who[0], who[1], 404, 404, 404, 404];
            rows.push((*method, path.replace("{open}", "{closed}"), *body, who));
        }
    }
    rows
}

fn request(server: &Server, scene: &Scene<'_>, row: (&str, &str, &str)) -> RequestBuilder {
    let (method, path, body) = row;
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = server.request(method, &scene.fill(path));
    if body.is_empty() {
        return request;
    }
    request.header("content-type", "application/json").body(scene.fill(body))
}

const fn word(status: u16) -> &'static str {
    match status {
        401 => "unauthenticated",
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        _ => "",
    }
}

/// A fresh token, where the call would end the login session.
async fn token(server: &Server, person: &Person, path: &str) -> String {
    if path.ends_with("/logout") && person.username != "root" {
        return server.log_in(&person.username).await.token;
    }
    if path.ends_with("/logout") {
        return server.admin().await.token;
    }
    person.token.clone()
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn every_route_answers_everybody_as_the_table_says(server) {
        let cast = Cast::of(server).await;
        for (method, path, body, who) in rows() {
            for (person, expected) in cast.everybody().into_iter().zip(who) {
                let about = format!("{method} {path} by {}", person.username);
                let scene = Scene::for_text(&cast, &format!("{path} {body}")).await;
                let refused = expected >= 400;
                let before = if refused { scene.state().await } else { Vec::new() };
                let token = token(server, person, &path).await;
                let request = request(server, &scene, (method, &path, body)).bearer_auth(token);
                let answer = Answer::of(request).await;
                assert_eq!(answer.status, expected, "{about}: {answer:?}");
                assert_eq!(answer.code(), word(expected), "{about}: {answer:?}");
                assert_silent(&cast, Some(person), &answer.body, &about);
                if refused {
                    assert_eq!(scene.state().await, before, "{about} changed something");
                }
            }
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn no_route_answers_without_a_token_that_holds(server) {
        let cast = Cast::of(server).await;
        for (method, path, body, who) in rows() {
            let owner = who.iter().position(|status| *status < 300).unwrap_or(3);
            let expired = cast.everybody()[owner].until(-1).token;
            let scene = Scene::for_text(&cast, &format!("{path} {body}")).await;
            let before = scene.state().await;
            // Seed 000's surface tells a missing token from a bad one by the status.
            let late = if path == "/driver/update" { 403 } else { 401 };
            for (token, status, word) in [
                (None, 401, "unauthenticated"),
                (Some(expired.as_str()), late, "token_expired"),
            ] {
                let request = request(server, &scene, (method, &path, body));
                let request = token.into_iter().fold(request, RequestBuilder::bearer_auth);
                let answer = Answer::of(request).await;
                let got = (answer.status, answer.code());
                assert_eq!(got, (status, word), "{method} {path} {token:?}: {answer:?}");
                assert_silent(&cast, None, &answer.body, &path);
            }
            assert_eq!(scene.state().await, before, "{method} {path} changed something");
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn every_route_is_in_the_table(server) {
        let cast = Cast::of(server).await;
        let mut known: BTreeSet<String> =
            rows().iter().map(|(method, path, ..)| pattern(method, path)).collect();
        for (method, path, body, status) in OPEN {
            known.insert(pattern(method, path));
            for token in [None, Some(cast.bob.until(-1).token), Some(cast.bob.token.clone())] {
                let scene = Scene::for_text(&cast, "").await;
                let request = request(server, &scene, (method, path, body));
                let request = token.into_iter().fold(request, RequestBuilder::bearer_auth);
                let answer = Answer::of(request).await;
                assert_eq!(answer.status, *status, "{method} {path}: {answer:?}");
                assert_silent(&cast, None, &answer.body, path);
            }
        }
        let documented = server.documented_routes().await;
        assert_eq!(known, documented.into_iter().map(|(route, _)| route).collect());
    }
}
