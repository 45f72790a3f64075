//! Following an order: how far it comes and where its driver is, while it is under way.

use serde_json::{Value, json};

use crate::support::orders::{moved, tea, tea_at, which};
use crate::support::{Person, Server, Socket, time};

/// A customer, a driver with a socket, and two orders that the driver has.
async fn under_way(server: &Server) -> (Person, Person, Socket, [Value; 2]) {
    let alice = server.register("alice").await;
    let dan = server.driver("dan").await;
    let mut orders = [alice.place(&tea_at(0.0)).await, alice.place(&tea()).await];
    for order in &mut orders {
        *order = dan.accept(order).await;
    }
    let dans = dan.connect("/orders").await;
    (alice, dan, dans, orders)
}

async fn go(driving: &mut Socket, lng: f64) {
    let payload = json!({ "latitude": 0, "longitude": lng, "heading": 90, "speed": 10 });
    driving.done("location_update", &payload).await;
}

/// Where the driver of an order was seen last, as its follower was told.
async fn seen_at(socket: &mut Socket, order: &Value, lng: f64) -> Value {
    let told = socket.hear_of("driverLocation", order).await;
    assert_eq!(told["longitude"], lng, "{told}");
    told
}

on_every_store! {
    async fn who_follows_an_order_sees_its_driver(server) {
        let (alice, dan, mut dans, [order, _]) = under_way(server).await;
        let mut alices = alice.connect("/orders").await;
        let mut unfollowing = alice.connect("/").await;
        let ack = alices.done("trackOrder", &which(&order)).await;
        assert_eq!(ack["order"], order);
        assert_eq!(ack["position"], Value::Null, "nobody knows yet");
        go(&mut dans, 0.01).await;
        let told = seen_at(&mut alices, &order, 0.01).await;
        assert_eq!(told["driverId"], dan.id.as_str());
        assert_eq!((&told["heading"], &told["speed"]), (&json!(90.0), &json!(10.0)));
        assert_eq!(told["latitude"], 0.0);
        time(&told["timestamp"]);
        assert!(told["etaSeconds"].is_u64(), "{told}");
        assert_eq!(told["isEstimate"], true);
        let again = alice.connect("/").await.done("trackOrder", &which(&order)).await;
        assert_eq!(again["position"]["longitude"], 0.01);
        assert_eq!(again["position"]["driverId"], dan.id.as_str());
        // By REST too.
        dan.stand_at(0.02).await;
        seen_at(&mut alices, &order, 0.02).await;
        alices.expect_none("driverLocation").await;
        unfollowing.expect_none("driverLocation").await;
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn customer_driver_and_admin_may_follow(server) {
        let (alice, dan, mut dans, [order, _]) = under_way(server).await;
        let admin = server.admin().await;
        let mut following = [
            alice.connect("/").await,
            alice.connect("/orders").await,
            dan.connect("/").await,
            admin.connect("/orders").await,
        ];
        for socket in &mut following {
            let by_number = json!({ "orderId": order["orderNumber"] });
            socket.done("trackOrder", &by_number).await;
            // Twice is once.
            socket.done("trackOrder", &which(&order)).await;
        }
        go(&mut dans, 0.01).await;
        for socket in &mut following {
            seen_at(socket, &order, 0.01).await;
        }
        dans.done("updateOrderStatus", &moved(&order, "outForDelivery")).await;
        for socket in &mut following {
            socket.expect_none("driverLocation").await;
            assert_eq!(socket.all("orderStatusUpdated").await.len(), 1);
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_order_may_be_followed_before_somebody_has_it(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        // Where a driver is, is told to admins and to who follows at once.
        let mut fleet = server.admin().await.watch_fleet().await;
        go(&mut dans, 0.01).await;
        fleet.expect_where("driver_location", |at| at["lng"] == 0.01).await;
        let mut alices = alice.connect("/orders").await;
        let order = alices.place(&tea_at(0.0)).await;
        let ack = alices.done("trackOrder", &which(&order)).await;
        assert_eq!(ack["position"], Value::Null);
        go(&mut dans, 0.02).await;
        fleet.expect_where("driver_location", |at| at["lng"] == 0.02).await;
        dans.done("orderAccept", &which(&order)).await;
        let told = alices.hear_of("orderStatusUpdated", &order).await;
        assert_eq!(
            (&told["previousStatus"], &told["status"]),
            (&json!("pending"), &json!("preparing"))
        );
        go(&mut dans, 0.03).await;
        seen_at(&mut alices, &order, 0.03).await;
    }

    async fn a_driver_is_never_seen_to_go_back_while_orders_change(server) {
        let (alice, dan, _, [order, _]) = under_way(server).await;
        let mut alices = alice.connect("/orders").await;
        alices.done("trackOrder", &which(&order)).await;
        let mut dans = dan.drive().await;
        let mut lng = 0;
        for _ in 0..20 {
            let other = alice.place(&tea()).await;
            // Who hears of the driver is looked up anew behind the change, in the midst of these.
            let drive = async {
                for _ in 0..20 {
                    lng += 1;
                    let at = json!({ "latitude": 0, "longitude": f64::from(lng) / 10_000.0 });
                    dans.send("location_update", &at);
                    tokio::task::yield_now().await;
                }
                dans.round_trip().await;
            };
            tokio::join!(dan.accept(&other), drive);
        }
        let last = f64::from(lng) / 10_000.0;
        let mut before = 0.0;
        while before < last {
            let told = alices.hear_of("driverLocation", &order).await;
            let at = told["longitude"].as_f64().unwrap();
            assert!(at > before, "{at} after {before}");
            before = at;
        }
    }

    async fn following_ends_with_the_order_or_when_asked(server) {
        let (alice, dan, mut dans, [order, other]) = under_way(server).await;
        let third = alice.place(&tea()).await;
        dan.accept(&third).await;
        let mut alices = alice.connect("/orders").await;
        for order in [&order, &other, &third] {
            alices.done("trackOrder", &which(order)).await;
        }
        go(&mut dans, 0.01).await;
        for order in [&order, &other, &third] {
            seen_at(&mut alices, order, 0.01).await;
        }
        dan.advance(&order, "outForDelivery").await.data(200);
        go(&mut dans, 0.02).await;
        seen_at(&mut alices, &order, 0.02).await;
        seen_at(&mut alices, &other, 0.02).await;
        seen_at(&mut alices, &third, 0.02).await;
        dan.advance(&order, "delivered").await.data(200);
        go(&mut dans, 0.03).await;
        seen_at(&mut alices, &other, 0.03).await;
        seen_at(&mut alices, &third, 0.03).await;
        alice.on(&third, "cancel", &json!({})).await.data(200);
        go(&mut dans, 0.04).await;
        seen_at(&mut alices, &other, 0.04).await;
        alices.done("untrackOrder", &which(&other)).await;
        alices.expect_none("driverLocation").await;
        go(&mut dans, 0.05).await;
        dans.done("trackOrder", &which(&other)).await;
        go(&mut dans, 0.06).await;
        seen_at(&mut dans, &other, 0.06).await;
        alices.expect_none("driverLocation").await;
        // What has ended can be looked at, without a position.
        let ack = alices.done("trackOrder", &which(&order)).await;
        assert_eq!(ack["order"]["status"], "delivered");
        assert_eq!(ack["position"], Value::Null);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_driver_who_loses_an_order_no_longer_follows_it(server) {
        let (alice, dan, mut dans, [order, _]) = under_way(server).await;
        let eve = server.driver("eve").await;
        let admin = server.admin().await;
        let mut eves = eve.connect("/orders").await;
        let mut alices = alice.connect("/").await;
        for socket in [&mut alices, &mut dans] {
            socket.done("trackOrder", &which(&order)).await;
        }
        go(&mut dans, 0.01).await;
        for socket in [&mut alices, &mut dans] {
            seen_at(socket, &order, 0.01).await;
        }
        admin.on(&order, "unassign", &json!({})).await.data(200);
        admin.assign(&order, &json!(eve.id)).await.data(200);
        dans.all("orderStatusUpdated").await;
        go(&mut dans, 0.02).await;
        go(&mut eves, 0.03).await;
        let told = seen_at(&mut alices, &order, 0.03).await;
        assert_eq!(told["driverId"], eve.id.as_str());
        eves.done("updateOrderStatus", &moved(&order, "outForDelivery")).await;
        go(&mut eves, 0.04).await;
        seen_at(&mut alices, &order, 0.04).await;
        dans.expect_none("driverLocation").await;
        dans.expect_none("orderStatusUpdated").await;
        dans.failed("trackOrder", &which(&order), "not_found").await;
        dan.get(&crate::support::orders::at(&order, "/track")).await.refused(404, "not_found");
    }

    async fn a_late_position_is_not_told_and_does_not_move_the_driver_back(server) {
        let (alice, dan, mut dans, [order, _]) = under_way(server).await;
        let mut alices = alice.connect("/orders").await;
        alices.done("trackOrder", &which(&order)).await;
        go(&mut dans, 0.05).await;
        seen_at(&mut alices, &order, 0.05).await;
        for seconds in [10, 30, 5] {
            let at = super::trails::ago(seconds);
            let late = json!({ "latitude": 0, "longitude": 0.01, "timestamp": at });
            dans.done("location_update", &late).await;
        }
        go(&mut dans, 0.06).await;
        seen_at(&mut alices, &order, 0.06).await;
        alices.expect_none("driverLocation").await;
        let position = dan.get("/api/drivers/me").await.data(200)["position"].clone();
        assert_eq!(position["longitude"], 0.06);
        server.restart().await;
        let tracked = alice.connect("/").await.done("trackOrder", &which(&order)).await;
        assert_eq!(tracked["position"]["longitude"], 0.06);
    }

    async fn the_estimate_shrinks_on_the_way(server) {
        let (alice, dan, mut dans, [order, other]) = under_way(server).await;
        let mut alices = alice.connect("/orders").await;
        alices.done("trackOrder", &which(&order)).await;
        dan.advance(&order, "outForDelivery").await.data(200);
        let mut before = u64::MAX;
        for lng in [0.0, 0.03, 0.06, 0.09] {
            go(&mut dans, lng).await;
            let eta = seen_at(&mut alices, &order, lng).await["etaSeconds"].as_u64().unwrap();
            assert!(eta < before, "{eta} after {before}");
            before = eta;
        }
        alices.done("trackOrder", &which(&other)).await;
        go(&mut dans, 0.095).await;
        let told = seen_at(&mut alices, &other, 0.095).await;
        assert_eq!(told["etaSeconds"], Value::Null, "it goes nowhere on the map");
    }
}
