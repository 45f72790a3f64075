//! Rate limits of orders and positions: told with the time to wait.

use serde_json::{Value, json};

use crate::support::orders::{tea, which};

#[track_caller]
fn check(error: &Value) {
    assert_eq!(error["code"], "rate_limited", "{error}");
    assert!((1..=60).contains(&error["retryAfter"].as_u64().unwrap()), "{error}");
    assert_eq!(error["remaining"], 0, "{error}");
    assert!(error["message"].is_string(), "{error}");
}

on_every_store! {
    #[set(RATE_LIMITS = "on", RATE_LIMIT_ORDERS = "3/1m")]
    async fn placing_is_limited_by_user(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut alices = [alice.connect("/").await, alice.connect("/orders").await];
        let order = alices[0].place(&tea()).await;
        alices[1].place(&tea()).await;
        alice.place(&tea()).await;
        for socket in &mut alices {
            let error = socket.emit_ack("placeOrder", &tea()).await["error"].clone();
            assert_eq!(error["code"], "rate_limited");
            assert!(error["retryAfter"].is_u64());
            check(&socket.expect("orderError").await);
            socket.emit("placeOrder", &tea());
            check(&socket.expect("orderError").await);
        }
        let refused = alice.post("/api/orders", &tea()).await;
        assert!(refused.refused(429, "rate_limited")["retryAfter"].is_u64());
        assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|wait| wait >= 1));
        for name in ["limit", "remaining", "reset"] {
            let value = refused.header(&format!("x-ratelimit-{name}"));
            assert!(value.parse::<u64>().is_ok(), "{name}: {value:?} of {refused:?}");
        }
        assert_eq!(alice.orders("").await.len(), 3);
        bob.place(&tea()).await;
        // What is there can still be cancelled.
        alices[0].done("cancelOrder", &which(&order)).await;
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_ORDERS = "1/1m")]
    async fn the_headers_of_a_refusal_are_those_of_the_limit_that_refused(server) {
        let alice = server.register("alice").await;
        alice.place(&tea()).await;
        let refused = alice.post("/api/orders", &tea()).await;
        refused.refused(429, "rate_limited");
        assert_eq!(refused.header("x-ratelimit-limit"), "1");
        assert_eq!(refused.header("x-ratelimit-remaining"), "0");
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_LOCATIONS = "2/1m")]
    async fn positions_are_limited_by_driver(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut dans = dan.connect("/orders").await;
        let at = |lng: i64| json!({ "latitude": 0, "longitude": lng });
        dans.done("location_update", &at(1)).await;
        dan.stand_at(2.0).await;
        let error = dans.emit_ack("location_update", &at(3)).await["error"].clone();
        assert_eq!(error["code"], "rate_limited");
        check(&dans.expect("orderError").await);
        dans.emit("location_update", &at(3));
        check(&dans.expect("orderError").await);
        let refused = dan.post("/api/drivers/me/location", &at(3)).await;
        refused.refused(429, "rate_limited");
        assert!(!refused.header("retry-after").is_empty());
        let own = dan.get("/api/drivers/me").await.data(200);
        assert_eq!(own["position"]["longitude"], 2.0);
        eve.stand_at(1.0).await;
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_REST_WRITES = "3/1m")]
    async fn rest_writes_say_what_is_left(server) {
        let alice = server.register("alice").await;
        for left in ["2", "1", "0"] {
            let answer = alice.post("/api/orders", &tea()).await;
            answer.data(201);
            assert_eq!(answer.header("x-ratelimit-remaining"), left);
            assert_eq!(answer.header("x-ratelimit-limit"), "3");
            assert!(!answer.header("x-ratelimit-reset").is_empty());
        }
        let refused = alice.post("/api/orders", &tea()).await;
        refused.refused(429, "rate_limited");
        assert_eq!(refused.header("x-ratelimit-remaining"), "0");
        assert_eq!(alice.orders("").await.len(), 3);
    }
}
