//! What a driver hears of orders that are given to them and taken away: everything, once, and
//! again only where it may not have arrived.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::v1::burger;
use crate::support::wire::{PING, PONG, TEXT, Wire};
use crate::support::{Person, Raw, Server, time};

/// Connects again and again until nothing is told at connect any more.
async fn until_told(dan: &Person) {
    let deadline = std::time::Instant::now() + crate::support::rest::PATIENCE;
    loop {
        let mut socket = dan.drive().await;
        let kinds = socket.kinds().await;
        if !kinds.iter().any(|kind| kind == "order_assigned" || kind == "order_cancelled") {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "told again and again: {kinds:?}");
    }
}

async fn pair(server: &Server) -> (Person, Person) {
    (server.admin().await, server.driver("dan").await)
}

/// The next frame of a wire that no task serves, pings included.
async fn frame(wire: &mut Wire) -> (u8, Value) {
    let next = tokio::time::timeout(crate::support::rest::PATIENCE, wire.read()).await;
    let (opcode, payload) = next.expect("a frame comes").expect("the connection lives");
    (opcode, serde_json::from_slice(&payload).unwrap_or_default())
}

/// A driver's socket that never answers a ping.
async fn mute(dan: &Person) -> Raw {
    let wire = Wire::open(&dan.server, &dan.driver_path()).await.unwrap();
    let mut socket = Raw::over(wire, false);
    socket.expect_connected().await;
    socket
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_assignment_carries_what_the_app_needs(server) {
        let (admin, dan) = pair(server).await;
        let mut dans = dan.drive().await;
        let body = json!({
            "restaurant_name": "Burger King", "pickup_address": "Koramangala 5th Block",
            "delivery_address": "Indiranagar 100ft Road", "customer_name": "Rahul Sharma",
            "customer_phone": "+919876543210", "items": [{ "name": "Whopper", "quantity": 2, "price": 4.5 }],
            "pickup_lat": 0, "pickup_lng": 0, "delivery_lat": 0, "delivery_lng": 0.1,
            "earnings": 7.25, "note": "Second floor", "driver_id": dan.number().await,
        });
        let created = admin.post("/api/v1/orders", &body).await.bare(201);
        let told = dans.expect("order_assigned").await;
        assert_eq!(told["status"], "preparing");
        assert_eq!(told["order_id"], created["order_id"]);
        assert!(told["order_id"].is_i64() && crate::support::is_id(&told["id"]), "{told}");
        for field in ["restaurant_name", "pickup_address", "delivery_address", "customer_name",
            "customer_phone", "note", "driver_id"]
        {
            assert_eq!(told[field], body[field], "{field}");
        }
        for field in ["pickup_lat", "pickup_lng", "delivery_lat", "delivery_lng", "earnings"] {
            assert_eq!(told[field].as_f64(), body[field].as_f64(), "{field}");
        }
        assert_eq!(told["order_total"].as_f64(), Some(9.0));
        // A tenth of a degree on the equator.
        assert!((11.0..11.2).contains(&told["distance_km"].as_f64().unwrap()), "{told}");
        assert_eq!(told["items"][0]["name"], "Whopper");
        assert!(told.get("expires_at").is_none(), "{told}");
        time(&told["created_at"]);
        // It was placed for dan: nobody was offered it.
        dans.expect_none("new_order").await;
        let assigned = dan.get("/api/v1/orders/assigned").await.bare(200);
        assert_eq!(assigned, json!([told]));
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn cancelled_and_unassigned_orders_say_why(server) {
        let (admin, dan) = pair(server).await;
        let mut dans = dan.drive().await;
        let orders = [admin.create().await, admin.create().await, admin.create().await];
        for order in &orders {
            admin.give(order, &dan).await;
        }
        admin.call_off(&orders[0], "Out of burgers").await;
        admin.v1_on(&orders[1], "unassign", &json!({})).await.bare(200);
        admin.v1_on(&orders[2], "cancel", &json!({})).await.bare(200);
        for (order, reason) in orders.iter().zip(["Out of burgers", "Unassigned", "Customer cancelled"]) {
            let told = dans.expect_where("order_cancelled", |told| told["order_id"] == order["order_id"]);
            let told = told.await;
            assert_eq!(told["id"], order["id"]);
            if reason != "Customer cancelled" {
                assert_eq!(told["reason"], reason, "{told}");
            }
            assert!(told["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{told}");
        }
        dans.expect_none("order_cancelled").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_happened_while_away_is_told_at_connect_and_only_the_last_of_it(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let orders = [admin.create().await, admin.create().await, admin.create().await, admin.create().await];
        for order in &orders {
            admin.give(order, &dan).await;
        }
        admin.call_off(&orders[1], "Gone").await;
        admin.v1_on(&orders[2], "unassign", &json!({})).await.bare(200);
        admin.v1_on(&orders[3], "unassign", &json!({})).await.bare(200);
        admin.give(&orders[3], &dan).await;
        let number = |told: &Value| told["order_id"].clone();
        let mut dans = dan.drive().await;
        let assigned: Vec<_> = dans.all("order_assigned").await.iter().map(number).collect();
        let cancelled: Vec<_> = dans.all("order_cancelled").await.iter().map(number).collect();
        assert_eq!(assigned, [number(&orders[0]), number(&orders[3])]);
        assert_eq!(cancelled, [number(&orders[1]), number(&orders[2])]);
        let mut eves = eve.drive().await;
        eves.expect_none("order_assigned").await;
        eves.expect_none("order_cancelled").await;
        until_told(&dan).await;
        // Nor are they told after a restart.
        server.restart().await;
        let mut dans = dan.drive().await;
        dans.expect_none("order_assigned").await;
        dans.expect_none("order_cancelled").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_was_not_told_survives_a_restart(server) {
        let (admin, dan) = pair(server).await;
        let orders = [admin.create().await, admin.create().await];
        for order in &orders {
            admin.give(order, &dan).await;
        }
        admin.call_off(&orders[0], "Gone").await;
        server.restart().await;
        let mut dans = dan.drive().await;
        assert_eq!(dans.expect("order_assigned").await["order_id"], orders[1]["order_id"]);
        assert_eq!(dans.expect("order_cancelled").await["order_id"], orders[0]["order_id"]);
        dans.expect_none("order_assigned").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_notice_is_followed_by_a_ping_also_at_connect(server) {
        let (admin, dan) = pair(server).await;
        for told_at_connect in [true, false] {
            let order = admin.create().await;
            if told_at_connect {
                admin.give(&order, &dan).await;
            }
            let mut wire = Wire::open(server, &dan.driver_path()).await.unwrap();
            let (opcode, first) = frame(&mut wire).await;
            assert_eq!((opcode, &first["type"]), (TEXT, &json!("connected")));
            if !told_at_connect {
                admin.give(&order, &dan).await;
            }
            // Who answers a ping that came before the notice would not have the notice.
            loop {
                let (opcode, next) = frame(&mut wire).await;
                assert_ne!(opcode, PING, "a ping before the notice");
                if next["type"] == "order_assigned" {
                    assert_eq!(next["data"]["order_id"], order["order_id"]);
                    break;
                }
            }
            let mut probe = wire.read().await.unwrap();
            while probe.0 != PING {
                probe = wire.read().await.unwrap();
            }
            wire.write(PONG, &probe.1).await.unwrap();
            drop(wire);
            until_told(&dan).await;
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_no_pong_proves_is_told_again(server) {
        let (admin, dan) = pair(server).await;
        let order = admin.create().await;
        admin.give(&order, &dan).await;
        for _ in 0..3 {
            let mut socket = mute(&dan).await;
            assert_eq!(socket.expect("order_assigned").await["order_id"], order["order_id"]);
            // Sent at once, this may have crossed the notice.
            socket.round_trip().await;
            socket.send_frame(PONG, b"an answer to no ping");
            socket.send_frame(PONG, &[0; 8]);
            socket.round_trip().await;
            assert_eq!(socket.all("order_assigned").await, [] as [Value; 0], "twice on one socket");
        }
        let mut socket = dan.drive().await;
        socket.expect("order_assigned").await;
        until_told(&dan).await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_later_frame_of_a_client_that_answers_no_ping_counts(server) {
        let (admin, dan) = pair(server).await;
        let order = admin.create().await;
        let mut socket = mute(&dan).await;
        admin.give(&order, &dan).await;
        socket.expect("order_assigned").await;
        let told = std::time::Instant::now();
        while told.elapsed() < Duration::from_millis(2200) {
            socket.round_trip().await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        socket.round_trip().await;
        // What was told is forgotten in the background, never after a graceful stop.
        server.restart().await;
        let mut socket = mute(&dan).await;
        socket.expect_none("order_assigned").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_old_client_on_orders_proves_by_going_on(server) {
        let (admin, dan) = pair(server).await;
        let order = admin.create().await;
        admin.give(&order, &dan).await;
        let mut socket = dan.connect("/orders").await;
        assert_eq!(socket.expect("order_assigned").await["order_id"], order["order_id"]);
        let told = std::time::Instant::now();
        while told.elapsed() < Duration::from_millis(2200) {
            socket.done("ping", &json!({})).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        socket.done("ping", &json!({})).await;
        server.restart().await;
        dan.drive().await.expect_none("order_assigned").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn who_acts_on_an_order_need_not_be_told_of_it(server) {
        let (admin, dan) = pair(server).await;
        let order = admin.create().await;
        admin.give(&order, &dan).await;
        dan.v1_advance(&order, "out_for_delivery").await.bare(200);
        dan.drive().await.expect_none("order_assigned").await;
        // An admin who moves it on proves nothing of the driver.
        let order = admin.create().await;
        admin.give(&order, &dan).await;
        admin.v1_advance(&order, "out_for_delivery").await.bare(200);
        let told = dan.drive().await.expect("order_assigned").await;
        assert_eq!(told["status"], "out_for_delivery", "as it is now");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_pool_is_one_assignment_for_each_order(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let mut dans = dan.drive().await;
        let mut eves = eve.drive().await;
        let mut orders = Vec::new();
        for _ in 0..5 {
            orders.push(admin.create().await);
        }
        let named: Vec<_> = vec![
            orders[0]["order_id"].clone(), orders[1]["id"].clone(), orders[2]["order_id"].clone(),
            // The same again.
            orders[0]["id"].clone(), orders[2]["order_id"].clone(),
        ];
        let body = json!({ "order_ids": named, "driver_id": dan.username });
        let pool = admin.post("/api/v1/pools", &body).await.bare(201);
        assert_eq!(pool["driver_id"], dan.number().await);
        assert_eq!((pool["orders"].as_array().unwrap().len(), &pool["failed"]), (3, &json!([])));
        let mut told: Vec<_> = dans.all("order_assigned").await.iter().map(|one| one["order_id"].as_i64()).collect();
        told.sort_unstable();
        let expected: Vec<_> = orders[..3].iter().map(|one| one["order_id"].as_i64()).collect();
        assert_eq!(told, expected);
        eves.expect_none("order_assigned").await;
        // Again: they are dan's already, and nothing new is told.
        admin.post("/api/v1/pools", &body).await.bare(201);
        dans.expect_none("order_assigned").await;
        // One of another driver, one that does not exist: then none is given.
        admin.give(&orders[3], &eve).await;
        for (bad, status, code) in [
            (orders[3]["order_id"].clone(), 409, "conflict"),
            (json!(999_999), 404, "not_found"),
        ] {
            let body = json!({ "order_ids": [orders[4]["order_id"], bad], "driver_id": dan.username });
            admin.post("/api/v1/pools", &body).await.refused_v1(status, code);
        }
        let body = json!({ "order_ids": [orders[4]["order_id"]], "driver_id": "nobody" });
        admin.post("/api/v1/pools", &body).await.refused_v1(404, "not_found");
        for bad in [json!({}), json!({ "order_ids": [] , "driver_id": "dan" }),
            json!({ "order_ids": [1] }), json!({ "order_ids": vec![1; 101], "driver_id": "dan" }),
            json!({ "order_ids": "1", "driver_id": "dan" }), json!({ "order_ids": [{}], "driver_id": "dan" })]
        {
            admin.post("/api/v1/pools", &bad).await.refused_v1(400, "validation_failed");
        }
        dans.expect_none("order_assigned").await;
        let last = admin.get(&format!("/api/v1/orders/{}", orders[4]["order_id"])).await.bare(200);
        assert_eq!(last["status"], "pending");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_order_is_taken_over_the_raw_socket_by_one(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let (mut dans, mut eves) = (dan.drive().await, eve.drive().await);
        let order = admin.create().await;
        for socket in [&mut dans, &mut eves] {
            let offer = socket.expect("new_order").await;
            assert_eq!((&offer["order_id"], &offer["status"]), (&order["order_id"], &json!("pending")));
            assert!(offer.get("expires_at").is_none(), "{offer}");
        }
        let wanted = json!({ "order_id": order["order_id"] });
        dans.send("accept_order", &wanted);
        assert_eq!(dans.expect("order_assigned").await["order_id"], order["order_id"]);
        let removed = eves.expect("order_removed").await;
        assert_eq!(removed, json!({ "order_id": order["order_id"], "id": order["id"] }));
        eves.refused("accept_order", &wanted, "conflict").await;
        eves.refused("reject_order", &wanted, "conflict").await;
        dans.expect_none("order_removed").await;
        // Again is fine, and tells nothing twice.
        dans.send("accept_order", &json!({ "order_id": order["id"] }));
        dans.expect_none("order_assigned").await;
        dans.expect_none("error").await;
        // What is rejected is not told again.
        let other = admin.create().await;
        dans.expect("new_order").await;
        dans.send("reject_order", &json!({ "order_id": other["order_id"], "reason": "Too far" }));
        assert_eq!(dans.expect("order_removed").await["order_id"], other["order_id"]);
        dans.refused("accept_order", &json!({ "order_id": other["order_id"] }), "conflict").await;
        let mut dans = dan.drive().await;
        dans.expect_none("new_order").await;
        assert_eq!(eve.drive().await.expect("new_order").await["order_id"], other["order_id"]);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123",
        DISPATCH_MODE = "nearest", OFFER_TIMEOUT = "1s")]
    async fn the_nearest_driver_is_asked_and_then_the_next(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let (mut dans, mut eves) = (dan.drive().await, eve.drive().await);
        dans.send("location_update", &json!({ "latitude": 0, "longitude": 0.001 }));
        eves.send("location_update", &json!({ "latitude": 0, "longitude": 0.01 }));
        admin.until_near(2).await;
        let mut body = burger();
        body["pickup_lat"] = json!(0);
        body["pickup_lng"] = json!(0);
        let order = admin.post("/api/v1/orders", &body).await.bare(201);
        let offer = dans.expect("new_order").await;
        assert_eq!(offer["order_id"], order["order_id"]);
        let left = time(&offer["expires_at"]).millis() - waggle::clock::Clock::system().now().millis();
        assert!(left <= 1000, "{left} ms left of one second");
        eves.expect_none("new_order").await;
        assert_eq!(dans.expect("order_removed").await["order_id"], order["order_id"]);
        assert_eq!(eves.expect("new_order").await["order_id"], order["order_id"]);
        eves.send("accept_order", &json!({ "order_id": order["order_id"] }));
        assert_eq!(eves.expect("order_assigned").await["order_id"], order["order_id"]);
        eves.expect_none("order_removed").await;
    }
}
