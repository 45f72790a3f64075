//! How a driver's socket ends: by a newer one, by silence, by not reading.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use crate::support::Raw;
use crate::support::raw::Heard;
use crate::support::rest::PATIENCE;
use crate::support::wire::{CLOSE, PONG, TEXT, Wire, frame};

on_every_store! {
    async fn the_newest_socket_of_a_driver_stays(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut eves = eve.drive().await;
        let mut dans = dan.drive().await;
        for _ in 0..3 {
            let newer = dan.drive().await;
            assert_eq!(dans.closed().await, Some(4003));
            dans = newer;
        }
        dans.round_trip().await;
        eves.round_trip().await;
        // A login of its own makes no difference.
        let again = server.log_in("dan").await;
        let mut newest = again.drive().await;
        assert_eq!(dans.closed().await, Some(4003));
        newest.round_trip().await;
        // One who is not let in replaces nobody.
        assert_eq!(Raw::refusal(server, &dan.until(-1).driver_path()).await, Some(4001));
        newest.round_trip().await;
        server.until_sockets(2).await;
    }

    async fn of_a_hundred_sockets_at_once_exactly_one_stays(server) {
        let dan = server.driver("dan").await;
        for _ in 0..3 {
            let path = dan.driver_path();
            // Each is in, or was replaced: what comes first is sent behind that.
            let opened = join_all((0..100).map(async |_| {
                let mut socket = Raw::open(server, &path).await;
                (socket.next().await, socket)
            }))
            .await;
            server.until_sockets(1).await;
            let ends = join_all(opened.into_iter().map(async |(first, mut socket)| {
                if let Heard::End(code) = first {
                    return (Some(code), socket);
                }
                socket.send("ping", &json!({}));
                let ended = socket.take("a pong, or the end", |heard| match heard {
                    Heard::End(code) => Some(Some(*code)),
                    Heard::Frame(frame) if frame["type"] == "pong" => Some(None),
                    _ => None,
                });
                (ended.await, socket)
            }))
            .await;
            let stayed = ends.iter().filter(|(end, _)| end.is_none()).count();
            let replaced = ends.iter().filter(|(end, _)| *end == Some(Some(4003))).count();
            assert_eq!((stayed, replaced), (1, 99));
            drop(ends);
            server.until_sockets(0).await;
        }
    }

    #[set(DRIVER_IDLE_TIMEOUT = "2s")]
    async fn a_driver_who_says_nothing_is_closed(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let started = Instant::now();
        let mut dans = dan.drive().await;
        let mut eves = eve.drive().await;
        // Other traffic to the socket does not count, what it sends does.
        let code = loop {
            eves.round_trip().await;
            if let Ok(code) = timeout(Duration::from_millis(100), dans.closed()).await {
                break code;
            }
            assert!(started.elapsed() < PATIENCE, "dan is still there");
        };
        assert_eq!(code, Some(4008));
        assert!(started.elapsed() >= Duration::from_secs(2));
        eves.round_trip().await;
        assert_eq!(eves.closed().await, Some(4008));
        // Who was closed for that may come back.
        dan.drive().await.round_trip().await;
    }

    #[set(DRIVER_IDLE_TIMEOUT = "3s", PING_INTERVAL = "100ms", PING_TIMEOUT = "5s")]
    async fn answers_to_pings_are_no_frames_of_the_driver(server) {
        let dan = server.driver("dan").await;
        let started = Instant::now();
        let mut dans = dan.drive().await;
        for _ in 0..3 {
            dans.take("a ping", |heard| (*heard == Heard::Ping).then_some(())).await;
        }
        assert_eq!(dans.closed().await, Some(4008));
        assert!(started.elapsed() >= Duration::from_secs(3));
    }

    #[set(PING_INTERVAL = "300ms", PING_TIMEOUT = "2s")]
    async fn who_answers_no_ping_and_says_nothing_is_gone(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut dans = dan.drive().await;
        let mut eves = eve.drive().await;
        dans.answer_pings(false);
        assert_eq!(dans.closed().await, None, "there is nobody to say a code to");
        eves.round_trip().await;
        server.until_sockets(1).await;
    }

    #[set(
        ADMIN_EMAIL = "root@example.com",
        ADMIN_PASSWORD = "password123",
        SEND_BUFFER_PACKETS = "64",
        WRITE_STALL = "1s"
    )]
    async fn a_driver_who_never_reads_is_cut_and_nothing_is_lost(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let admin = server.admin().await;
        let mut deaf = Wire::open(server, &dan.driver_path()).await.unwrap();
        deaf.shrink();
        let mut eves = eve.drive().await;
        server.until_sockets(2).await;
        let order = admin.create().await;
        admin.give(&order, &dan).await;
        // More than the buffers of both kernels and of the server hold: each is answered, with its
        // id. A few fill them, long before a frame would prove that the notice has arrived.
        let long = json!({ "type": "nothing", "id": "x".repeat(60_000) }).to_string();
        let nonsense = frame(0x81, long.as_bytes());
        let mut sent = 0;
        while deaf.write_bytes(&nonsense).await.is_ok() {
            sent += 1;
            assert!(sent < 10_000, "dan is still there");
        }
        server.until_sockets(1).await;
        eves.round_trip().await;
        // It proved nothing that its assignment was written: it is told again.
        let mut again = dan.drive().await;
        assert_eq!(again.expect("order_assigned").await["order_id"], order["order_id"]);
    }

    async fn a_close_arrives_whatever_the_client_is_sending(server) {
        let dan = server.driver("dan").await;
        for _ in 0..20 {
            let mut wire = Wire::open(server, &dan.driver_path()).await.unwrap();
            assert_eq!(wire.read().await.unwrap().0, TEXT, "connected");
            let location = br#"{"type":"location_update","data":{"latitude":0,"longitude":0}}"#;
            let burst = frame(0x81, location).repeat(100);
            wire.write_bytes(&burst).await.unwrap();
            let newer = dan.drive().await;
            // More, after it was closed.
            let _ = wire.write_bytes(&burst).await;
            let code = loop {
                match wire.read().await {
                    Some((CLOSE, reason)) => {
                        break u16::from_be_bytes(reason[..2].try_into().unwrap());
                    }
                    Some((opcode, _)) => assert_ne!(opcode, PONG),
                    None => panic!("the code was lost"),
                }
            };
            assert_eq!(code, 4003);
            drop(newer);
        }
    }

    async fn a_connection_stays_whole_until_the_client_has_answered_its_close(server) {
        let dan = server.driver("dan").await;
        let mut wire = Wire::open(server, &dan.driver_path()).await.unwrap();
        assert_eq!(wire.read().await.unwrap().0, TEXT, "connected");
        // The server closes it after that, and would wait for an answer for two seconds.
        let before = Instant::now();
        let newer = dan.drive().await;
        assert_eq!(wire.read().await.unwrap().0, CLOSE);
        // A proxy that ends both halves with one would lose what the client has not read yet.
        let more = timeout(Duration::from_millis(300), wire.read()).await;
        assert!(more.is_err(), "{more:?}");
        wire.write(CLOSE, &4003_u16.to_be_bytes()).await.unwrap();
        assert_eq!(wire.read().await, None);
        assert!(before.elapsed() < Duration::from_secs(2), "{:?}", before.elapsed());
        drop(newer);
    }
}
