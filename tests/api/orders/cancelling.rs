//! Cancelling: by the customer or an admin, from any state before `delivered`.

use serde_json::{Value, json};

use crate::support::orders::{steps, tea, which};

fn because(order: &Value, reason: &str) -> Value {
    let mut payload = which(order);
    payload["reason"] = json!(reason);
    payload
}

on_every_store! {
    async fn a_pending_order_is_taken_from_the_drivers_who_heard_of_it(server) {
        let [alice, stranger] = server.people(["alice", "stranger"]).await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut alices = [alice.connect("/").await, alice.connect("/orders").await];
        let mut driving =
            [dan.connect("/").await, dan.connect("/orders").await, eve.connect("/").await];
        let mut strangers = stranger.connect("/").await;
        let order = alices[0].place(&tea()).await;
        for socket in &mut driving {
            socket.expect("newOrder").await;
        }
        let ack = alices[0].done("cancelOrder", &because(&order, "too late")).await;
        if let Some(after) = ack.get("order") {
            assert_eq!(after["status"], "cancelled");
        }
        for socket in &mut alices {
            socket.expect("orderPlaced").await;
            let told = socket.expect("orderCancelled").await;
            assert_eq!(told["orderId"], order["_id"]);
            assert_eq!(told["reason"], "too late");
            assert_eq!(told["cancelledBy"], alice.id.as_str());
            socket.expect_silence().await;
        }
        for socket in &mut driving {
            assert_eq!(socket.expect("removeOrder").await["orderId"], order["_id"]);
            socket.expect_silence().await;
        }
        strangers.expect_silence().await;
        let end = alice.order(&order).await;
        assert_eq!(steps(&end), ["pending", "cancelled"]);
        assert_eq!(end["history"][1]["by"], alice.id.as_str());
        let mut later = server.driver("fay").await.connect("/orders").await;
        later.expect_none("newOrder").await;
    }

    async fn the_driver_of_a_cancelled_order_is_told(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        for delivering in [false, true] {
            let order = alice.place(&tea()).await;
            dan.accept(&order).await;
            if delivering {
                dan.advance(&order, "outForDelivery").await.data(200);
            }
            let mut alices = alice.connect("/orders").await;
            let mut dans = [dan.connect("/").await, dan.connect("/orders").await];
            let mut eves = eve.connect("/orders").await;
            alices.emit("cancelOrder", &which(&order));
            alices.expect("orderCancelled").await;
            for socket in &mut dans {
                let told = socket.expect("orderCancelled").await;
                assert_eq!(told["orderId"], order["_id"]);
                assert_eq!(told["cancelledBy"], alice.id.as_str());
                socket.expect_silence().await;
            }
            eves.expect_silence().await;
            assert_eq!(alice.order(&order).await["driverId"], dan.id.as_str());
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_admin_cancels_any_order_by_socket_and_rest(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let mut admins = admin.connect("/").await;
        let mut alices = alice.connect("/").await;
        let (first, second) = (alice.place(&tea()).await, alice.place(&tea()).await);
        dan.accept(&second).await;
        admins.done("cancelOrder", &because(&first, "closed")).await;
        let body = json!({ "reason": "closed" });
        let data = admin.on(&second, "cancel", &body).await.data(200);
        assert_eq!(data["order"]["status"], "cancelled");
        for order in [&first, &second] {
            let told = alices.hear_of("orderCancelled", order).await;
            assert_eq!(told["reason"], "closed");
            assert_eq!(told["cancelledBy"], admin.id.as_str());
        }
    }

    async fn what_has_ended_is_not_cancelled(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/orders").await;
        let (delivered, cancelled) = (alice.place(&tea()).await, alice.place(&tea()).await);
        dan.accept(&delivered).await;
        dan.advance(&delivered, "outForDelivery").await.data(200);
        dan.advance(&delivered, "delivered").await.data(200);
        alice.on(&cancelled, "cancel", &json!({})).await.data(200);
        for order in [&delivered, &cancelled] {
            let before = alice.order(order).await;
            alices.failed("cancelOrder", &which(order), "conflict").await;
            alice.on(order, "cancel", &json!({})).await.refused(409, "conflict");
            assert_eq!(alice.order(order).await, before);
        }
    }
}
