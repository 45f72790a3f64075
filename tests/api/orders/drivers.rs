//! Drivers come and go: who is available hears of orders.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::orders::tea;
use crate::support::rest::PATIENCE;
use crate::support::{Person, Socket, time};

async fn own(driver: &Person) -> Value {
    driver.get("/api/drivers/me").await.data(200)
}

async fn set(socket: &mut Socket, available: bool) {
    let ack = socket.done("setAvailability", &json!({ "available": available })).await;
    assert!(ack.get("available").is_none_or(|said| *said == available), "{ack}");
}

/// Waits until a driver whose sockets are gone counts as away, who was not available: from then on
/// nobody becomes so without a socket.
async fn until_away(driver: &Person) {
    let deadline = Instant::now() + PATIENCE;
    let set = async |available: bool| {
        let body = json!({ "available": available });
        driver.put_json("/api/drivers/me/availability", &body).await.data(200)["available"].clone()
    };
    while set(true).await == true {
        set(false).await;
        assert!(Instant::now() < deadline, "{} is still there", driver.username);
    }
}

fn numbers(told: &[Value]) -> Vec<i64> {
    told.iter().map(|order| order["orderNumber"].as_i64().unwrap()).collect()
}

on_every_store! {
    async fn a_driver_connects_available_and_hears_of_pending_orders(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        assert_eq!(own(&dan).await["available"], false, "not connected");
        let mut orders = Vec::new();
        for _ in 0..4 {
            orders.push(alice.place(&tea()).await);
        }
        eve.accept(&orders[1]).await;
        alice.on(&orders[2], "cancel", &json!({})).await.data(200);
        for namespace in ["/orders", "/"] {
            let mut dans = dan.connect(namespace).await;
            for number in [0, 3] {
                assert_eq!(dans.hear_of("newOrder", &orders[number]).await, orders[number]);
            }
            dans.expect_silence().await;
            assert_eq!(own(&dan).await["available"], true);
        }
        // Those who do not drive are told nothing on connecting.
        let mut alices = alice.connect("/orders").await;
        alices.expect_silence().await;
    }

    async fn an_order_that_is_placed_while_a_driver_connects_is_told_once(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let _first = dan.connect("/orders").await;
        for round in 0..40 {
            let namespace = if round % 2 == 0 { "/" } else { "/orders" };
            let (mut dans, order) = tokio::join!(dan.connect(namespace), async {
                alice.place(&tea()).await
            });
            let next = alice.place(&tea()).await;
            dans.hear_of("newOrder", &next).await;
            let told = dans.all("newOrder").await;
            assert_eq!(told, std::slice::from_ref(&order), "round {round}");
            for order in [order, next] {
                alice.on(&order, "cancel", &json!({})).await.data(200);
            }
        }
    }

    async fn who_is_not_available_hears_of_no_new_orders(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = [dan.connect("/").await, dan.connect("/orders").await];
        set(&mut dans[0], false).await;
        assert_eq!(own(&dan).await["available"], false);
        alice.place(&tea()).await;
        for socket in &mut dans {
            socket.expect_none("newOrder").await;
        }
        // Another device does not change that.
        let mut third = dan.connect("/orders").await;
        third.expect_none("newOrder").await;
        alice.place(&tea()).await;
        third.expect_none("newOrder").await;
        set(&mut third, true).await;
        for socket in dans.iter_mut().chain([&mut third]) {
            assert_eq!(numbers(&socket.all("newOrder").await), [1, 2], "what is still pending");
        }
        alice.place(&tea()).await;
        for socket in dans.iter_mut().chain([&mut third]) {
            assert_eq!(numbers(&socket.all("newOrder").await), [3]);
        }
    }

    async fn availability_may_be_set_by_rest(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        for available in [false, true, true, false] {
            let body = json!({ "available": available });
            let data = dan.put_json("/api/drivers/me/availability", &body).await.data(200);
            assert_eq!(data["available"], available);
            assert_eq!(own(&dan).await["available"], available);
            let order = alice.place(&tea()).await;
            let told = dans.all("newOrder").await;
            assert_eq!(told.contains(&order), available);
        }
        for wrong in [json!({}), json!({ "available": "yes" }), json!({ "available": null })] {
            let answer = dan.put_json("/api/drivers/me/availability", &wrong).await;
            answer.refused(400, "validation_failed");
            dans.failed("setAvailability", &wrong, "validation_failed").await;
        }
    }

    #[set(PRESENCE_GRACE = "30s")]
    async fn who_is_back_within_the_grace_is_as_available_as_before(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        set(&mut dans, false).await;
        alice.place(&tea()).await;
        drop(dans);
        server.until_sockets(0).await;
        let mut dans = dan.connect("/").await;
        assert_eq!(own(&dan).await["available"], false);
        dans.expect_none("newOrder").await;
    }

    #[set(PRESENCE_GRACE = "100ms")]
    async fn who_was_away_for_longer_comes_back_available(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/").await;
        let mut dans = dan.connect("/orders").await;
        set(&mut dans, false).await;
        drop(dans);
        let is_gone = |status: &Value| status["userId"] == dan.id && status["isOnline"] == false;
        alices.expect_where("user_status", is_gone).await;
        until_away(&dan).await;
        let order = alice.place(&tea()).await;
        let mut dans = dan.connect("/orders").await;
        assert_eq!(dans.expect("newOrder").await["_id"], order["_id"]);
        assert_eq!(own(&dan).await["available"], true);
    }

    async fn who_is_not_available_still_hears_of_orders_in_hand(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        set(&mut dans, false).await;
        alice.on(&order, "cancel", &json!({})).await.data(200);
        assert_eq!(dans.expect("orderCancelled").await["orderId"], order["_id"]);
    }

    async fn a_ping_is_answered(server) {
        let dan = server.driver("dan").await;
        for namespace in ["/", "/orders"] {
            let mut dans = dan.connect(namespace).await;
            dans.done("ping", &json!({})).await;
            dans.expect("pong").await;
            dans.emit("ping", &json!({}));
            dans.expect("pong").await;
        }
    }

    async fn a_ping_needs_no_payload(server) {
        let mut dans = server.driver("dan").await.connect("/orders").await;
        let asked = dans.ask_raw(&json!(["ping"]));
        assert_eq!(dans.ack(asked).await["ok"], true);
        dans.expect("pong").await;
    }

    async fn a_position_is_durable_when_it_is_acknowledged(server) {
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        let payload = json!({ "latitude": 28.7041, "longitude": 77.1025, "heading": 180,
            "speed": 12.5, "accuracy": 10.5, "battery_level": 75 });
        dans.done("location_update", &payload).await;
        server.restart().await;
        let position = own(&dan).await["position"].clone();
        for field in ["latitude", "longitude", "heading", "speed", "accuracy"] {
            assert_eq!(position[field].as_f64(), payload[field].as_f64(), "{field}");
        }
        time(&position["timestamp"]);
        assert_eq!(own(&dan).await["driver"]["username"], "dan");
    }
}
