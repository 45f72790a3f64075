//! The program itself: its configuration, its start, its end by a signal (CONTRACT §9, §10).

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::support::process::{Process, waggle};
use crate::support::server::{SECRET, TestDir, run_embedded};
use crate::support::transport::{Transport, websocket};
use crate::support::{Person, Server, Socket};

async fn check(set: &[(&str, &str)]) -> Output {
    let dir = TestDir::new();
    waggle(dir.path(), set).arg("--check-config").output().await.unwrap()
}

/// What is wrong with a configuration, as the program tells it.
async fn problems(set: &[(&str, &str)]) -> String {
    let output = check(set).await;
    assert_eq!(output.status.code(), Some(2), "{set:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn nothing_set_is_a_valid_configuration() {
    assert!(check(&[]).await.status.success());
}

#[tokio::test]
async fn every_problem_is_told_at_once_by_name() {
    let wrong = [
        ("PORT", "http"),
        ("HOST", "nowhere"),
        ("APP_ENV", "moon"),
        ("MONGODB_URI", "http://localhost"),
        ("JWT_EXPIRES_IN", "soon"),
        ("REFRESH_EXPIRES_IN", "-1"),
        ("RESET_EXPIRES_IN", "0s"),
        ("BCRYPT_COST", "40"),
        ("PRESENCE_GRACE", "1w"),
        ("PRESENCE_AUDIENCE", "nobody"),
        ("TYPING_TIMEOUT", "x"),
        ("RATE_LIMITS", "maybe"),
        ("RATE_LIMIT_SENDS", "many"),
        ("RATE_LIMIT_TYPING", "0/10s"),
        ("RATE_LIMIT_CONNECTS", "10"),
        ("RATE_LIMIT_LOGINS", "1/0s"),
        ("RATE_LIMIT_REGISTRATIONS", "x/1m"),
        ("RATE_LIMIT_REST_WRITES", "-1/1m"),
        ("CORS_ORIGIN", "example.com"),
        ("SOCKET_PARSER", "xml"),
        ("TRUSTED_PROXIES", "10.0.0.0/40"),
        ("ADMIN_EMAIL", "root@example.com"),
        ("SMTP_URL", "http://mail"),
        ("OTLP_ENDPOINT", "localhost:4318"),
        ("OTLP_SAMPLE_RATIO", "2"),
        ("SHUTDOWN_TIMEOUT", "never"),
    ];
    let text = problems(&wrong).await;
    for (name, _) in wrong {
        let name = if name == "ADMIN_EMAIL" { "ADMIN_PASSWORD" } else { name };
        assert!(text.contains(name), "{name} in {text}");
    }
}

/// What it does with the feature is in tests/otlp.rs.
#[cfg(not(feature = "otlp"))]
#[tokio::test]
async fn a_program_without_traces_refuses_a_collector() {
    let set = [("OTLP_ENDPOINT", "http://localhost:4318")];
    let text = problems(&set).await;
    assert!(text.contains("OTLP_ENDPOINT") && text.contains("--features otlp"), "{text}");
    let dir = TestDir::new();
    let output = waggle(dir.path(), &set).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(dir.path().read_dir().unwrap().count(), 0, "nothing was begun");
}

#[tokio::test]
async fn every_form_of_a_value_is_understood() {
    let good = [
        ("PORT", "3000,3001"),
        ("JWT_EXPIRES_IN", "900"),
        ("PRESENCE_GRACE", "500ms"),
        ("TYPING_TIMEOUT", "5s"),
        ("RESET_EXPIRES_IN", "10m"),
        ("REFRESH_EXPIRES_IN", "7d"),
        ("RATE_LIMIT_SENDS", "30/10s"),
        ("RATE_LIMIT_TYPING", "off"),
        ("RATE_LIMIT_CONNECTS", "5/60"),
        ("CORS_ORIGIN", "https://a.example, http://localhost:5173"),
        ("SOCKET_PARSER", "msgpack"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
    ];
    let output = check(&good).await;
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn the_old_names_are_read() {
    for (old, wrong, new) in [
        ("MONGO_URL", "http://x", "MONGODB_URI"),
        ("JWT_EXPIRES", "soon", "JWT_EXPIRES_IN"),
        ("NODE_ENV", "moon", "APP_ENV"),
        ("BCRYPT_ROUNDS", "99", "BCRYPT_COST"),
    ] {
        let text = problems(&[(old, wrong)]).await;
        assert!(text.contains(new) || text.contains(old), "{old}: {text}");
    }
    for secret in ["JWT_SECRET", "JWT_SECRET_KEY", "JWT_ACCESS_SECRET"] {
        let production = [("NODE_ENV", "production"), (secret, SECRET)];
        assert!(check(&production).await.status.success(), "{secret}");
    }
    // The new name wins.
    let both = [("BCRYPT_ROUNDS", "99"), ("BCRYPT_COST", "10")];
    assert!(check(&both).await.status.success());
}

#[tokio::test]
async fn production_refuses_weak_secrets() {
    let sample = "your_super_secret_jwt_key_change_this_in_production";
    for secret in ["", "too short", "31 bytes, which is one too few.", sample] {
        let text = problems(&[("APP_ENV", "production"), ("JWT_SECRET", secret)]).await;
        assert!(text.contains("JWT_SECRET"), "{text}");
        assert!(secret.is_empty() || !text.contains(secret), "a secret is not told: {text}");
    }
}

#[tokio::test]
async fn a_file_is_read_and_the_environment_wins() {
    let dir = TestDir::new();
    std::fs::write(dir.path().join(".env"), "BCRYPT_COST=99\nPORT=http\n").unwrap();
    let output = waggle(dir.path(), &[]).arg("--check-config").output().await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("BCRYPT_COST") && text.contains("PORT"), "{text}");
    let set = [("BCRYPT_COST", "10"), ("PORT", "3000")];
    let output = waggle(dir.path(), &set).arg("--check-config").output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_no_valid_configuration() {
    let dir = TestDir::new();
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let set = [("TLS_CERT", certificate.to_str().unwrap()), ("TLS_KEY", key.to_str().unwrap())];
    assert!(problems(&set).await.contains("TLS_CERT"));
    std::fs::write(&certificate, "no certificate").unwrap();
    std::fs::write(&key, "no key").unwrap();
    assert!(problems(&set).await.contains("TLS_CERT"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_told() {
    let dir = TestDir::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let set = [("HOST", "127.0.0.1"), ("PORT", port.as_str())];
    let output = waggle(dir.path(), &set).output().await.unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains(&port));
}

/// A message, and the signal: gives who spoke, and when it was sent.
async fn talk(server: &Server, process: &Process, signal: &str) -> ([Person; 2], Instant) {
    let [alice, bob] = server.people(["alice", "bob"]).await;
    let mut socket = alice.connect("/").await;
    crate::chat::send(&mut socket, &bob, "a text nobody logs").await;
    let signalled = Instant::now();
    process.signal(signal).await;
    socket.expect("server_shutdown").await;
    socket.expect_gone().await;
    ([alice, bob], signalled)
}

on_every_store! {
    async fn a_signal_ends_the_program_in_order(server) {
        server.stop().await;
        for (round, signal) in ["TERM", "INT"].into_iter().enumerate() {
            let process = Process::start(server).await;
            let signalled = if round == 0 {
                talk(server, &process, signal).await.1
            } else {
                process.signal(signal).await;
                Instant::now()
            };
            let (code, _) = process.end().await;
            assert_eq!(code, Some(0), "{signal}");
            assert!(signalled.elapsed() < Duration::from_secs(10));
        }
        server.start_with(&[]).await;
        let (alice, bob) = (server.log_in("alice").await, server.log_in("bob").await);
        assert_eq!(alice.history(&bob, "").await.len(), 1);
    }

    async fn secrets_and_texts_are_not_logged(server) {
        server.stop().await;
        let process = Process::start(server).await;
        let query = async |token: &str| {
            let socket = websocket(server, &format!("&token={token}"), &[]).await.unwrap();
            let socket = Socket::over(Transport::over_websocket(socket), "/", &"".into()).await;
            socket.unwrap().round_trip().await;
            server.get(&format!("/api/auth/me?token={token}")).await.data(200);
        };
        let somebody = server.register("somebody").await;
        query(&somebody.token).await;
        let ([alice, bob], _) = talk(server, &process, "TERM").await;
        let (_, log) = process.end().await;
        assert!(log.contains("request") && log.contains("socket connected"), "{log}");
        let hidden = [&somebody.token, &alice.token, &alice.refresh_token, &bob.token];
        for secret in hidden.map(String::as_str) {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
        for secret in [SECRET, crate::support::rest::PASSWORD, "a text nobody logs", "$2b$"] {
            assert!(!log.contains(secret), "{secret} in {log}");
        }
    }
}

/// Makes a backup of what a server has, as an operator does.
async fn back_up(server: &Server, to: &Path) -> Output {
    let settings = server.settings();
    let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    waggle(server.dir(), &settings).arg("backup").arg(to).output().await.unwrap()
}

#[tokio::test]
async fn a_backup_holds_what_was_acknowledged_and_a_server_starts_on_it() {
    run_embedded(&[], async |server| {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let before = crate::chat::send(&mut socket, &bob, "before").await;
        let copies = TestDir::new();
        let copy = copies.path().join("waggle.db");
        // The server goes on writing meanwhile.
        let (output, _) = tokio::join!(back_up(server, &copy), async {
            for n in 0..50 {
                crate::chat::send(&mut socket, &bob, &format!("meanwhile {n}")).await;
            }
        });
        assert!(output.status.success(), "{output:?}");
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o077, 0);
        assert_eq!(copies.path().read_dir().unwrap().count(), 1, "nothing is left beside it");

        let nameless = copies.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.db"));
        let refused = back_up(server, &nameless).await;
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert_eq!(copies.path().read_dir().unwrap().count(), 1, "and nothing is begun");

        let again = back_up(server, &copy).await;
        assert_eq!(again.status.code(), Some(1));
        assert!(String::from_utf8(again.stderr).unwrap().contains("is there already"));

        let restored = [("DATA_DIR", copies.path().to_str().unwrap())];
        server.restart_with(&restored).await;
        let alice = server.log_in("alice").await;
        let history = alice.history(&bob, "").await;
        assert!((1..=51).contains(&history.len()));
        assert_eq!(history[0]["_id"], before["_id"]);
        let seqs: Vec<_> = history.iter().map(|message| message["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=history.len() as u64).collect::<Vec<_>>(), "of one moment");
        crate::chat::send(&mut alice.connect("/").await, &bob, "after").await;
    })
    .await;
}

#[tokio::test]
async fn a_backup_of_nothing_or_of_mongodb_says_so() {
    let dir = TestDir::new();
    let to = dir.path().join("copy.db");
    let settings = [("DATA_DIR", dir.path().to_str().unwrap())];
    let output = waggle(dir.path(), &settings).arg("backup").arg(&to).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("DATA_DIR"));
    let settings = [("MONGODB_URI", "mongodb://localhost/waggle")];
    let output = waggle(dir.path(), &settings).arg("backup").arg(&to).output().await.unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("mongodump"));
    assert!(!to.exists());
}
