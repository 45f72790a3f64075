//! Rate limits: at every limited route and event, with what the contract says of them (§1, §10).

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::chat::to;
use crate::connections::until;
use crate::support::access::now;
use crate::support::process::Process;
use crate::support::rest::{PASSWORD, registration};
use crate::support::transport::Packet;
use crate::support::{Answer, Person, Server, Socket};

/// The longest that an answer waits for its turn is five seconds; where that is far away, half of it
/// at least.
const LATE: Duration = Duration::from_millis(2500);
/// The longest that an event waits for its turn; where that is far away, half of it at least.
const LATEST_EVENT: Duration = Duration::from_secs(1);

/// The three headers of a limited answer.
#[track_caller]
fn check_headers(answer: &Answer, limit: u32, remaining: u32) {
    assert_eq!(answer.header("x-ratelimit-limit"), limit.to_string(), "{answer:?}");
    assert_eq!(answer.header("x-ratelimit-remaining"), remaining.to_string(), "{answer:?}");
    let reset: i64 = answer.header("x-ratelimit-reset").parse().unwrap();
    assert!((now() - 1..=now() + 61).contains(&reset), "{reset} is Unix seconds");
}

#[track_caller]
fn check_refusal(answer: &Answer, limit: u32) {
    let error = answer.refused(429, "rate_limited");
    let retry: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&retry), "{retry}");
    assert_eq!(error["retryAfter"], retry);
    check_headers(answer, limit, 0);
}

async fn log_in(server: &Server, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password });
    server.post("/api/auth/login", &body).await
}

async fn rename(person: &Person) -> Answer {
    person.patch("/api/auth/me", &json!({ "name": "new" })).await
}

on_every_store! {
    #[set(RATE_LIMITS = "on", RATE_LIMIT_LOGINS = "3/1m")]
    async fn logins_are_limited_by_address(server) {
        server.register("alice").await;
        for left in [2, 1, 0] {
            let answer = log_in(server, if left == 1 { "nobody" } else { "alice" }, PASSWORD).await;
            check_headers(&answer, 3, left);
        }
        check_refusal(&log_in(server, "alice", PASSWORD).await, 3);
        check_refusal(&log_in(server, "bob", PASSWORD).await, 3);
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_LOGINS = "20/1m", RATE_LIMIT_LOGIN_FAILURES = "3/1m")]
    async fn failed_logins_are_limited_by_account(server) {
        let [alice, _] = server.people(["alice", "bob"]).await;
        for _ in 0..2 {
            log_in(server, "alice", "wrong password").await.refused(401, "unauthenticated");
        }
        // Who gets in starts anew.
        log_in(server, "alice", PASSWORD).await.data(200);
        for name in ["alice", "ALICE"] {
            log_in(server, name, "wrong password").await.refused(401, "unauthenticated");
        }
        let by_address = json!({ "email": alice.email, "password": "wrong password" });
        let third = server.post("/api/auth/login", &by_address).await;
        third.refused(401, "unauthenticated");
        // The limit that is shown is this one, not that of the address.
        check_refusal(&log_in(server, "alice", PASSWORD).await, 3);
        log_in(server, "bob", PASSWORD).await.data(200);
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_LOGINS = "off", RATE_LIMIT_LOGIN_FAILURES = "2/1m")]
    async fn a_name_that_nobody_has_is_limited_like_one_that_somebody_has(server) {
        for _ in 0..2 {
            log_in(server, "nobody", PASSWORD).await.refused(401, "unauthenticated");
        }
        log_in(server, "nobody", PASSWORD).await.refused(429, "rate_limited");
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_REGISTRATIONS = "2/1m")]
    async fn registrations_are_limited_by_address(server) {
        let first = server.post("/api/auth/register", &registration("alice")).await;
        first.data(201);
        check_headers(&first, 2, 1);
        let second = server.post("/api/auth/register", &json!({})).await;
        second.refused(400, "validation_failed");
        check_headers(&second, 2, 0);
        check_refusal(&server.post("/api/auth/register", &registration("bob")).await, 2);
        let forgotten = json!({ "email": "alice@example.com" });
        check_refusal(&server.post("/api/auth/forgot-password", &forgotten).await, 2);
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_REST_WRITES = "3/1m")]
    async fn what_changes_something_is_limited_by_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        check_headers(&rename(&alice).await, 3, 2);
        let read = alice.put(&format!("/api/messages/read/{}", bob.id)).await;
        read.data(200);
        check_headers(&read, 3, 1);
        check_headers(&rename(&alice).await, 3, 0);
        check_refusal(&rename(&alice).await, 3);
        check_refusal(&alice.post("/api/auth/logout", &json!({})).await, 3);
        check_refusal(&alice.put(&format!("/api/messages/read/{}", bob.id)).await, 3);
        // Reading goes on, and so do others.
        alice.get("/api/auth/me").await.data(200);
        rename(&bob).await.data(200);
        let anonymous = server.request(Method::PATCH, "/api/auth/me").json(&json!({}));
        Answer::of(anonymous).await.refused(401, "unauthenticated");
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_SENDS = "3/1m")]
    async fn sends_are_limited_by_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut socket, mut other) = (alice.connect("/").await, alice.connect("/chat").await);
        for number in 0..3 {
            let socket = if number == 1 { &mut other } else { &mut socket };
            socket.done("send_message", &to(&bob, "hello")).await;
        }
        for socket in [&mut socket, &mut other] {
            let ack = socket.emit_ack("send_message", &to(&bob, "too many")).await;
            let told = socket.expect("error").await;
            for error in [&ack["error"], &told] {
                assert_eq!(error["code"], "rate_limited", "{ack}");
                assert!((1..=60).contains(&error["retryAfter"].as_u64().unwrap()), "{error}");
                assert_eq!(error["remaining"], 0, "{error}");
            }
            assert_eq!(ack["ok"], false);
        }
        bob.connect("/").await.done("send_message", &to(&alice, "I may")).await;
        assert_eq!(alice.history(&bob, "").await.len(), 4);
        socket.done("typing_start", &json!({ "receiverId": bob.id })).await;
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_SENDS = "1/3s")]
    async fn what_was_refused_may_be_done_after_the_time_that_was_told(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        socket.done("send_message", &to(&bob, "hello")).await;
        let refusal = socket.refused("send_message", &to(&bob, "hello"), "rate_limited").await;
        let wait = refusal["retryAfter"].as_u64().unwrap();
        assert!((1..=3).contains(&wait), "{wait}");
        // The server names this time, and nothing else tells when it is over.
        tokio::time::sleep(Duration::from_secs(wait)).await;
        socket.done("send_message", &to(&bob, "hello")).await;
    }

    #[set(
        RATE_LIMITS = "on",
        RATE_LIMIT_REFUSED_REQUESTS = "3/1m",
        RATE_LIMIT_REFUSED_EVENTS = "3/1m",
        TRUSTED_PROXIES = "127.0.0.0/8"
    )]
    async fn who_is_refused_too_much_is_answered_late(server) {
        let alice = server.register("alice").await;
        server.stop().await;
        // Its metrics are of nothing else.
        let process = Process::start(server).await;
        let mut socket = alice.connect("/").await;
        let ask = async |address: &str| {
            let request = server.request(Method::GET, "/api/auth/me").bearer_auth("bad");
            let request = request.header("x-forwarded-for", address);
            Answer::of(request).await.refused(401, "unauthenticated");
        };
        let struck = async |limit: &str| {
            let metrics = server.get("/metrics").await.body;
            let mine = format!("waggle_limits_struck_total{{limit=\"{limit}\"}} ");
            let mut lines = metrics.as_str().unwrap().lines();
            lines.find_map(|line| line.strip_prefix(&mine)?.parse::<u32>().ok()).unwrap_or(0)
        };
        for _ in 0..3 {
            ask("1.1.1.1").await;
            socket.refused("no_such_event", &json!({}), "not_found").await;
        }
        assert_eq!((struck("refused_requests").await, struck("refused_events").await), (0, 0));
        let started = Instant::now();
        ask("1.1.1.1").await;
        assert!(started.elapsed() >= LATE, "{:?}", started.elapsed());
        assert_eq!((struck("refused_requests").await, struck("refused_events").await), (1, 0));
        // What is refused is answered, and what follows waits.
        let started = Instant::now();
        socket.refused("no_such_event", &json!({}), "not_found").await;
        socket.round_trip().await;
        assert!(started.elapsed() >= LATEST_EVENT / 2, "{:?}", started.elapsed());
        assert_eq!((struck("refused_requests").await, struck("refused_events").await), (1, 1));
        ask("2.2.2.2").await;
        alice.get("/api/auth/me").await.data(200);
        assert_eq!(struck("refused_requests").await, 1);
        let head = "GET /api/auth/me HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n";
        // One that the server answers before it is gone does not count.
        until(async || {
            let before = struck("refused_requests").await;
            let mut impatient = TcpStream::connect(server.address()).await.unwrap();
            impatient.write_all(head.as_bytes()).await.unwrap();
            until(async || (struck("refused_requests").await > before).then_some(())).await;
            drop(impatient);
            let metrics = server.get("/metrics").await.body;
            metrics.as_str().unwrap().contains(r#"{status="499"}"#).then_some(())
        })
        .await;
        let times = struck("refused_requests").await;
        process.signal("TERM").await;
        let (code, log) = process.end().await;
        assert_eq!(code, Some(0));
        // What took its turn does not bury what stands in the log at `info`.
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<_> = lines.collect();
        let levels = |status: u16| {
            let refused =
                lines.iter().filter(|line| line["message"] == "request" && line["status"] == status);
            refused.map(|line| line["level"].as_str().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(levels(401)[..5], ["INFO", "INFO", "INFO", "DEBUG", "INFO"]);
        for levels in [&levels(401)[5..], &levels(499)] {
            assert!(levels.iter().all(|level| *level == "DEBUG"), "{levels:?}");
        }
        let limit = lines.iter().find(|line| line["limit"] == "refused_requests").unwrap();
        assert_eq!((&limit["times"], &limit["most"]), (&json!(times), &json!(format!("1.1.1.1 ({times})"))));
        server.start_with(&[]).await;
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_REFUSED_EVENTS = "1/1m", EVENT_QUEUE = "4")]
    async fn who_fills_the_queue_with_what_is_refused_is_cut(server) {
        let alice = server.register("alice").await;
        let mut bystander = alice.connect("/").await;
        let auth = json!({ "token": alice.token });
        let sockets = [alice.connect("/chat").await, Socket::polling(server, "/chat", &auth).await];
        for mut socket in sockets {
            for _ in 0..200 {
                socket.ask("no_such_event", &json!({}));
            }
            socket.expect_gone().await;
        }
        bystander.round_trip().await;
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_TYPING = "2/1m")]
    async fn typing_is_limited_by_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut socket, mut bobs) = (alice.connect("/").await, bob.connect("/").await);
        let payload = json!({ "receiverId": bob.id });
        socket.done("typing_start", &payload).await;
        socket.done("typing_stop", &payload).await;
        for event in ["typing_start", "typing_stop"] {
            let error = socket.refused(event, &payload, "rate_limited").await;
            assert!(error["retryAfter"].is_u64());
        }
        assert_eq!(bobs.all("user_typing").await.len(), 2);
        socket.done("send_message", &to(&bob, "hello")).await;
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_CONNECTS = "5/1m")]
    async fn connects_are_limited_by_address(server) {
        let alice = server.register("alice").await;
        let mut staying = alice.connect("/").await;
        for _ in 0..4 {
            let refused = Socket::try_connect(server, "/", &json!({ "token": "x" })).await;
            assert_eq!(refused.err().as_deref(), Some("Authentication error: invalid token"));
        }
        // A refused CONNECT is final for JS clients: what may pass is told by the transport.
        let auth = json!({ "token": alice.token });
        assert!(Socket::try_connect(server, "/", &auth).await.is_err());
        let handshake = server.get("/socket.io/?EIO=4&transport=polling").await;
        assert_eq!(handshake.status, 429, "{handshake:?}");
        let retry: u64 = handshake.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&retry), "{retry}");
        staying.round_trip().await;
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_CONNECTS = "50/1h")]
    async fn a_thousand_connects_with_bad_tokens_on_one_transport_end_it(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/presence").await;
        // One after the other: the engine passes over one that comes while another is looked at.
        let mut tried = 0;
        let mut gone = false;
        while !gone {
            tried += 1;
            socket.join("/chat", &json!({ "token": "bad" }));
            let answer = |packet: &Packet| match packet {
                Packet::Gone => Some(true),
                Packet::Refused { .. } => Some(false),
                _ => None,
            };
            gone = socket.take("an answer", answer).await;
        }
        assert!((2..=51).contains(&tried), "{tried}");
        alice.get("/api/auth/me").await.data(200);
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_LOGINS = "1/1m")]
    async fn an_address_behind_a_proxy_that_is_not_trusted_is_not_believed(server) {
        server.register("alice").await;
        for (number, address) in ["1.1.1.1", "2.2.2.2", "3.3.3.3"].into_iter().enumerate() {
            let body = json!({ "username": "alice", "password": PASSWORD });
            let request = server.request(Method::POST, "/api/auth/login").json(&body);
            let answer = Answer::of(request.header("x-forwarded-for", address)).await;
            assert_eq!(answer.status, if number == 0 { 200 } else { 429 });
        }
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_LOGINS = "1/1m", TRUSTED_PROXIES = "127.0.0.0/8")]
    async fn an_address_behind_a_trusted_proxy_is_its_own(server) {
        server.register("alice").await;
        let log_in = async |forwarded: &str| {
            let body = json!({ "username": "alice", "password": PASSWORD });
            let request = server.request(Method::POST, "/api/auth/login").json(&body);
            Answer::of(request.header("x-forwarded-for", forwarded)).await.status
        };
        assert_eq!(log_in("1.1.1.1").await, 200);
        assert_eq!(log_in("2.2.2.2").await, 200);
        assert_eq!(log_in("1.1.1.1").await, 429);
        // What stands left of the last hop was written by the client.
        assert_eq!(log_in("9.9.9.9, 1.1.1.1").await, 429);
        assert_eq!(log_in("1.1.1.1, 3.3.3.3, 127.0.0.1").await, 200);
    }

    #[set(RATE_LIMITS = "on")]
    async fn limits_are_generous_by_default(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        // So many at once, and then as many as come back: a window's in ten seconds.
        for (event, payload, limit) in [
            ("send_message", to(&bob, "hello"), 30_u128),
            ("typing_start", json!({ "receiverId": bob.id }), 20),
        ] {
            let started = Instant::now();
            let asked: Vec<_> = (0..2 * limit).map(|_| socket.ask(event, &payload)).collect();
            let mut done = 0;
            for id in asked {
                done += u128::from(socket.ack(id).await["ok"] == true);
            }
            let back = started.elapsed().as_millis() * limit / 10_000 + 1;
            assert!((limit..=limit + back).contains(&done), "{done} times {event}");
        }
        for _ in 0..5 {
            log_in(server, "alice", "wrong password").await.refused(401, "unauthenticated");
        }
        let sixth = log_in(server, "alice", PASSWORD).await;
        let wait = sixth.refused(429, "rate_limited")["retryAfter"].as_u64().unwrap();
        assert!((800..=900).contains(&wait), "{wait} s of a quarter of an hour");
        for left in (0..4).rev() {
            let answer = log_in(server, "bob", PASSWORD).await;
            answer.data(200);
            check_headers(&answer, 10, left);
        }
        check_refusal(&log_in(server, "bob", PASSWORD).await, 10);
    }

    async fn limits_that_are_off_never_refuse_and_show_no_headers(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        for _ in 0..60 {
            socket.done("typing_start", &json!({ "receiverId": bob.id })).await;
        }
        let answer = rename(&alice).await;
        assert!(answer.data(200).is_object() && answer.header("x-ratelimit-limit").is_empty());
    }
}
