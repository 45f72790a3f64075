//! The REST door, as far as these tests need it.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};

/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(20);
/// Messages in one page of a history.
const PAGE: usize = 200;

/// An account, logged in.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) token: String,
}

#[derive(Clone)]
pub(crate) struct Rest {
    http: Client,
    pub(crate) base: String,
}

impl Rest {
    pub(crate) fn new(port: u16) -> Self {
        let http = Client::builder().timeout(LIMIT).build().unwrap();
        Self { http, base: format!("http://127.0.0.1:{port}") }
    }

    /// Registers somebody.
    pub(crate) async fn register(&self, name: &str) -> User {
        self.register_as(name, "user").await
    }

    /// Registers somebody who is a `user` or a `driver`.
    pub(crate) async fn register_as(&self, name: &str, role: &str) -> User {
        let body = json!({
            "username": name, "email": format!("{name}@example.com"), "password": "password123",
            "role": role,
        });
        let (status, answer) = self.post("/api/auth/register", None, body.to_string()).await;
        assert_eq!(status, 201, "{answer}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        User { id: text(&answer["data"]["user"]["_id"]), token: text(&answer["data"]["token"]) }
    }

    /// Logs somebody in, and gives the token.
    pub(crate) async fn log_in(&self, name: &str, password: &str) -> String {
        let body = json!({ "username": name, "password": password }).to_string();
        let (status, answer) = self.post("/api/auth/login", None, body).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"]["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn register_all<const N: usize>(&self, names: [&str; N]) -> [User; N] {
        let mut users = Vec::with_capacity(N);
        for name in names {
            users.push(self.register(name).await);
        }
        users.try_into().expect("one for each")
    }

    /// Sends a body, whatever it is, and gives status and answer.
    pub(crate) async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> (u16, Value) {
        self.send(self.http.post(format!("{}{path}", self.base)).body(body), token).await
    }

    pub(crate) async fn patch(&self, path: &str, token: &str, body: String) -> (u16, Value) {
        self.send(self.http.patch(format!("{}{path}", self.base)).body(body), Some(token)).await
    }

    pub(crate) async fn get(&self, path: &str, token: Option<&str>) -> (u16, Value) {
        self.send(self.http.get(format!("{}{path}", self.base)), token).await
    }

    /// Sends a body to a server that may be killed meanwhile: `None` when it did not answer.
    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        let answer = request.bearer_auth(token).json(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    async fn send(&self, request: reqwest::RequestBuilder, token: Option<&str>) -> (u16, Value) {
        let request = request.header("content-type", "application/json");
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// The status of `/health/ready`; 0 when nobody answers.
    pub(crate) async fn ready(&self) -> u16 {
        let answer = self.http.get(format!("{}/health/ready", self.base)).send().await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    /// How many sockets are connected.
    pub(crate) async fn sockets(&self) -> u64 {
        let (_, health) = self.get("/health", None).await;
        health["sockets"].as_u64().unwrap_or_else(|| panic!("{health}"))
    }

    /// The whole conversation of `user` with `peer`, page by page.
    pub(crate) async fn history(&self, user: &User, peer: &User) -> Vec<Value> {
        let mut messages: Vec<Value> = Vec::new();
        loop {
            let after = messages.last().map_or(0, |last| last["seq"].as_i64().unwrap());
            let path = format!("/api/messages/{}?limit={PAGE}&after={after}", peer.id);
            let (status, answer) = self.get(&path, Some(&user.token)).await;
            assert_eq!(status, 200, "{answer}");
            let page = answer["data"]["messages"].as_array().unwrap();
            messages.extend(page.iter().cloned());
            if page.len() < PAGE {
                return messages;
            }
        }
    }

    /// Makes a room of which these are the members, and gives its id.
    pub(crate) async fn create_room(&self, members: &[User]) -> String {
        let body = json!({ "name": "room" }).to_string();
        let (status, answer) = self.post("/rooms", Some(&members[0].token), body).await;
        assert_eq!(status, 201, "{answer}");
        let id = answer["data"]["room"]["id"].as_str().unwrap().to_owned();
        for member in &members[1..] {
            let path = format!("/rooms/{id}/join");
            let (status, answer) = self.post(&path, Some(&member.token), "").await;
            assert_eq!(status, 200, "{answer}");
        }
        id
    }

    /// Everything in a room, oldest first, page by page.
    pub(crate) async fn room_history(&self, member: &User, room: &str) -> Vec<Value> {
        let mut messages: Vec<Value> = Vec::new();
        loop {
            let after = messages.last().map_or(0, |last| last["seq"].as_i64().unwrap());
            let path = format!("/rooms/{room}/messages?pageSize={PAGE}&after={after}");
            let (status, answer) = self.get(&path, Some(&member.token)).await;
            assert_eq!(status, 200, "{answer}");
            let page = answer["data"]["messages"].as_array().unwrap();
            messages.extend(page.iter().rev().cloned());
            if page.len() < PAGE {
                return messages;
            }
        }
    }

    /// All orders of a customer.
    pub(crate) async fn orders(&self, customer: &User) -> Vec<Value> {
        let (mut orders, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/orders?limit=100{cursor}");
            let (status, answer) = self.get(&path, Some(&customer.token)).await;
            assert_eq!(status, 200, "{answer}");
            orders.extend(answer["data"]["orders"].as_array().unwrap().iter().cloned());
            match answer["data"]["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return orders,
            }
        }
    }

    /// Whether the directory shows a user as online.
    pub(crate) async fn is_online(&self, who: &User, asking: &User) -> bool {
        let (_, answer) = self.get("/api/auth/users", Some(&asking.token)).await;
        let users = answer["data"]["users"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let found = users.iter().find(|user| user["_id"] == who.id.as_str()).expect("is listed");
        found["isOnline"].as_bool().unwrap()
    }
}
