//! Admins give orders to drivers and take them back.

use serde_json::{Value, json};

use crate::support::orders::{id, moved, steps, tea, which};

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_driver_is_named_by_id_number_or_username(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("Dan").await;
        let admin = server.admin().await;
        let number = dan.claims()["driver_id"].as_i64().unwrap();
        let mut alices = alice.connect("/").await;
        let mut dans = [dan.connect("/").await, dan.connect("/orders").await];
        let mut eves = server.driver("eve").await.connect("/").await;
        for named in
            [json!(dan.id), json!(number), json!(number.to_string()), json!("Dan"), json!("dan")]
        {
            let order = alice.place(&tea()).await;
            let data = admin.assign(&order, &named).await.data(200);
            let after = &data["order"];
            assert_eq!(after["driverId"], dan.id.as_str(), "{named}");
            assert_eq!(after["status"], "preparing");
            assert_eq!(steps(after), ["pending", "preparing"]);
            assert_eq!(after["history"][1]["by"], admin.id.as_str());
            for socket in dans.iter_mut().chain([&mut alices]) {
                assert_eq!(socket.hear_of("orderAccepted", &order).await, *after);
            }
            eves.hear_of("removeOrder", &order).await;
            eves.expect_none("orderAccepted").await;
        }
        assert_eq!(dan.orders("").await.len(), 5);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn who_is_no_driver_is_not_given_orders(server) {
        let alice = server.register("alice").await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        for named in
            [json!("0".repeat(24)), json!(999), json!("nobody"), json!(alice.id), json!("alice")]
        {
            admin.assign(&order, &named).await.refused(404, "not_found");
        }
        for wrong in [Value::Null, json!({}), json!([]), json!(""), json!(-1), json!(true)] {
            let answer = admin.assign(&order, &wrong).await;
            assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
        }
        let body = json!({ "driverId": "nobody", "earnings": -1 });
        assert_eq!(admin.on(&order, "assign", &body).await.wrong_fields(), ["earnings"]);
        assert_eq!(alice.order(&order).await, order);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_order_with_another_driver_is_a_conflict_and_with_the_same_fine(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        let taken = dan.accept(&order).await;
        admin.assign(&order, &json!("eve")).await.refused(409, "conflict");
        assert_eq!(admin.assign(&order, &json!("dan")).await.data(200)["order"], taken);
        assert_eq!(alice.order(&order).await, taken);
        assert!(eve.orders("").await.is_empty());
        let ended = alice.place(&tea()).await;
        alice.on(&ended, "cancel", &json!({})).await.data(200);
        admin.assign(&ended, &json!("eve")).await.refused(409, "conflict");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn who_is_banned_is_given_nothing(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        admin.put(&format!("/api/admin/users/{}/ban", dan.id)).await.data(200);
        admin.assign(&order, &json!("dan")).await.refused(409, "conflict");
        let body = json!({ "order_ids": [order["_id"]], "driver_id": "dan" });
        let pool = admin.post("/api/v1/pools", &body).await;
        assert_eq!((pool.status, pool.body["code"].as_str()), (409, Some("conflict")), "{pool:?}");
        assert_eq!(alice.order(&order).await, order);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn earnings_may_be_said_when_assigning(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        let body = json!({ "driverId": "dan", "earnings": 12.5 });
        server.admin().await.on(&order, "assign", &body).await.data(200);
        assert_eq!(dan.order(&order).await["earnings"], 12.5);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_unassigned_order_is_pending_again_and_offered(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        let taken = dan.accept(&order).await;
        dan.advance(&order, "outForDelivery").await.data(200);
        let mut alices = alice.connect("/").await;
        let mut dans = [dan.connect("/").await, dan.connect("/orders").await];
        let mut eves = eve.connect("/orders").await;
        let data = admin.on(&order, "unassign", &json!({})).await.data(200);
        let back = &data["order"];
        assert_eq!(back["status"], "pending");
        assert_eq!(back["driverId"], Value::Null);
        assert_eq!(steps(back), ["pending", "preparing", "outForDelivery", "pending"]);
        assert_eq!(back["history"][1], taken["history"][1]);
        assert_eq!(back["history"][3]["by"], admin.id.as_str());
        for socket in &mut dans {
            let told = socket.expect("orderCancelled").await;
            assert_eq!(told["orderId"], order["_id"]);
            assert_eq!(told["reason"], "Unassigned");
        }
        alices.expect_none("orderCancelled").await;
        assert_eq!(eves.expect("newOrder").await["_id"], order["_id"]);
        let ack = dans[0].emit_ack("updateOrderStatus", &moved(&order, "delivered")).await;
        assert_eq!(ack["ok"], false, "it is no longer his");
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn an_unassigned_order_goes_to_another_driver(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        admin.on(&order, "unassign", &json!({})).await.data(200);
        let mut dans = dan.connect("/").await;
        let after = admin.assign(&order, &json!(eve.id)).await.data(200)["order"].clone();
        assert_eq!(steps(&after), ["pending", "preparing", "pending", "preparing"]);
        assert_eq!(after["driverId"], eve.id.as_str());
        dan.get(&format!("/api/orders/{}", id(&order))).await.refused(404, "not_found");
        dans.failed("trackOrder", &which(&order), "not_found").await;
        assert!(dan.orders("").await.is_empty());
        assert_eq!(eve.orders("").await, [after]);
        eve.advance(&order, "outForDelivery").await.data(200);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn what_nobody_has_is_not_unassigned(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let order = alice.place(&tea()).await;
        admin.on(&order, "unassign", &json!({})).await.refused(409, "conflict");
        dan.accept(&order).await;
        dan.advance(&order, "outForDelivery").await.data(200);
        dan.advance(&order, "delivered").await.data(200);
        admin.on(&order, "unassign", &json!({})).await.refused(409, "conflict");
        assert_eq!(steps(&alice.order(&order).await).len(), 4);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn only_admins_assign(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        for person in [&alice, &dan] {
            person.assign(&order, &json!("dan")).await.refused(403, "forbidden");
            person.on(&order, "unassign", &json!({})).await.refused(403, "forbidden");
        }
        assert_eq!(alice.order(&order).await, order);
    }
}
