//! Traces (feature `otlp`), as a collector gets them from the program.

#![cfg(feature = "otlp")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStderr, Command};
use tokio_tungstenite::tungstenite::Message;

const PASSWORD: &str = "a-password-nobody-exports";
const TEXT: &str = "a text nobody exports";
const PATIENCE: Duration = Duration::from_secs(15);

/// What was sent to it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    /// Starts one; gives its address, too.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let bodies = collector.0.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            bodies.lock().unwrap().push(body);
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, url)
    }

    /// Waits for the first spans, which come while the server runs.
    async fn first(&self) {
        let begun = Instant::now();
        while self.0.lock().unwrap().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "nothing came");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().concat()
    }

    fn contains(&self, text: &str) -> bool {
        self.bytes().windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Every span, and the resource that they are of.
    fn spans(&self) -> (BTreeMap<String, String>, Vec<Span>) {
        let (mut resource, mut spans) = (BTreeMap::new(), Vec::new());
        // Concatenated messages are one message: of repeated fields, all.
        let bytes = self.bytes();
        for of_resource in fields(&bytes, 1) {
            resource.extend(fields(of_resource, 1).into_iter().flat_map(|it| attributes(it, 1)));
            for scope in fields(of_resource, 2) {
                spans.extend(fields(scope, 2).into_iter().map(Span::read));
            }
        }
        (resource, spans)
    }
}

/// What of a span is looked at.
#[derive(Debug)]
struct Span {
    name: String,
    id: Vec<u8>,
    parent: Vec<u8>,
    attributes: BTreeMap<String, String>,
}

impl Span {
    fn read(bytes: &[u8]) -> Self {
        let first =
            |number| fields(bytes, number).first().map(|it| it.to_vec()).unwrap_or_default();
        Self {
            name: String::from_utf8(first(5)).unwrap(),
            id: first(2),
            parent: first(4),
            attributes: attributes(bytes, 9),
        }
    }

    fn has(&self, attribute: &str, value: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|it| it == value)
    }
}

/// The `KeyValue`s of one field: strings, and numbers as text.
fn attributes(message: &[u8], number: u64) -> BTreeMap<String, String> {
    let pairs = fields(message, number).into_iter().map(|pair| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let any = fields(pair, 2)[0];
        let value = fields(any, 1).first().map(|it| text(it));
        let value = value.or_else(|| numbers(any, 3).first().map(u64::to_string));
        (text(fields(pair, 1)[0]), value.unwrap_or_default())
    });
    pairs.collect()
}

/// Everything of a protobuf message that stands under a number: bytes, and numbers.
fn read(mut message: &[u8], wanted: u64) -> (Vec<&[u8]>, Vec<u64>) {
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    while !message.is_empty() {
        let tag = varint(&mut message);
        let part = match tag & 7 {
            0 => {
                let value = varint(&mut message);
                if tag >> 3 == wanted {
                    values.push(value);
                }
                continue;
            }
            1 => take(&mut message, 8),
            2 => {
                let length = varint(&mut message) as usize;
                take(&mut message, length)
            }
            5 => take(&mut message, 4),
            other => panic!("wire type {other}"),
        };
        if tag >> 3 == wanted {
            parts.push(part);
        }
    }
    (parts, values)
}

fn fields(message: &[u8], number: u64) -> Vec<&[u8]> {
    read(message, number).0
}

fn numbers(message: &[u8], number: u64) -> Vec<u64> {
    read(message, number).1
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (part, rest) = message.split_at(length);
    *message = rest;
    part
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for at in 0.. {
        let byte = take(message, 1)[0];
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// The program, with an embedded store in a directory that ends with it.
struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    log: String,
    port: u16,
    dir: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Server {
    async fn start(endpoint: &str, set: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("waggle-otlp-{:016x}", rand::random::<u64>()));
        std::fs::create_dir(&dir).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_waggle"));
        command.env_clear().current_dir(&dir).kill_on_drop(true).stderr(Stdio::piped());
        command.envs([("HOST", "127.0.0.1"), ("PORT", "0"), ("BCRYPT_COST", "4")]);
        command.env("OTLP_ENDPOINT", endpoint).envs(set.iter().copied());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let port = loop {
            let from = log.len();
            assert!(stderr.read_line(&mut log).await.unwrap() > 0, "{log}");
            if let Some((_, rest)) = log[from..].split_once("ports=[") {
                break rest.split(']').next().unwrap().parse().unwrap();
            }
        };
        Self { child, stderr, log, port, dir }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = reqwest::Client::new().post(self.url(path)).json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json().await.unwrap()
    }

    /// A name, a password, and a login with both; gives the token.
    async fn person(&self) -> String {
        let body =
            json!({ "username": "alice", "email": "alice@example.com", "password": PASSWORD });
        self.post("/api/auth/register", &body).await;
        let body = json!({ "username": "alice", "password": PASSWORD });
        let answer = self.post("/api/auth/login", &body).await;
        answer["data"]["token"].as_str().unwrap().to_owned()
    }

    /// Sends an event that fails, and waits for its ack.
    async fn event(&self, token: &str) {
        let url = format!("ws://127.0.0.1:{}/socket.io/?EIO=4&transport=websocket", self.port);
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let payload = json!({ "receiverId": "0123456789abcdef01234567", "content": TEXT });
        let connect = format!("40{}", json!({ "token": token }));
        let event = format!("420{}", json!(["send_message", payload]));
        for (sent, answer) in [(connect, "40{"), (event, "430[")] {
            socket.send(Message::text(sent)).await.unwrap();
            let answered = async {
                while !socket
                    .next()
                    .await
                    .unwrap()
                    .unwrap()
                    .into_text()
                    .unwrap()
                    .starts_with(answer)
                {}
            };
            tokio::time::timeout(PATIENCE, answered).await.expect(answer);
        }
    }

    /// Ends it with SIGTERM; gives how long that took.
    async fn stop(&mut self) -> Duration {
        let pid = self.child.id().unwrap().to_string();
        let begun = Instant::now();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        self.stderr.read_to_string(&mut self.log).await.unwrap();
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends");
        assert_eq!(status.unwrap().code(), Some(0), "{}", self.log);
        begun.elapsed()
    }
}

#[tokio::test]
async fn requests_and_events_are_spans_without_secrets() {
    let (collector, url) = Collector::start().await;
    let mut server = Server::start(&url, &[]).await;
    assert!(server.log.contains(&format!("traces={url}")), "{}", server.log);
    let token = server.person().await;
    collector.first().await;
    let me = reqwest::get(server.url(&format!("/api/auth/me?token={token}"))).await.unwrap();
    assert_eq!(me.status(), 200);
    let nowhere = reqwest::get(server.url(&format!("/nowhere?token={token}"))).await.unwrap();
    assert_eq!(nowhere.status(), 404);
    server.event(&token).await;
    server.stop().await;

    let (resource, spans) = collector.spans();
    assert_eq!(resource["service.name"], "waggle");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    let one = |name: &str| {
        let mut named = spans.iter().filter(|span| span.name == name);
        let found = named.next().unwrap_or_else(|| panic!("{name} in {spans:#?}"));
        assert!(named.next().is_none(), "{name} twice in {spans:#?}");
        found
    };
    let login = one("POST /api/auth/login");
    assert!(login.has("http.request.method", "POST"), "{login:?}");
    assert!(login.has("http.response.status_code", "200"), "{login:?}");
    let me = one("GET /api/auth/me");
    assert!(me.has("url.path", "/api/auth/me") && me.has("http.route", "/api/auth/me"), "{me:?}");
    assert!(me.attributes.contains_key("request") && me.attributes.contains_key("user"), "{me:?}");
    let nowhere = spans.iter().find(|span| span.has("url.path", "/nowhere")).unwrap();
    assert_eq!(nowhere.name, "GET");
    let event = one("send_message");
    assert!(event.has("event", "send_message") && event.has("outcome", "not_found"), "{event:?}");
    let socket =
        spans.iter().find(|span| span.name == "events" && span.id == event.parent).unwrap();
    assert_eq!(socket.attributes["user"], me.attributes["user"]);
    assert_eq!(socket.attributes["socket"], event.attributes["socket"]);
    assert!(collector.contains("/api/auth/me"), "what is sent is looked through");
    for secret in
        [PASSWORD, &token, TEXT, "alice@example.com", "token=", &server.dir.display().to_string()]
    {
        assert!(!collector.contains(secret), "{secret}");
    }
    // The log is what it is without traces.
    assert!(!server.log.contains("otel") && !server.log.contains("http.request"), "{}", server.log);
}

#[tokio::test]
async fn nothing_is_exported_of_what_is_not_sampled() {
    let (collector, url) = Collector::start().await;
    let mut server = Server::start(&url, &[("OTLP_SAMPLE_RATIO", "0")]).await;
    let token = server.person().await;
    server.event(&token).await;
    server.stop().await;
    assert!(collector.bytes().is_empty(), "{:?}", collector.spans());
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nothing_up() {
    // Connections are taken by the system, and nobody reads.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = Server::start(&url, &[]).await;
    let token = server.person().await;
    // Until the exporter waits for an answer.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let begun = Instant::now();
    server.event(&token).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let stopping = server.stop().await;
    assert!(stopping < Duration::from_secs(5), "{stopping:?}");
    assert!(server.log.contains("the last traces were not exported"), "{}", server.log);
}

#[tokio::test]
async fn a_collector_that_is_away_is_told_of_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut server = Server::start(&url, &[]).await;
    for _ in 0..3 {
        reqwest::get(server.url("/health")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
    server.stop().await;
    assert_eq!(server.log.matches("traces cannot be exported").count(), 1, "{}", server.log);
}

#[tokio::test]
async fn what_is_no_collector_is_refused_at_start() {
    for (name, value) in [
        ("OTLP_ENDPOINT", "https://collector:4318"),
        ("OTLP_ENDPOINT", "http://name:password@collector"),
        ("OTLP_SAMPLE_RATIO", "1.5"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_waggle"));
        command.env_clear().current_dir(std::env::temp_dir()).env(name, value);
        let output = command.arg("--check-config").output().await.unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("{name} must be")) && !text.contains("password"), "{text}");
    }
}
