//! Accepting and rejecting: a pending order goes to one driver, and everybody hears of it.

use serde_json::{Value, json};

use crate::support::orders::{id, steps, tea, which};

on_every_store! {
    async fn an_accepted_order_is_told_to_both_and_taken_from_the_others(server) {
        let [alice, stranger] = server.people(["alice", "stranger"]).await;
        let [dan, eve, fay] = server.drivers(["dan", "eve", "fay"]).await;
        let mut alices = [alice.connect("/").await, alice.connect("/orders").await];
        let mut dans = [dan.connect("/").await, dan.connect("/orders").await];
        let mut others =
            [eve.connect("/").await, eve.connect("/orders").await, fay.connect("/orders").await];
        let mut strangers = stranger.connect("/orders").await;
        let order = alice.place(&tea()).await;
        for socket in dans.iter_mut().chain(&mut others) {
            socket.expect("newOrder").await;
        }
        for socket in &mut alices {
            socket.expect("orderPlaced").await;
        }
        let ack = dans[0].done("orderAccept", &which(&order)).await;
        let taken = &ack["order"];
        assert_eq!(taken["_id"], order["_id"]);
        assert_eq!(taken["status"], "preparing");
        assert_eq!(taken["driverId"], dan.id.as_str());
        assert_eq!(taken["driver"]["username"], "dan");
        assert_eq!(steps(taken), ["pending", "preparing"]);
        assert_eq!(taken["history"][1]["by"], dan.id.as_str());
        assert_eq!(taken["history"][0], order["history"][0]);
        for socket in alices.iter_mut().chain(&mut dans) {
            assert_eq!(socket.expect("orderAccepted").await, *taken);
            socket.expect_silence().await;
        }
        for socket in &mut others {
            assert_eq!(socket.expect("removeOrder").await["orderId"], order["_id"]);
            socket.expect_silence().await;
        }
        strangers.expect_silence().await;
        assert_eq!(alice.order(&order).await, *taken);
        assert_eq!(dan.order(&order).await, *taken);
    }

    async fn an_order_is_named_by_its_id_or_its_number(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        for naming in [0, 1, 2] {
            let order = alice.place(&tea()).await;
            let number = order["orderNumber"].as_i64().unwrap();
            let named = [json!(id(&order)), json!(number), json!(number.to_string())];
            let payload = json!({ "orderId": named[naming] });
            let ack = dans.done("orderAccept", &payload).await;
            assert_eq!(ack["order"]["_id"], order["_id"]);
            let path = format!("/api/orders/{}", named[naming].to_string().replace('"', ""));
            assert_eq!(alice.get(&path).await.data(200)["order"], ack["order"]);
            let path = format!("{path}/cancel");
            assert_eq!(alice.post(&path, &json!({})).await.data(200)["order"]["_id"], order["_id"]);
        }
    }

    async fn an_order_may_be_accepted_by_rest_and_without_an_ack(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut alices = alice.connect("/").await;
        let (mut dans, mut eves) = (dan.connect("/").await, eve.connect("/orders").await);
        let first = alice.place(&tea()).await;
        let taken = dan.accept(&first).await;
        assert_eq!(dans.expect("orderAccepted").await, taken);
        assert_eq!(alices.expect("orderAccepted").await, taken);
        assert_eq!(eves.hear_of("removeOrder", &first).await["orderId"], first["_id"]);
        let second = alice.place(&tea()).await;
        eves.emit("orderAccept", &which(&second));
        assert_eq!(eves.expect("orderAccepted").await["driverId"], eve.id.as_str());
        assert_eq!(alices.expect("orderAccepted").await["driverId"], eve.id.as_str());
        dans.hear_of("removeOrder", &second).await;
        dans.emit("orderAccept", &which(&second));
        let error = dans.expect("orderError").await;
        assert_eq!((&error["code"], &error["orderId"]), (&json!("conflict"), &second["_id"]));
        dan.on(&second, "accept", &json!({})).await.refused(409, "conflict");
    }

    async fn a_taken_order_is_a_conflict_for_others_however_far_it_is(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut eves = eve.connect("/orders").await;
        let order = alice.place(&tea()).await;
        dan.accept(&order).await;
        for status in ["outForDelivery", "delivered"] {
            let error = eves.failed("orderAccept", &which(&order), "conflict").await;
            assert!(error["message"].is_string());
            dan.advance(&order, status).await.data(200);
        }
        eves.failed("orderAccept", &which(&order), "conflict").await;
        let cancelled = alice.place(&tea()).await;
        alice.on(&cancelled, "cancel", &json!({})).await.data(200);
        eves.failed("orderAccept", &which(&cancelled), "conflict").await;
        assert!(eve.orders("").await.is_empty());
        assert_eq!(steps(&alice.order(&order).await).len(), 4);
    }

    async fn a_rejected_order_is_not_offered_to_that_driver_again(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut alices = alice.connect("/").await;
        let (mut dans, mut eves) = (dan.connect("/").await, eve.connect("/").await);
        let order = alice.place(&tea()).await;
        dans.expect("newOrder").await;
        let mut payload = which(&order);
        payload["reason"] = json!("too far");
        dans.done("orderReject", &payload).await;
        let seen = alice.order(&order).await;
        assert_eq!(seen["status"], "pending");
        assert_eq!(seen["history"], order["history"]);
        assert_eq!(seen["rejections"].as_array().unwrap().len(), 1);
        assert_eq!(seen["rejections"][0]["driverId"], dan.id.as_str());
        assert_eq!(seen["rejections"][0]["reason"], "too far");
        // Neither on connecting nor on becoming available; eve still has it.
        dans.done("setAvailability", &json!({ "available": false })).await;
        dans.done("setAvailability", &json!({ "available": true })).await;
        dans.expect_none("newOrder").await;
        let other = alice.place(&tea()).await;
        let mut again = dan.connect("/orders").await;
        assert_eq!(again.expect("newOrder").await["_id"], other["_id"]);
        again.expect_none("newOrder").await;
        eves.expect_none("removeOrder").await;
        alices.expect("orderPlaced").await;
        alices.expect("orderPlaced").await;
        alices.expect_silence().await;
        eves.done("orderAccept", &which(&order)).await;
    }

    async fn a_reject_by_rest_and_one_repeated_are_fine(server) {
        let alice = server.register("alice").await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let order = alice.place(&tea()).await;
        dan.on(&order, "reject", &json!({ "reason": "busy" })).await.data(200);
        dan.on(&order, "reject", &json!({})).await.data(200);
        let mut eves = eve.connect("/orders").await;
        eves.done("orderReject", &which(&order)).await;
        eves.emit("orderReject", &which(&order));
        eves.expect_none("orderError").await;
        let rejections = alice.order(&order).await["rejections"].clone();
        let who: Vec<&Value> =
            rejections.as_array().unwrap().iter().map(|one| &one["driverId"]).collect();
        assert_eq!(who, [dan.id.as_str(), eve.id.as_str()]);
    }

    async fn the_order_of_events_is_that_of_the_steps(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/orders").await;
        let mut dans = dan.connect("/orders").await;
        let asked: Vec<_> = (0..10).map(|_| alices.ask("placeOrder", &tea())).collect();
        for id in asked {
            let order = alices.ack(id).await["order"].clone();
            dans.ask("orderAccept", &which(&order));
        }
        for number in 1..=10 {
            assert_eq!(alices.expect("orderPlaced").await["orderNumber"], number);
            assert_eq!(dans.expect("newOrder").await["orderNumber"], number);
            assert_eq!(dans.expect("orderAccepted").await["orderNumber"], number);
            assert_eq!(alices.expect("orderAccepted").await["orderNumber"], number);
        }
    }
}
