//! Who gets a raw socket, and what those hear who do not.

use serde_json::json;

use crate::support::raw::Heard;
use crate::support::wire::{CLOSE, NoSocket, UPGRADE, Wire};
use crate::support::{Person, Raw, Server, time};

/// What answers a request that becomes no socket.
async fn no_socket(server: &Server, path: &str, headers: &[(&str, &str)]) -> NoSocket {
    let opened = Wire::open_with(server, path, headers).await;
    opened.err().unwrap_or_else(|| panic!("{path} opened with {headers:?}"))
}

fn driver_path(named: &str, token: &str) -> String {
    format!("/api/v1/ws/driver/{named}?token={token}")
}

/// The code with which a driver's door closes.
async fn closed_with(server: &Server, named: &str, token: &str) -> Option<u16> {
    Raw::refusal(server, &driver_path(named, token)).await
}

async fn logged_out(person: &Person) -> Person {
    let ended = person.server.log_in(&person.username).await;
    ended.post("/api/auth/logout", &json!({})).await.data(200);
    ended
}

on_every_store! {
    async fn a_driver_is_greeted_however_named(server) {
        let dan = server.driver("Dan").await;
        let number = dan.number().await;
        for named in [number.to_string(), dan.id.clone(), "Dan".to_owned(), "dAN".to_owned()] {
            let mut socket = Raw::open(server, &driver_path(&named, &dan.token)).await;
            let connected = socket.expect_connected().await;
            assert_eq!(connected["driver_id"], number, "{named}");
            time(&connected["server_time"]);
            socket.round_trip().await;
        }
    }

    async fn a_token_may_come_in_the_header(server) {
        let dan = server.driver("dan").await;
        let bearer = format!("Bearer {}", dan.token);
        let headers = [&UPGRADE[..], &[("Authorization", &bearer)]].concat();
        let wire = Wire::open_with(server, "/api/v1/ws/driver/dan", &headers).await.unwrap();
        Raw::over(wire, true).expect_connected().await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn only_the_driver_named_gets_a_drivers_socket(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let [alice, admin] = [server.register("alice").await, server.admin().await];
        let ended = logged_out(&dan).await;
        let expired = dan.until(-1);
        let tokens = [
            eve.token.as_str(),
            &alice.token,
            &admin.token,
            &expired.token,
            &ended.token,
            "",
            "garbage",
        ];
        for token in tokens {
            for named in ["dan", &dan.id, &dan.number().await.to_string()] {
                assert_eq!(closed_with(server, named, token).await, Some(4001), "{named} {token}");
            }
        }
        assert_eq!(Raw::refusal(server, "/api/v1/ws/driver/dan").await, Some(4001));
        let nobody = "0".repeat(24);
        for named in ["nobody", "99999", "alice", &alice.id, &nobody, "-1", "a%20b", "%F0%9F%9A%97"]
        {
            assert_eq!(closed_with(server, named, &dan.token).await, Some(4001), "{named}");
        }
        server.until_sockets(0).await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn only_admins_get_the_socket_of_the_back_office(server) {
        let [dan, alice, admin] =
            [server.driver("dan").await, server.register("alice").await, server.admin().await];
        let (ended, expired) = (logged_out(&admin).await, admin.until(-1));
        for token in [&dan.token, &alice.token, &ended.token, &expired.token, "", "garbage"] {
            let path = format!("/api/v1/ws/admin?token={token}");
            assert_eq!(Raw::refusal(server, &path).await, Some(4001), "{token}");
        }
        let mut socket =
            Raw::open(server, &format!("/api/v1/ws/admin?token={}", admin.token)).await;
        let connected = socket.expect_connected().await;
        time(&connected["server_time"]);
        assert!(connected.get("driver_id").is_none(), "{connected}");
        socket.round_trip().await;
    }

    async fn a_logout_closes_the_socket_and_only_its_own(server) {
        let dan = server.driver("dan").await;
        let eve = server.driver("eve").await;
        let (mut dans, mut eves) = (dan.drive().await, eve.drive().await);
        dan.post("/api/auth/logout", &json!({})).await.data(200);
        assert_eq!(dans.closed().await, Some(4001));
        assert_eq!(closed_with(server, "dan", &dan.token).await, Some(4001));
        eves.round_trip().await;
    }

    async fn a_token_that_ends_closes_the_socket_unless_refreshed(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        // Eve's first end is over when dan's comes.
        let (mut eves, mut dans) = (eve.until(5).drive().await, dan.until(6).drive().await);
        for socket in [&mut dans, &mut eves] {
            time(&socket.expect("token_expiring").await["expiresAt"]);
        }
        eves.refused("refresh_token", &json!({ "token": dan.token }), "forbidden").await;
        eves.refused("refresh_token", &json!({ "token": "garbage" }), "unauthenticated").await;
        eves.send("refresh_token", &json!({ "token": eve.token }));
        time(&dans.expect("token_expired").await["expiresAt"]);
        assert_eq!(dans.closed().await, Some(4001));
        eves.expect_none("token_expired").await;
    }

    #[set(CORS_ORIGIN = "https://good.example")]
    async fn a_page_of_another_origin_gets_no_socket(server) {
        let dan = server.driver("dan").await;
        let own = format!("http://{}", server.address());
        for path in
            [dan.driver_path(), format!("/api/v1/ws/admin?token={}", dan.token), "/".to_owned()]
        {
            for origin in ["https://evil.example", "null", "https://good.example.evil.example", ""]
            {
                let headers = [&UPGRADE[..], &[("Origin", origin)]].concat();
                let answer = no_socket(server, &path, &headers).await;
                assert_eq!(answer.status, 403, "{path} {origin}: {}", answer.text);
            }
        }
        for origin in ["https://good.example", &own] {
            let headers = [&UPGRADE[..], &[("Origin", origin)]].concat();
            let wire = Wire::open_with(server, &dan.driver_path(), &headers).await.unwrap();
            Raw::over(wire, true).expect_connected().await;
        }
    }

    async fn a_request_that_asks_for_no_socket_is_told_to(server) {
        let dan = server.driver("dan").await;
        for left_out in UPGRADE {
            let headers: Vec<_> = UPGRADE.into_iter().filter(|one| *one != left_out).collect();
            let answer = no_socket(server, &dan.driver_path(), &headers).await;
            assert_eq!(answer.status, 426, "without {left_out:?}: {}", answer.text);
            assert!(answer.text.contains("\"detail\""), "{}", answer.text);
            assert!(answer.text.to_ascii_lowercase().contains("upgrade: websocket"));
        }
        let old: Vec<_> = UPGRADE
            .into_iter()
            .map(|(name, value)| (name, if value == "13" { "8" } else { value }))
            .collect();
        assert_eq!(no_socket(server, &dan.driver_path(), &old).await.status, 426);
        assert_eq!(no_socket(server, "/api/v1/ws/nothing", &UPGRADE).await.status, 404);
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_CONNECTS = "20/1m")]
    async fn sockets_are_limited_by_address(server) {
        let dan = server.driver("dan").await;
        let mut refused = None;
        for _ in 0..1000 {
            if let Err(answer) = Wire::open(server, &dan.driver_path()).await {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("a thousand sockets came in");
        assert_eq!(refused.status, 429, "{}", refused.text);
        assert!(refused.text.to_ascii_lowercase().contains("retry-after: "), "{}", refused.text);
    }

    async fn a_server_that_stops_closes_raw_sockets_and_takes_no_more(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut dans = dan.drive().await;
        let mut silent = Wire::open(server, &eve.driver_path()).await.unwrap();
        let late = crate::support::wire::begin(server, &dan.driver_path()).await;
        server.until_sockets(2).await;
        let looking = async {
            assert_eq!(dans.expect("server_shutdown").await["reason"], "shutdown");
            assert_eq!(late.finish().await.err().map(|answer| answer.status), Some(503));
            assert_eq!(dans.closed().await, Some(1001));
            // The server has waited for eve's answer, so that whoever was late got theirs.
            let reason = loop {
                match silent.read().await {
                    Some((CLOSE, reason)) => break reason,
                    Some(_) => {}
                    None => panic!("the code was lost"),
                }
            };
            assert_eq!(reason[..2], 1001_u16.to_be_bytes());
            silent.write(CLOSE, &reason).await.unwrap();
            drop(silent);
        };
        tokio::join!(server.stop(), looking);
    }

    async fn a_client_that_closes_gets_its_close_answered(server) {
        let mut socket = server.driver("dan").await.drive().await;
        socket.send_frame(CLOSE, &1000_u16.to_be_bytes());
        let end = socket.take("the end", |heard| match heard {
            Heard::End(code) => Some(*code),
            _ => None,
        });
        assert_eq!(end.await, Some(1000));
        server.until_sockets(0).await;
    }
}
