//! `clientOrderId` makes placing idempotent: over retries, reconnects, restarts and races.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::orders::{id, once, tea};

on_every_store! {
    async fn a_repeat_answers_with_the_first_order_and_tells_nobody(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let dans = dan.connect("/orders").await;
        let mut alices = alice.connect("/orders").await;
        let order = alices.place(&once("key")).await;
        assert_eq!(order["clientOrderId"], "key");
        assert_eq!(alices.place(&once("key")).await, order);
        drop(alices);
        let mut again = alice.connect("/").await;
        assert_eq!(again.place(&once("key")).await, order);
        let by_rest = alice.post("/api/orders", &once("key")).await;
        assert!(matches!(by_rest.status, 200 | 201), "{by_rest:?}");
        assert_eq!(by_rest.body["data"]["order"], order);
        server.restart().await;
        assert_eq!(alice.connect("/").await.place(&once("key")).await, order);
        assert_eq!(alice.orders("").await, std::slice::from_ref(&order));
        let mut dans_next = dan.connect("/orders").await;
        assert_eq!(dans_next.expect("newOrder").await, order);
        dans_next.expect_silence().await;
        drop(dans);
    }

    async fn drivers_hear_of_a_repeated_order_once(server) {
        let alice = server.register("alice").await;
        let mut dans = server.driver("dan").await.connect("/orders").await;
        let mut alices = alice.connect("/orders").await;
        for _ in 0..3 {
            alices.place(&once("key")).await;
        }
        assert_eq!(dans.all("newOrder").await.len(), 1);
        assert_eq!(alices.all("orderPlaced").await.len(), 1);
    }

    async fn a_repeat_after_the_order_went_on_gives_it_as_it_is(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&once("key")).await;
        let taken = dan.accept(&order).await;
        assert_eq!(alice.connect("/").await.place(&once("key")).await, taken);
    }

    async fn twenty_repeats_at_once_store_one_order(server) {
        let alice = server.register("alice").await;
        let placing = (0..20).map(async |number| {
            let namespace = if number % 2 == 0 { "/" } else { "/orders" };
            if number % 3 == 0 {
                let answer = alice.post("/api/orders", &once("key")).await;
                assert!(matches!(answer.status, 200 | 201), "{answer:?}");
                answer.body["data"]["order"].clone()
            } else {
                alice.connect(namespace).await.place(&once("key")).await
            }
        });
        let orders = futures_util::future::join_all(placing).await;
        let ids: BTreeSet<_> = orders.iter().map(id).collect();
        assert_eq!(ids.len(), 1);
        assert_eq!(alice.orders("").await.len(), 1);
    }

    async fn of_two_contents_at_once_under_one_key_one_is_stored(server) {
        let alice = server.register("alice").await;
        let placing = (0..10).map(async |number| {
            let mut body = once("key");
            body["note"] = json!(format!("note {}", number % 2));
            let ack = alice.connect("/").await.emit_ack("placeOrder", &body).await;
            ack["error"]["code"].as_str().unwrap_or("ok").to_owned()
        });
        let mut words = futures_util::future::join_all(placing).await;
        words.sort_unstable();
        assert_eq!(words, [["conflict"; 5], ["ok"; 5]].concat());
        assert_eq!(alice.orders("").await.len(), 1);
    }

    async fn other_content_under_a_used_key_is_a_conflict(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/orders").await;
        let order = socket.place(&once("key")).await;
        for (field, value) in [
            ("items", json!(["Tea"])),
            ("note", json!("hurry")),
            ("dropoff", json!("Main St 1")),
            ("pickup", json!({ "address": "a", "lat": 1, "lng": 1 })),
        ] {
            let mut body = once("key");
            body[field] = value;
            socket.failed("placeOrder", &body, "conflict").await;
            alice.post("/api/orders", &body).await.refused(409, "conflict");
        }
        assert_eq!(alice.orders("").await, [order]);
    }

    async fn keys_are_each_customers_own(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (first, second) = (alice.place(&once("key")).await, bob.place(&once("key")).await);
        assert_ne!(first["_id"], second["_id"]);
        assert_ne!(alice.place(&tea()).await["_id"], alice.place(&tea()).await["_id"]);
    }
}
