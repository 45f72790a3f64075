//! REST as a client sees it, and the people who use it.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use waggle::clock::Timestamp;

use super::Server;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "password123";

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body as JSON, or as text where it is none.
    pub(crate) body: Value,
}

impl Answer {
    /// Sends a request and reads the answer.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self { status, headers, body }
    }

    /// `data` of a successful answer of the envelope dialect.
    #[track_caller]
    pub(crate) fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["success"], true, "{self:?}");
        assert!(self.body["message"].is_string(), "{self:?}");
        self.body["data"].clone()
    }

    /// `error` of a failure of the envelope dialect, with its code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["success"], false, "{self:?}");
        assert_eq!(self.body["error"]["code"], code, "{self:?}");
        assert!(self.body["message"].is_string(), "{self:?}");
        assert!(self.body["error"]["message"].is_string(), "{self:?}");
        assert!(self.body["requestId"].is_string(), "{self:?}");
        self.body["error"].clone()
    }

    /// The code of a failure, in whichever dialect; empty where there is none.
    pub(crate) fn code(&self) -> &str {
        let code = [&self.body["error"]["code"], &self.body["code"]];
        code.iter().find_map(|code| code.as_str()).unwrap_or_default()
    }

    /// The fields that a `validation_failed` names.
    #[track_caller]
    pub(crate) fn wrong_fields(&self) -> Vec<String> {
        fields(&self.refused(400, "validation_failed"))
    }

    /// A header as text, empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The fields that the `details` of an error name.
#[track_caller]
pub(crate) fn fields(error: &Value) -> Vec<String> {
    let details = error["details"].as_array().unwrap_or_else(|| panic!("no details: {error}"));
    assert!(details.iter().all(|detail| detail["message"].is_string()), "{error}");
    details.iter().map(|detail| detail["field"].as_str().unwrap().to_owned()).collect()
}

/// Somebody with an account, logged in once.
#[derive(Clone)]
pub(crate) struct Person {
    /// Where.
    pub(crate) server: Server,
    /// `_id`.
    pub(crate) id: String,
    /// Name.
    pub(crate) username: String,
    /// Address.
    pub(crate) email: String,
    /// Access token.
    pub(crate) token: String,
    /// Refresh token.
    pub(crate) refresh_token: String,
}

impl Server {
    /// A request without a token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http().request(method, self.url(path))
    }

    /// `GET` without a token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// `POST` without a token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// Registers somebody.
    pub(crate) async fn register(&self, username: &str) -> Person {
        let body = registration(username);
        let data = self.post("/api/auth/register", &body).await.data(201);
        Person::of(self, &data)
    }

    /// Registers several people.
    pub(crate) async fn people<const N: usize>(&self, names: [&str; N]) -> [Person; N] {
        let mut people = Vec::new();
        for name in names {
            people.push(self.register(name).await);
        }
        people.try_into().unwrap_or_else(|_| unreachable!("one for each name"))
    }

    /// Waits until so many sockets are connected.
    pub(crate) async fn until_sockets(&self, count: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let sockets = self.get("/health").await.body["sockets"].clone();
            if sockets == count {
                return;
            }
            assert!(Instant::now() < deadline, "{sockets} sockets, not {count}");
        }
    }

    /// Logs in with a name and everybody's password.
    pub(crate) async fn log_in(&self, username: &str) -> Person {
        let body = json!({ "username": username, "password": PASSWORD });
        Person::of(self, &self.post("/api/auth/login", &body).await.data(200))
    }
}

/// What somebody of this name registers with.
pub(crate) fn registration(username: &str) -> Value {
    json!({
        "username": username,
        "email": format!("{username}@example.com"),
        "password": PASSWORD,
    })
}

impl Person {
    /// Whoever the answer of a registration, login or refresh is about.
    pub(crate) fn of(server: &Server, data: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{data}")).to_owned();
        Self {
            server: server.clone(),
            id: text(&data["user"]["_id"]),
            username: text(&data["user"]["username"]),
            email: text(&data["user"]["email"]),
            token: text(&data["token"]),
            refresh_token: text(&data["refreshToken"]),
        }
    }

    /// A request with the token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.server.request(method, path).bearer_auth(&self.token)
    }

    /// `GET`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// `POST`.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(body)).await
    }

    /// `PATCH`.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(Method::PATCH, path).json(body)).await
    }

    /// `PUT` without a body.
    pub(crate) async fn put(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::PUT, path)).await
    }

    /// Marks everything from somebody as read; gives the count.
    pub(crate) async fn read_all(&self, peer: &Self) -> Value {
        let answer = self.put(&format!("/api/messages/read/{}", peer.id)).await;
        answer.data(200)["modifiedCount"].clone()
    }

    /// The conversation with somebody, with a query.
    pub(crate) async fn history(&self, peer: &Self, query: &str) -> Vec<Value> {
        let data = self.get(&format!("/api/messages/{}{query}", peer.id)).await.data(200);
        let messages = data["messages"].as_array().unwrap().clone();
        assert_eq!(data["count"], messages.len());
        messages
    }

    /// Exchanges the refresh token.
    pub(crate) async fn refresh(&self) -> Answer {
        let body = json!({ "refreshToken": self.refresh_token });
        self.server.post("/api/auth/refresh", &body).await
    }
}

/// Whether this is an id as the wire shows them.
pub(crate) fn is_id(value: &Value) -> bool {
    let hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    value.as_str().is_some_and(|text| text.len() == 24 && text.chars().all(hex))
}

/// A time of the wire: RFC 3339, UTC, with milliseconds.
#[track_caller]
pub(crate) fn time(value: &Value) -> Timestamp {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no time"));
    assert!(text.len() == 24 && text.ends_with('Z') && text.as_bytes()[19] == b'.', "{text}");
    text.parse().unwrap()
}
