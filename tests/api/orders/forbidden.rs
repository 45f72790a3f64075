//! Who may not: orders of others are not there, and each role has its own events.

use serde_json::json;

use crate::support::orders::{at, moved, tea, which};

on_every_store! {
    async fn orders_of_others_are_not_there(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let order = alice.place(&tea()).await;
        let mut bobs = bob.connect("/orders").await;
        let mut eves = eve.connect("/").await;
        for stage in ["pending", "preparing", "outForDelivery", "delivered"] {
            match stage {
                "pending" => {}
                "preparing" => drop(dan.accept(&order).await),
                status => drop(dan.advance(&order, status).await.data(200)),
            }
            let before = alice.order(&order).await;
            assert_eq!(before["status"], stage);
            for event in ["cancelOrder", "trackOrder", "untrackOrder"] {
                bobs.failed(event, &which(&order), "not_found").await;
            }
            let by_number = json!({ "orderId": order["orderNumber"] });
            bobs.failed("cancelOrder", &by_number, "not_found").await;
            for path in [at(&order, ""), at(&order, "/track")] {
                bob.get(&path).await.refused(404, "not_found");
            }
            bob.on(&order, "cancel", &json!({})).await.refused(404, "not_found");
            if stage != "pending" {
                // What no longer can be had is none of another driver's business.
                let move_on = moved(&order, "outForDelivery");
                eves.failed("updateOrderStatus", &move_on, "not_found").await;
                eves.failed("trackOrder", &which(&order), "not_found").await;
                eve.advance(&order, "delivered").await.refused(404, "not_found");
                for path in [at(&order, ""), at(&order, "/track")] {
                    eve.get(&path).await.refused(404, "not_found");
                }
            }
            assert_eq!(alice.order(&order).await, before);
        }
    }

    async fn a_driver_who_has_not_taken_an_order_neither_moves_nor_follows_it(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        let mut dans = dan.connect("/").await;
        for (event, payload) in [
            ("updateOrderStatus", moved(&order, "preparing")),
            ("updateOrderStatus", moved(&order, "outForDelivery")),
            ("trackOrder", which(&order)),
        ] {
            let ack = dans.emit_ack(event, &payload).await;
            let code = ack["error"]["code"].as_str().unwrap_or_default();
            assert!(matches!(code, "forbidden" | "not_found" | "conflict"), "{event}: {ack}");
        }
        assert_eq!(alice.order(&order).await, order);
    }

    async fn customers_do_not_do_what_drivers_do(server) {
        let alice = server.register("alice").await;
        let order = alice.place(&tea()).await;
        for namespace in ["/", "/orders"] {
            let mut alices = alice.connect(namespace).await;
            for (event, payload) in [
                ("orderAccept", which(&order)),
                ("orderReject", which(&order)),
                ("updateOrderStatus", moved(&order, "preparing")),
                ("udpateOrderStatus", moved(&order, "preparing")),
                ("setAvailability", json!({ "available": true })),
                ("location_update", json!({ "latitude": 0, "longitude": 0 })),
            ] {
                alices.failed(event, &payload, "forbidden").await;
                alices.emit(event, &payload);
                assert_eq!(alices.expect("orderError").await["code"], "forbidden", "{event}");
            }
        }
        for action in ["accept", "reject"] {
            alice.on(&order, action, &json!({})).await.refused(403, "forbidden");
        }
        alice.advance(&order, "preparing").await.refused(403, "forbidden");
        let here = json!({ "latitude": 0, "longitude": 0 });
        alice.post("/api/drivers/me/location", &here).await.refused(403, "forbidden");
        let available = json!({ "available": true });
        alice.put_json("/api/drivers/me/availability", &available).await.refused(403, "forbidden");
        alice.get("/api/drivers/me").await.refused(403, "forbidden");
        assert_eq!(alice.order(&order).await, order);
    }

    async fn drivers_do_not_do_what_customers_do(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        let taken = dan.accept(&order).await;
        for namespace in ["/", "/orders"] {
            let mut dans = dan.connect(namespace).await;
            dans.failed("placeOrder", &tea(), "forbidden").await;
            let error = dans.failed("cancelOrder", &which(&order), "forbidden").await;
            assert!(error["message"].is_string());
            dans.emit("cancelOrder", &which(&order));
            let told = dans.expect("orderError").await;
            assert_eq!((&told["code"], &told["orderId"]), (&json!("forbidden"), &order["_id"]));
        }
        dan.post("/api/orders", &tea()).await.refused(403, "forbidden");
        dan.on(&order, "cancel", &json!({})).await.refused(403, "forbidden");
        assert_eq!(alice.order(&order).await, taken);
    }

    async fn order_error_names_the_order_as_the_client_did(server) {
        let alice = server.register("alice").await;
        let mut dans = server.driver("dan").await.connect("/").await;
        let order = alice.place(&tea()).await;
        alice.on(&order, "cancel", &json!({})).await.data(200);
        for named in [order["_id"].clone(), order["orderNumber"].clone()] {
            let payload = json!({ "orderId": named });
            dans.emit_ack("orderAccept", &payload).await;
            let with_ack = dans.expect("orderError").await;
            dans.emit("orderAccept", &payload);
            let without = dans.expect("orderError").await;
            assert_eq!(with_ack, without);
            assert_eq!(without["orderId"], named);
            assert_eq!(without["code"], "conflict");
            assert!(without["message"].is_string());
        }
    }

    async fn other_namespaces_do_not_know_orders(server) {
        let alice = server.register("alice").await;
        for namespace in ["/chat", "/rooms", "/presence"] {
            let mut socket = alice.connect(namespace).await;
            for event in ["placeOrder", "trackOrder", "setAvailability"] {
                let ack = socket.emit_ack(event, &tea()).await;
                assert_eq!(ack["error"]["code"], "not_found", "{event} in {namespace}");
            }
        }
        let mut socket = alice.connect("/orders").await;
        for event in ["send_message", "join_room", "typing_start"] {
            let ack = socket.emit_ack(event, &tea()).await;
            assert_eq!(ack["error"]["code"], "not_found", "{event} in /orders");
        }
        assert!(alice.orders("").await.is_empty());
    }
}
