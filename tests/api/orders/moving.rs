//! Moving an order on: one step at a time, by its driver or an admin.

use serde_json::{Value, json};

use crate::support::orders::{moved, steps, tea, which};
use crate::support::time;

#[track_caller]
fn check(told: &Value, order: &Value, from: &str, to: &str) {
    assert_eq!(told["orderId"], order["_id"]);
    assert_eq!(told["status"], to);
    assert_eq!(told["previousStatus"], from);
    time(&told["timestamp"]);
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn each_step_is_told_once_to_customer_driver_and_trackers(server) {
        let [alice, stranger] = server.people(["alice", "stranger"]).await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        let mut dans = [dan.connect("/").await, dan.connect("/orders").await];
        dans[1].done("orderAccept", &which(&order)).await;
        let mut hearing = [
            alice.connect("/").await,
            alice.connect("/orders").await,
            admin.connect("/orders").await,
        ];
        for socket in hearing.iter_mut().chain(&mut dans) {
            // Who tracks it besides still hears it once.
            socket.done("trackOrder", &which(&order)).await;
        }
        let mut others = [eve.connect("/").await, stranger.connect("/orders").await];
        let steps = [
            ("updateOrderStatus", "preparing", "outForDelivery"),
            ("udpateOrderStatus", "outForDelivery", "delivered"),
        ];
        for (event, from, to) in steps {
            let ack = dans[0].done(event, &moved(&order, to)).await;
            for socket in hearing.iter_mut().chain(&mut dans) {
                let told = socket.expect("orderStatusUpdated").await;
                check(&told, &order, from, to);
                socket.expect_none("orderStatusUpdated").await;
            }
            if let Some(after) = ack.get("order") {
                assert_eq!(after["status"], to);
            }
            assert_eq!(alice.order(&order).await["status"], to);
        }
        for socket in &mut others {
            socket.expect_silence().await;
        }
        let end = alice.order(&order).await;
        assert_eq!(steps_of(&end), "pending preparing outForDelivery delivered");
        assert_eq!(end["driverId"], dan.id.as_str());
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_admin_moves_an_order_too_by_socket_and_rest(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        let (mut alices, mut dans) = (alice.connect("/").await, dan.connect("/orders").await);
        admin
            .connect("/orders")
            .await
            .done("updateOrderStatus", &moved(&order, "outForDelivery"))
            .await;
        let data = admin.advance(&order, "delivered").await.data(200);
        assert_eq!(data["order"]["status"], "delivered");
        assert_eq!(data["order"]["history"][3]["by"], admin.id.as_str());
        for socket in [&mut alices, &mut dans] {
            check(
                &socket.expect("orderStatusUpdated").await,
                &order,
                "preparing",
                "outForDelivery",
            );
            check(
                &socket.expect("orderStatusUpdated").await,
                &order,
                "outForDelivery",
                "delivered",
            );
        }
    }

    async fn a_step_may_be_made_by_rest_and_without_an_ack(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        let mut dans = dan.connect_by_query("/").await;
        let mut alices = alice.connect("/orders").await;
        dans.emit("udpateOrderStatus", &moved(&order, "outForDelivery"));
        check(&dans.expect("orderStatusUpdated").await, &order, "preparing", "outForDelivery");
        let by_number = format!("/api/orders/{}/status", order["orderNumber"]);
        let body = json!({ "status": "delivered" });
        dan.put_json(&by_number, &body).await.data(200);
        check(&alices.expect("orderStatusUpdated").await, &order, "preparing", "outForDelivery");
        check(&alices.expect("orderStatusUpdated").await, &order, "outForDelivery", "delivered");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_step_that_does_not_follow_is_a_conflict(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let mut dans = dan.connect("/orders").await;
        let order = alice.place(&tea()).await;
        for status in ["pending", "outForDelivery", "delivered"] {
            admin.advance(&order, status).await.refused(409, "conflict");
        }
        dans.done("orderAccept", &which(&order)).await;
        for (now, wrong) in [
            ("preparing", ["pending", "preparing", "delivered"]),
            ("outForDelivery", ["pending", "preparing", "outForDelivery"]),
            ("delivered", ["pending", "outForDelivery", "delivered"]),
        ] {
            if now != "preparing" {
                dans.done("updateOrderStatus", &moved(&order, now)).await;
            }
            for status in wrong {
                dans.failed("updateOrderStatus", &moved(&order, status), "conflict").await;
                admin.advance(&order, status).await.refused(409, "conflict");
            }
            assert_eq!(alice.order(&order).await["status"], now);
        }
        assert_eq!(steps(&alice.order(&order).await).len(), 4);
        let cancelled = alice.place(&tea()).await;
        dans.done("orderAccept", &which(&cancelled)).await;
        alice.on(&cancelled, "cancel", &json!({})).await.data(200);
        for status in ["preparing", "outForDelivery", "delivered"] {
            dans.failed("updateOrderStatus", &moved(&cancelled, status), "conflict").await;
        }
    }

    async fn of_many_moving_an_order_at_once_one_does(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        let mut alices = alice.connect("/orders").await;
        let moving = (0..10).map(|_| dan.advance(&order, "outForDelivery"));
        let answers = futures_util::future::join_all(moving).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409)));
        assert_eq!(alices.all("orderStatusUpdated").await.len(), 1);
        assert_eq!(steps_of(&alice.order(&order).await), "pending preparing outForDelivery");
    }
}

fn steps_of(order: &Value) -> String {
    steps(order).join(" ")
}
