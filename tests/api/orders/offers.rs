//! Offers to one driver, while drivers come and go.

use serde_json::{Value, json};

use crate::support::orders::{tea_at, which};
use crate::support::{Person, Socket};

async fn until_offline(watching: &mut Socket, person: &Person) {
    let is_gone = |status: &Value| status["userId"] == person.id && status["isOnline"] == false;
    watching.expect_where("user_status", is_gone).await;
}

on_every_store! {
    #[set(DISPATCH_MODE = "nearest", PRESENCE_GRACE = "300ms")]
    async fn who_goes_away_loses_the_offer_and_keeps_the_orders_in_hand(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut watching = alice.connect("/").await;
        let mut dans = dan.connect_at(0.01).await;
        let mut eves = eve.connect_at(0.02).await;
        alice.until_near(2).await;
        let in_hand = alice.place(&tea_at(0.0)).await;
        dans.hear_of("newOrder", &in_hand).await;
        let in_hand = dan.accept(&in_hand).await;
        let order = alice.place(&tea_at(0.0)).await;
        dans.hear_of("newOrder", &order).await;
        drop(dans);
        assert_eq!(eves.expect("newOrder").await["_id"], order["_id"]);
        until_offline(&mut watching, &dan).await;
        eves.expect_silence().await;
        assert_eq!(alice.order(&in_hand).await, in_hand);
        let mut dans = dan.connect("/orders").await;
        dans.expect_none("newOrder").await;
        dans.failed("orderAccept", &which(&order), "conflict").await;
        dan.advance(&in_hand, "outForDelivery").await.data(200);
        eve.accept(&order).await;
    }

    #[set(DISPATCH_MODE = "nearest", PRESENCE_GRACE = "30s")]
    async fn who_is_back_within_the_grace_keeps_the_offer(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut dans = dan.connect_at(0.01).await;
        let mut eves = eve.connect_at(0.02).await;
        alice.until_near(2).await;
        let order = alice.place(&tea_at(0.0)).await;
        let offer = dans.expect("newOrder").await;
        drop(dans);
        server.until_sockets(1).await;
        let mut dans = dan.connect("/").await;
        let again = dans.expect("newOrder").await;
        assert_eq!(again["_id"], order["_id"]);
        assert_eq!(again["offerExpiresAt"], offer["offerExpiresAt"]);
        dans.done("orderAccept", &which(&order)).await;
        eves.expect_silence().await;
    }

    #[set(DISPATCH_MODE = "nearest", PRESENCE_GRACE = "300ms")]
    async fn another_socket_keeps_the_offer(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let (mut dans, mut other) = (dan.connect_at(0.01).await, dan.connect("/").await);
        let mut eves = eve.connect_at(0.02).await;
        alice.until_near(2).await;
        let order = alice.place(&tea_at(0.0)).await;
        dans.expect("newOrder").await;
        drop(dans);
        server.until_sockets(2).await;
        other.expect("newOrder").await;
        other.done("orderAccept", &which(&order)).await;
        eves.expect_silence().await;
    }

    #[set(
        DISPATCH_MODE = "nearest",
        ADMIN_EMAIL = "root@example.com",
        ADMIN_PASSWORD = "password123"
    )]
    async fn an_order_for_which_nobody_is_there_waits_for_a_driver(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let dan = server.driver("dan").await;
        let mut admins = server.admin().await.connect("/").await;
        let mut alices = alice.connect("/orders").await;
        let mut bobs = bob.connect("/orders").await;
        let order = alices.place(&tea_at(0.0)).await;
        for socket in [&mut alices, &mut admins] {
            assert_eq!(socket.expect("orderUnassigned").await["orderId"], order["_id"]);
        }
        bobs.expect_silence().await;
        let mut dans = dan.connect_at(0.01).await;
        assert_eq!(dans.expect("newOrder").await["_id"], order["_id"]);
        dans.expect_none("newOrder").await;
        dans.done("orderAccept", &which(&order)).await;
        alices.expect_none("orderUnassigned").await;
    }

    #[set(DISPATCH_MODE = "nearest")]
    async fn who_becomes_available_while_another_rejects_is_asked(server) {
        let alice = server.register("alice").await;
        for round in 0..20 {
            let dan = server.driver(&format!("dan-{round}")).await;
            let eve = server.driver(&format!("eve-{round}")).await;
            let mut dans = dan.connect_at(0.01).await;
            let mut eves = eve.connect("/orders").await;
            alice.until_near(1).await;
            let order = alice.place(&tea_at(0.0)).await;
            dans.expect("newOrder").await;
            let rejected = dans.ask("orderReject", &which(&order));
            eves.done("location_update", &json!({ "latitude": 0, "longitude": 0.02 })).await;
            assert_eq!(dans.ack(rejected).await["ok"], true);
            assert_eq!(eves.expect("newOrder").await["_id"], order["_id"]);
            eve.accept(&order).await;
            for socket in [&mut dans, &mut eves] {
                socket.done("setAvailability", &json!({ "available": false })).await;
            }
        }
    }

    #[set(DISPATCH_MODE = "nearest")]
    async fn who_is_not_available_is_not_asked_and_loses_the_offer(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut alices = alice.connect("/orders").await;
        let mut dans = dan.connect_at(0.01).await;
        let mut eves = eve.connect_at(0.02).await;
        alice.until_near(2).await;
        let order = alices.place(&tea_at(0.0)).await;
        dans.expect("newOrder").await;
        dans.done("setAvailability", &json!({ "available": false })).await;
        assert_eq!(dans.expect("removeOrder").await["orderId"], order["_id"]);
        assert_eq!(eves.expect("newOrder").await["_id"], order["_id"]);
        let other = alices.place(&tea_at(0.0)).await;
        eves.done("orderReject", &which(&order)).await;
        alices.hear_of("orderUnassigned", &order).await;
        assert_eq!(eves.expect("newOrder").await["_id"], other["_id"]);
        dans.expect_silence().await;
        dans.done("setAvailability", &json!({ "available": true })).await;
        assert_eq!(dans.expect("newOrder").await["_id"], order["_id"]);
    }
}
