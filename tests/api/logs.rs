//! Nobody forges a line of the log: what clients write stands in fields, one line for each event.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::process::Process;
use crate::support::transport::{Transport, websocket};
use crate::support::wire::{UPGRADE, Wire};
use crate::support::{Raw, Server, Socket};

/// What would be lines of their own, in either format.
const FORGED: [&str; 2] = [
    "x\n{\"timestamp\":\"2026-01-01T00:00:00.000000Z\",\"level\":\"ERROR\",\"message\":\"forged\"}",
    "x\r\n2026-01-01T00:00:00.000000Z ERROR forged\r\n\u{1b}[31mred\u{2028}",
];

/// Writes it wherever a client can write something.
async fn write_everywhere(server: &Server, forged: &str) {
    let body = json!({ "username": forged, "email": forged, "password": forged });
    server.post("/api/auth/register", &body).await.refused(400, "validation_failed");
    for path in ["/api/auth/login", "/login", "/api/v1/auth/login"] {
        let body = json!({ "username": forged, "password": forged });
        assert_eq!(server.post(path, &body).await.status, 401);
    }
    let name = format!("a{:016x}", rand::random::<u64>());
    let alice = server.register(&name).await;
    let bob = server.register(&format!("b{name}")).await;
    alice.patch("/api/auth/me", &json!({ "name": forged })).await.data(200);
    let body = json!({ "name": forged, "description": forged });
    let room = alice.post("/rooms", &body).await.data(201)["room"]["id"].clone();
    let encoded: String = forged.bytes().map(|byte| format!("%{byte:02X}")).collect();
    alice.get(&format!("/api/messages/{encoded}")).await;
    alice.get(&format!("/{encoded}?q={encoded}")).await;
    server.get(&format!("/api/auth/me?token={encoded}")).await.refused(401, "unauthenticated");
    let mut socket = alice.enter("/", room.as_str().unwrap()).await;
    socket.say(room.as_str().unwrap(), forged).await;
    socket.done("send_message", &json!({ "receiverId": bob.id, "content": forged })).await;
    socket.emit_ack("join_room", &json!({ "roomId": forged })).await;
    let transport = websocket(server, &format!("&token={encoded}"), &[]).await.unwrap();
    let none = json!({});
    let refused = Socket::over(Transport::over_websocket(transport), forged.trim(), &none);
    assert!(refused.await.is_err());
    let mut raw = Raw::open(server, "/").await;
    raw.send_text(&json!({ "type": "auth", "token": alice.token }).to_string());
    raw.send_text(&json!({ "type": forged, "driverId": forged }).to_string());
    raw.expect_flat("error").await;
    let header = ("X-Request-Id", "x\tforged");
    let _ = Wire::open_with(server, "/", &[header]).await;
    let _ = Wire::open_with(server, &format!("/api/v1/ws/driver/{encoded}"), &UPGRADE).await;
}

async fn log_of(server: &Server, format: &str) -> String {
    server.stop().await;
    let process = Process::start_with(server, format).await;
    for forged in FORGED {
        write_everywhere(server, forged).await;
    }
    process.signal("TERM").await;
    let (code, log) = process.end().await;
    assert_eq!(code, Some(0));
    server.start_with(&[]).await;
    assert!(log.lines().count() > 20 && log.contains("socket connected"), "{log}");
    log
}

on_every_store! {
    async fn a_log_of_json_has_one_object_in_each_line(server) {
        for line in log_of(server, "json").await.lines() {
            let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert!(entry["level"].is_string() && entry["timestamp"].is_string(), "{line}");
            assert!(entry["message"] != "forged" && !line.contains('\u{1b}'), "{line}");
            let has = |name: &str| entry[name].is_string() || entry["span"][name].is_string();
            match entry["message"].as_str() {
                Some("request") => assert!(has("request"), "{line}"),
                Some("event" | "socket connected" | "socket gone") => {
                    assert!(has("socket") && has("user"), "{line}");
                }
                _ => {}
            }
        }
    }

    async fn a_log_of_text_has_one_event_in_each_line(server) {
        for line in log_of(server, "text").await.lines() {
            let mut words = line.split_whitespace();
            let time = words.next().unwrap_or_default();
            let is_time = time.len() == 27 && time.starts_with("20") && time.ends_with('Z');
            let level = words.next().unwrap_or_default();
            assert!(is_time && ["DEBUG", "INFO", "WARN", "ERROR"].contains(&level), "{line}");
            assert!(words.next() != Some("forged") && !line.contains('\u{1b}'), "{line}");
            let span = line.split_once("http{").and_then(|(_, rest)| rest.split_once("}:"));
            let users = span.map_or(0, |(fields, _)| fields.matches("user=").count());
            assert!(users <= 1, "{line}");
        }
    }

    async fn what_reads_the_log_holds_nothing_up(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        server.stop().await;
        let mut process = Process::start(server).await;
        let held = process.hold_log().await;
        let mut socket = alice.connect("/presence").await;
        // More lines than pipe and queue hold.
        let nobody = json!({ "userIds": ["0".repeat(24)] });
        for _ in 0..60 {
            let asked = [(); 250].map(|()| socket.ask("presence_unsubscribe", &nobody));
            for id in asked {
                assert_eq!(socket.ack(id).await["ok"], true);
            }
        }
        let mut socket = alice.connect("/").await;
        socket.done("send_message", &json!({ "receiverId": bob.id, "content": "heard" })).await;
        let metrics = server.get("/metrics").await.body;
        let lost = metrics.as_str().unwrap().lines().find_map(|line| {
            line.strip_prefix("waggle_log_lines_lost_total ").map(|count| count.parse::<u64>())
        });
        assert!(matches!(lost, Some(Ok(1..))), "{lost:?}");
        // Nor does it hold up the end, which is to come within SHUTDOWN_TIMEOUT.
        let told = Instant::now();
        process.signal("TERM").await;
        assert_eq!(process.exit_code().await, Some(0));
        assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
        drop(held);
        let (_, log) = process.end().await;
        assert!(log.contains("socket connected"), "{}", log.lines().count());
        server.start_with(&[]).await;
    }
}
