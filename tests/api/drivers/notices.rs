//! What a driver hears of orders that are given to them and taken away: everything, once, and
//! again only where it may not have arrived.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::orders::tea;
use crate::support::raw::Heard;
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

/// An admin, and a driver.
pub(super) async fn pair(server: &Server) -> (Person, Person) {
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
            "customer_phone": "+919876543210",
            "items": [{ "name": "Whopper", "quantity": 2, "price": 4.5 }],
            "pickup_lat": 0, "pickup_lng": 0, "delivery_lat": 0, "delivery_lng": 0.1,
            "earnings": 7.25, "note": "Second floor", "driver_id": dan.number().await,
        });
        let created = admin.post("/api/v1/orders", &body).await.bare(201);
        let told = dans.expect("order_assigned").await;
        assert_eq!(told["status"], "preparing");
        assert_eq!(told["order_id"], created["order_id"]);
        assert!(told["order_id"].is_i64() && crate::support::is_id(&told["id"]), "{told}");
        for field in [
            "restaurant_name",
            "pickup_address",
            "delivery_address",
            "customer_name",
            "customer_phone",
            "note",
            "driver_id",
        ] {
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
    async fn who_has_an_order_learns_the_name_of_its_customer(server) {
        let (admin, dan) = pair(server).await;
        let (eve, alice) = (server.driver("eve").await, server.register("alice").await);
        let mut dans = dan.drive().await;
        for name in ["alice", "Alice Liddell"] {
            if name != "alice" {
                alice.patch("/api/auth/me", &json!({ "name": name })).await.data(200);
            }
            let order = alice.place(&tea()).await;
            assert_eq!(dans.expect("new_order").await["customer_name"], Value::Null);
            dan.accept(&order).await;
            assert_eq!(dans.expect("order_assigned").await["customer_name"], name);
            let path = format!("/api/v1/orders/{}", order["_id"].as_str().unwrap());
            for who in [&dan, &admin, &alice] {
                assert_eq!(who.get(&path).await.bare(200)["customer_name"], name);
            }
            eve.get(&path).await.refused_v1(404, "not_found");
        }
        // An order of the back office is not for the admin who placed it.
        assert_eq!(admin.create().await["customer_name"], Value::Null);
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
        for (order, reason) in
            orders.iter().zip(["Out of burgers", "Unassigned", "Customer cancelled"])
        {
            let told =
                dans.expect_where("order_cancelled", |told| told["order_id"] == order["order_id"]);
            let told = told.await;
            assert_eq!(told["id"], order["id"]);
            assert_eq!(told["reason"], reason, "{told}");
        }
        dans.expect_none("order_cancelled").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_happened_while_away_is_told_at_connect_and_only_the_last_of_it(server) {
        let (admin, dan) = pair(server).await;
        let eve = server.driver("eve").await;
        let orders = [
            admin.create().await,
            admin.create().await,
            admin.create().await,
            admin.create().await,
        ];
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
            socket.send("ping", &json!({}));
            socket.send_frame(PONG, b"an answer to no ping");
            socket.send_frame(PONG, &[0; 8]);
            socket.send("ping", &json!({}));
            let mut answers = 0;
            while answers < 2 {
                let Heard::Frame(frame) = socket.next().await else { continue };
                assert_ne!(frame["type"], "order_assigned", "twice on one socket");
                answers += usize::from(frame["type"] == "pong");
            }
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
}
