//! How many connections an address may have and how many sockets a user, and that neither tokens
//! nor invites end with a change of the secret.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::polling::upgraded;
use crate::support::process::Process;
use crate::support::raw::Raw;
use crate::support::{Server, Socket};

/// One connection, on which requests follow each other.
struct Connection(TcpStream);

impl Connection {
    /// Connects from an address of this machine.
    async fn open(server: &Server, from: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(from.parse().unwrap(), 0)).unwrap();
        Self(socket.connect(server.address()).await.unwrap())
    }

    /// Begins a Socket.IO session with a poll; gives the status line.
    async fn poll(&mut self) -> Option<String> {
        let head = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";
        self.0.write_all(head.as_bytes()).await.ok()?;
        let mut answer = [0; 4096];
        let count = self.0.read(&mut answer).await.ok().filter(|count| *count > 0)?;
        String::from_utf8_lossy(&answer[..count]).lines().next().map(str::to_owned)
    }

    /// The whole answer to a request, `None` when the server has closed the connection.
    async fn ask(&mut self, client: &str) -> Option<String> {
        self.ask_more("", client).await
    }

    /// The same with a query.
    async fn ask_more(&mut self, query: &str, client: &str) -> Option<String> {
        let head = format!(
            "GET /api/auth/me{query} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n"
        );
        self.0.write_all(head.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        loop {
            let mut part = [0; 4096];
            let count = self.0.read(&mut part).await.ok().filter(|count| *count > 0)?;
            answer.extend_from_slice(&part[..count]);
            let text = String::from_utf8_lossy(&answer);
            // The answers end with a brace; there is nothing after it.
            if text.contains("\r\n\r\n") && text.ends_with('}') {
                return Some(text.into_owned());
            }
        }
    }
}

/// Tries until it gives something; the server sees the end of a connection a moment later.
pub(crate) async fn until<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = attempt().await {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not happen in time");
        tokio::task::yield_now().await;
    }
}

on_every_store! {
    #[set(MAX_CONNECTIONS_PER_ADDRESS = "3")]
    async fn an_address_has_so_many_connections_and_another_its_own(server) {
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut connection = Connection::open(server, "127.0.0.2").await;
            assert!(connection.ask("").await.unwrap().starts_with("HTTP/1.1 401"));
            open.push(connection);
        }
        assert_eq!(Connection::open(server, "127.0.0.2").await.ask("").await, None);
        // A header says nothing where no proxy is trusted.
        assert_eq!(Connection::open(server, "127.0.0.2").await.ask("1.2.3.4").await, None);
        assert!(Connection::open(server, "127.0.0.3").await.ask("").await.is_some());
        assert!(open[0].ask("").await.is_some(), "who is in stays");
        open.pop();
        until(async || Connection::open(server, "127.0.0.2").await.ask("").await).await;
        let metrics = server.get("/metrics").await.body;
        let metrics = metrics.as_str().unwrap();
        assert!(metrics.contains(r#"waggle_limits_struck_total{limit="connections_of_address"}"#));
    }

    #[set(MAX_CONNECTIONS_PER_ADDRESS = "3", CONNECT_TIMEOUT = "60s")]
    async fn a_connection_that_has_ended_counts_no_more_though_its_session_lives(server) {
        for _ in 0..6 {
            let begun = until(async || Connection::open(server, "127.0.0.2").await.poll().await);
            assert_eq!(begun.await, "HTTP/1.1 200 OK");
        }
    }

    #[set(MAX_CONNECTIONS_PER_ADDRESS = "2", TRUSTED_PROXIES = "127.0.0.2")]
    async fn behind_a_proxy_the_client_counts_and_is_told(server) {
        let mut open = Vec::new();
        for _ in 0..2 {
            let mut connection = Connection::open(server, "127.0.0.2").await;
            assert!(connection.ask("1.2.3.4").await.unwrap().starts_with("HTTP/1.1 401"));
            open.push(connection);
        }
        let mut third = Connection::open(server, "127.0.0.2").await;
        let refusal = third.ask("1.2.3.4").await.unwrap();
        assert!(refusal.starts_with("HTTP/1.1 429"), "{refusal}");
        assert!(refusal.contains("rate_limited") && refusal.contains("retry-after"), "{refusal}");
        assert!(third.ask("1.2.3.5").await.unwrap().starts_with("HTTP/1.1 401"), "another client");
        // A connection that the proxy uses for somebody else is not this client's any more.
        open[0].ask("1.2.3.6").await.unwrap();
        let mut fourth = Connection::open(server, "127.0.0.2").await;
        assert!(fourth.ask("1.2.3.4").await.unwrap().starts_with("HTTP/1.1 401"));
    }

    #[set(MAX_CONNECTIONS_PER_ADDRESS = "1", TRUSTED_PROXIES = "127.0.0.2")]
    async fn who_has_too_many_connections_fills_no_log(server) {
        server.stop().await;
        let process = Process::start(server).await;
        let mut first = Connection::open(server, "127.0.0.2").await;
        assert!(first.ask("1.2.3.4").await.unwrap().starts_with("HTTP/1.1 401"));
        let mut second = Connection::open(server, "127.0.0.2").await;
        for _ in 0..3 {
            assert!(second.ask("1.2.3.4").await.unwrap().starts_with("HTTP/1.1 429"));
        }
        process.signal("TERM").await;
        let (_, log) = process.end().await;
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let requests = lines.iter().filter(|line| line["message"] == "request");
        let levels: Vec<_> = requests.map(|line| (&line["level"], &line["status"])).collect();
        let refused = (&json!("DEBUG"), &json!(429));
        assert_eq!(levels, [(&json!("INFO"), &json!(401)), refused, refused, refused]);
        let limit = lines.iter().find(|line| line["limit"] == "connections_of_address").unwrap();
        assert_eq!((&limit["times"], &limit["most"]), (&json!(3), &json!("1.2.3.4 (3)")));
        server.start_with(&[]).await;
    }

    #[set(MAX_UNAUTHENTICATED_CONNECTIONS = "3", ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn unknown_clients_have_so_many_connections_and_known_ones_all(server) {
        let (alice, root) = (server.register("alice").await, server.log_in("admin").await);
        alice.get("/api/auth/me").await.data(200);
        let mut known = Vec::new();
        for _ in 0..4 {
            let mut asking = Connection::open(server, "127.0.0.2").await;
            let answer = asking.ask_more(&format!("?token={}", alice.token), "").await;
            assert!(answer.unwrap().starts_with("HTTP/1.1 200"));
            known.push((alice.connect("/").await, root.watch_fleet().await, asking));
        }
        let mut polling = Socket::polling(server, "/chat", &json!({ "token": alice.token })).await;
        polling.round_trip().await;
        let _moved = upgraded(server, &alice).await;
        // The connections that the requests of the test took are all used for these.
        join_all((0..3).map(|_| alice.get("/api/auth/me"))).await;
        let mut unknown = Vec::new();
        for _ in 0..4 {
            let mut connection = Connection::open(server, "127.0.0.2").await;
            assert!(connection.ask("").await.unwrap().starts_with("HTTP/1.1 401"));
            unknown.push(connection);
        }
        assert_eq!(unknown[0].ask("").await, None, "the oldest has given way");
        for connection in &mut unknown[1..] {
            assert!(connection.ask("").await.is_some(), "and no other");
        }
        for (socket, fleet, asking) in &mut known {
            socket.round_trip().await;
            fleet.round_trip().await;
            let answer = asking.ask_more(&format!("?token={}", alice.token), "").await;
            assert!(answer.unwrap().starts_with("HTTP/1.1 200"));
        }
        polling.round_trip().await;
        let metrics = alice.get("/metrics").await.body;
        let metrics = metrics.as_str().unwrap();
        assert!(metrics.contains(r#"limit="unauthenticated_connections"}"#), "{metrics}");
    }

    #[set(MAX_SOCKETS_PER_USER = "2", ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_user_has_so_many_sockets_of_all_kinds(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let first = alice.connect("/").await;
        let _second = alice.connect("/chat").await;
        let refused = Socket::try_connect(server, "/", &json!({ "token": alice.token })).await;
        assert_eq!(refused.err().as_deref(), Some("the transport was cut"));
        bob.connect("/").await.round_trip().await;
        drop(first);
        until(async || Socket::try_connect(server, "/", &json!({ "token": alice.token })).await.ok())
            .await
            .round_trip()
            .await;

        let root = server.log_in("admin").await;
        let _sockets = (root.connect("/").await, root.watch_fleet().await);
        let mut third = Raw::open(server, &format!("/api/v1/ws/admin?token={}", root.token)).await;
        assert_eq!(third.closed().await, Some(1013));
    }

    // A comma would part the list of earlier ones.
    #[set(JWT_SECRET = "an old secret of the tests of 32 bytes")]
    async fn tokens_and_invites_outlive_a_change_of_the_secret(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = alice.create_room(true).await;
        let invite = alice.invite_token(&room, json!({})).await;
        let rotated = [("JWT_SECRET", "a new secret of the tests of 32 bytes"), ("JWT_PREVIOUS_SECRETS", "an old secret of the tests of 32 bytes")];
        server.restart_with(&rotated).await;
        alice.connect("/").await.round_trip().await;
        bob.join_with(&room, &invite).await.data(200);
        let fresh = alice.invite_token(&room, json!({})).await;
        let dave = server.register("dave").await;
        server.restart_with(&[("JWT_PREVIOUS_SECRETS", "")]).await;
        alice.get("/api/auth/me").await.refused(401, "unauthenticated");
        let carol = server.log_in(&carol.username).await;
        carol.join_with(&room, &invite).await.refused(404, "not_found");
        carol.join_with(&room, &fresh).await.data(200);
        dave.join_with(&room, &fresh).await.data(200);
    }
}
