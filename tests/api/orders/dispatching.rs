//! `DISPATCH_MODE=nearest`: an order is offered to one driver at a time, the nearest first.

use serde_json::{Value, json};

use crate::support::orders::{id, steps, tea, tea_at, which};
use crate::support::{Person, Server, Socket, time};

/// Drivers who stand at these places on the equator, each with a socket.
async fn standing<const N: usize>(server: &Server, places: [f64; N]) -> (Vec<Person>, Vec<Socket>) {
    let (mut drivers, mut sockets) = (Vec::new(), Vec::new());
    for (number, place) in places.into_iter().enumerate() {
        let driver = server.driver(&format!("driver-{number}")).await;
        sockets.push(driver.connect_at(place).await);
        drivers.push(driver);
    }
    (drivers, sockets)
}

/// Shows that a socket holds an offer of the order.
async fn offered(socket: &mut Socket, order: &Value) -> Value {
    let offer = socket.expect("newOrder").await;
    assert_eq!(offer["_id"], order["_id"], "{offer}");
    assert!(time(&offer["offerExpiresAt"]) > time(&offer["createdAt"]), "{offer}");
    assert_eq!(offer["status"], "pending");
    offer
}

on_every_store! {
    #[set(DISPATCH_MODE = "nearest")]
    async fn the_nearest_driver_alone_is_asked(server) {
        let alice = server.register("alice").await;
        let (drivers, mut sockets) = standing(server, [0.02, 0.01, 0.03]).await;
        let mut second = drivers[1].connect("/").await;
        alice.until_near(3).await;
        let mut alices = alice.connect("/orders").await;
        let order = alices.place(&tea_at(0.0)).await;
        offered(&mut sockets[1], &order).await;
        offered(&mut second, &order).await;
        sockets[0].failed("orderAccept", &which(&order), "conflict").await;
        drivers[2].on(&order, "accept", &json!({})).await.refused(409, "conflict");
        sockets[1].done("orderAccept", &which(&order)).await;
        alices.expect("orderPlaced").await;
        assert_eq!(alices.expect("orderAccepted").await["driverId"], drivers[1].id.as_str());
        alices.expect_silence().await;
        for number in [0, 2] {
            sockets[number].expect_silence().await;
        }
        for socket in [&mut sockets[1], &mut second] {
            socket.expect("orderAccepted").await;
            socket.expect_silence().await;
        }
    }

    #[set(
        DISPATCH_MODE = "nearest",
        ADMIN_EMAIL = "root@example.com",
        ADMIN_PASSWORD = "password123"
    )]
    async fn a_reject_moves_the_offer_on_until_nobody_is_left(server) {
        let [alice, stranger] = server.people(["alice", "stranger"]).await;
        let (_, mut sockets) = standing(server, [0.01, 0.02, 0.03]).await;
        alice.until_near(3).await;
        let mut admins = server.admin().await.connect("/orders").await;
        let mut strangers = stranger.connect("/").await;
        let mut alices = [alice.connect("/orders").await, alice.connect("/").await];
        let order = alices[0].place(&tea_at(0.0)).await;
        for socket in &mut sockets {
            offered(socket, &order).await;
            socket.done("orderReject", &which(&order)).await;
            assert_eq!(socket.expect("removeOrder").await["orderId"], order["_id"]);
        }
        for socket in alices.iter_mut().chain([&mut admins]) {
            assert_eq!(socket.expect("orderUnassigned").await["orderId"], order["_id"]);
            socket.expect_none("orderUnassigned").await;
        }
        strangers.expect_silence().await;
        for socket in &mut sockets {
            socket.expect_silence().await;
        }
        let left = alice.order(&order).await;
        assert_eq!((&left["status"], steps(&left)), (&json!("pending"), vec!["pending"]));
        assert_eq!(left["rejections"].as_array().unwrap().len(), 3);
        // Who has rejected it is not asked again, however often they come.
        for socket in &mut sockets {
            socket.done("setAvailability", &json!({ "available": false })).await;
            socket.done("setAvailability", &json!({ "available": true })).await;
            socket.expect_none("newOrder").await;
        }
    }

    #[set(DISPATCH_MODE = "nearest", OFFER_TIMEOUT = "500ms")]
    async fn an_offer_nobody_answers_moves_on(server) {
        let alice = server.register("alice").await;
        let (drivers, mut sockets) = standing(server, [0.01, 0.02]).await;
        alice.until_near(2).await;
        let mut alices = alice.connect("/orders").await;
        let order = alices.place(&tea_at(0.0)).await;
        for socket in &mut sockets {
            offered(socket, &order).await;
            assert_eq!(socket.expect("removeOrder").await["orderId"], order["_id"]);
        }
        assert_eq!(alices.expect("orderUnassigned").await["orderId"], order["_id"]);
        let left = alice.order(&order).await;
        assert_eq!(left["history"], order["history"]);
        assert_eq!(left["rejections"], json!([]));
        // Offered again when a driver becomes available; the first offer was no rejection. With time
        // to take it, and nobody else there.
        server.restart_with(&[("OFFER_TIMEOUT", "1m")]).await;
        let mut back = drivers[1].connect("/orders").await;
        offered(&mut back, &order).await;
        back.done("setAvailability", &json!({ "available": false })).await;
        assert_eq!(back.expect("removeOrder").await["orderId"], order["_id"]);
        back.done("setAvailability", &json!({ "available": true })).await;
        offered(&mut back, &order).await;
        drivers[1].accept(&order).await;
    }

    #[set(DISPATCH_MODE = "nearest")]
    async fn a_driver_has_one_offer_at_a_time(server) {
        let alice = server.register("alice").await;
        let (drivers, mut sockets) = standing(server, [0.01]).await;
        alice.until_near(1).await;
        let placing = (0..5).map(|_| async { alice.place(&tea_at(0.0)).await });
        let orders = futures_util::future::join_all(placing).await;
        let mut seen = Vec::new();
        for _ in 0..5 {
            let offer = sockets[0].expect("newOrder").await;
            sockets[0].expect_none("newOrder").await;
            assert!(orders.iter().any(|one| one["_id"] == offer["_id"]), "{offer}");
            assert!(!seen.contains(&offer["_id"]), "{offer}");
            seen.push(offer["_id"].clone());
            drivers[0].accept(&offer).await;
        }
    }

    #[set(DISPATCH_MODE = "nearest")]
    async fn many_orders_at_once_go_to_as_many_drivers(server) {
        let alice = server.register("alice").await;
        let (_, mut sockets) = standing(server, [0.01, 0.02, 0.03, 0.04]).await;
        alice.until_near(4).await;
        let placing = (0..4).map(|_| async { alice.place(&tea_at(0.0)).await });
        let orders = futures_util::future::join_all(placing).await;
        let mut offers = Vec::new();
        for socket in &mut sockets {
            offers.push(id(&socket.expect("newOrder").await).to_owned());
            socket.expect_none("newOrder").await;
        }
        offers.sort_unstable();
        let mut placed: Vec<_> = orders.iter().map(|order| id(order).to_owned()).collect();
        placed.sort_unstable();
        assert_eq!(offers, placed);
    }

    #[set(DISPATCH_MODE = "nearest")]
    async fn a_cancelled_order_is_taken_from_whom_it_is_offered_to(server) {
        let alice = server.register("alice").await;
        let (_, mut sockets) = standing(server, [0.01, 0.02, 0.03]).await;
        alice.until_near(3).await;
        let order = alice.place(&tea_at(0.0)).await;
        offered(&mut sockets[0], &order).await;
        sockets[0].done("orderReject", &which(&order)).await;
        sockets[0].expect("removeOrder").await;
        offered(&mut sockets[1], &order).await;
        alice.on(&order, "cancel", &json!({})).await.data(200);
        assert_eq!(sockets[1].expect("removeOrder").await["orderId"], order["_id"]);
        sockets[1].failed("orderAccept", &which(&order), "conflict").await;
        // The next order goes its own way.
        let next = alice.place(&tea_at(0.0)).await;
        offered(&mut sockets[0], &next).await;
        for socket in &mut sockets {
            socket.expect_silence().await;
        }
    }

    #[set(DISPATCH_MODE = "nearest", LOCATION_MAX_AGE = "1m")]
    async fn only_fresh_positions_count(server) {
        let alice = server.register("alice").await;
        let (_, mut sockets) = standing(server, [0.02]).await;
        let stale = server.driver("stale").await;
        let nowhere = server.driver("nowhere").await;
        let mut stales = stale.connect("/orders").await;
        let mut nowheres = nowhere.connect("/orders").await;
        let old = json!({ "latitude": 0, "longitude": 0, "timestamp": super::trails::ago(120) });
        stales.done("location_update", &old).await;
        alice.until_near(1).await;
        let mut alices = alice.connect("/orders").await;
        let order = alices.place(&tea_at(0.0)).await;
        offered(&mut sockets[0], &order).await;
        sockets[0].done("orderReject", &which(&order)).await;
        alices.expect("orderUnassigned").await;
        stales.expect_silence().await;
        nowheres.expect_silence().await;
        // The first position that counts makes a driver one who can be asked.
        nowheres.done("location_update", &json!({ "latitude": 0, "longitude": 1 })).await;
        offered(&mut nowheres, &order).await;
        nowheres.done("orderReject", &which(&order)).await;
        alices.expect("orderUnassigned").await;
        stales.done("location_update", &json!({ "latitude": 0, "longitude": 0 })).await;
        offered(&mut stales, &order).await;
    }

    #[set(
        DISPATCH_MODE = "nearest",
        ADMIN_EMAIL = "root@example.com",
        ADMIN_PASSWORD = "password123"
    )]
    async fn an_unassigned_order_goes_to_the_next_driver(server) {
        let alice = server.register("alice").await;
        let (drivers, mut sockets) = standing(server, [0.01, 0.02]).await;
        alice.until_near(2).await;
        let order = alice.place(&tea_at(0.0)).await;
        offered(&mut sockets[0], &order).await;
        drivers[0].accept(&order).await;
        server.admin().await.on(&order, "unassign", &json!({})).await.data(200);
        assert_eq!(sockets[0].expect("orderCancelled").await["reason"], "Unassigned");
        offered(&mut sockets[1], &order).await;
        sockets[0].expect_none("newOrder").await;
    }

    #[set(DISPATCH_MODE = "nearest")]
    async fn an_order_without_a_place_on_the_map_can_be_had_too(server) {
        let alice = server.register("alice").await;
        let (drivers, mut sockets) = standing(server, [0.01]).await;
        alice.until_near(1).await;
        let order = alice.place(&tea()).await;
        assert_eq!(sockets[0].expect("newOrder").await["_id"], order["_id"]);
        drivers[0].accept(&order).await;
    }
}
