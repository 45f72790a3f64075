//! Placing orders: what is stored, what it costs, and who hears of it.

use serde_json::{Value, json};

use crate::support::orders::{steps, tea, tea_at};
use crate::support::{Person, is_id, time};

#[track_caller]
fn check_shape(order: &Value, customer: &Person) {
    assert!(is_id(&order["_id"]), "{order}");
    assert_eq!(order["id"], order["_id"]);
    assert!(order["orderNumber"].is_i64(), "{order}");
    assert_eq!(order["userId"], customer.id.as_str());
    assert_eq!(order["driverId"], Value::Null);
    assert_eq!(order["status"], "pending");
    assert_eq!(steps(order), ["pending"]);
    assert_eq!(order["history"][0]["by"], customer.id.as_str());
    assert_eq!(order["rejections"], json!([]));
    time(&order["history"][0]["at"]);
    time(&order["createdAt"]);
    time(&order["updatedAt"]);
    for field in ["distanceKm", "earnings", "pickup", "dropoff"] {
        assert!(order.get(field).is_some(), "{field} of {order}");
    }
}

on_every_store! {
    async fn an_order_is_told_to_its_customer_and_to_available_drivers(server) {
        let [alice, stranger] = server.people(["alice", "stranger"]).await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut placing = alice.connect("/").await;
        let mut alices = [alice.connect("/orders").await, alice.connect_by_query("/").await];
        let mut others = [stranger.connect("/").await, alice.connect("/chat").await];
        let mut driving = [
            dan.connect("/orders").await,
            dan.connect("/").await,
            eve.connect_by_query("/orders").await,
        ];
        let ack = placing.done("placeOrder", &tea()).await;
        let order = &ack["order"];
        check_shape(order, &alice);
        assert_eq!(order["items"], json!([{ "name": "Tea", "quantity": 2, "price": 1.5 }]));
        assert_eq!(order["total"], 3.0);
        assert_eq!(order["orderNumber"], 1);
        assert_eq!(placing.expect("orderPlaced").await, *order);
        for socket in &mut alices {
            assert_eq!(socket.expect("orderPlaced").await, *order);
            socket.expect_silence().await;
        }
        for socket in &mut driving {
            assert_eq!(socket.expect("newOrder").await, *order);
            socket.expect_silence().await;
        }
        placing.expect_silence().await;
        for socket in &mut others {
            socket.expect_silence().await;
        }
        assert_eq!(alice.order(order).await, *order);
    }

    async fn an_order_may_be_placed_without_an_ack(server) {
        let alice = server.register("alice").await;
        for namespace in ["/", "/orders"] {
            let mut socket = alice.connect(namespace).await;
            socket.emit("placeOrder", &tea());
            let order = socket.expect("orderPlaced").await;
            check_shape(&order, &alice);
            assert_eq!(alice.order(&order).await, order);
            socket.emit("placeOrder", &json!({ "items": [] }));
            let error = socket.expect("orderError").await;
            assert_eq!(error["code"], "validation_failed");
            assert!(error["message"].is_string());
            socket.expect_silence().await;
        }
    }

    async fn an_order_may_be_placed_by_rest(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/orders").await;
        let mut dans = dan.connect("/").await;
        let order = alice.place(&tea()).await;
        check_shape(&order, &alice);
        assert_eq!(alices.expect("orderPlaced").await, order);
        assert_eq!(dans.expect("newOrder").await, order);
        alices.expect_silence().await;
        dans.expect_silence().await;
    }

    async fn everything_in_an_order_is_kept(server) {
        let alice = server.register("alice").await;
        let body = json!({
            "items": [{ "name": "Pizza <b>", "quantity": 3, "price": 8.1 }, "Salt"],
            "total": 25,
            "pickup": { "name": "Pizzeria", "address": "Main St 1", "lat": 0, "lng": 10 },
            "dropoff": { "address": "Side St 2", "lat": 0, "lng": 11 },
            "note": "  Ring & wait\u{202e}, 1 < 2 ",
            "clientOrderId": "key-1",
            "nobodyKnows": { "this": true },
        });
        let order = alice.connect("/orders").await.place(&body).await;
        let stored = alice.order(&order).await;
        assert_eq!(stored, order);
        assert_eq!(stored["items"][0]["name"], "Pizza < b>");
        assert_eq!(stored["items"][0]["quantity"], 3);
        assert_eq!(stored["items"][0]["price"], 8.1);
        assert_eq!(stored["items"][1]["name"], "Salt");
        assert_eq!(stored["items"][1]["quantity"], 1);
        assert_eq!(stored["total"], 25.0, "not all items carry prices");
        assert_eq!(stored["note"], "Ring & wait, 1 < 2");
        assert_eq!(stored["pickup"], body["pickup"].clone().with_floats());
        assert_eq!(stored["dropoff"], body["dropoff"].clone().with_floats());
        // A degree on the equator.
        let kilometres = stored["distanceKm"].as_f64().unwrap();
        assert!((111.0..111.5).contains(&kilometres), "{kilometres}");
        assert!(stored["earnings"].as_f64().unwrap() > 0.0);
        server.restart().await;
        assert_eq!(alice.order(&order).await, order);
    }

    async fn the_total_is_what_the_items_cost(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        let item = |quantity: u32, price: f64| json!({ "name": "x", "quantity": quantity, "price": price });
        for (items, said, total) in [
            (json!([item(3, 0.1)]), json!(99), json!(0.3)),
            (json!([item(1, 0.1), item(1, 0.2)]), json!(0), json!(0.3)),
            (json!([item(10, 19.99)]), json!(1), json!(199.9)),
            (json!([item(1, 0.0)]), json!(5), json!(0.0)),
            (json!(["milk", item(1, 2.0)]), json!(4.2), json!(4.2)),
        ] {
            let order = socket.place(&json!({ "items": items, "total": said })).await;
            assert_eq!(order["total"].as_f64(), total.as_f64(), "{items}");
        }
    }

    async fn orders_of_many_at_once_are_numbered_without_gaps_or_repeats(server) {
        let people = server.people(["alice", "bob", "carol", "dave", "erin"]).await;
        let placing = people.iter().map(async |person| {
            let mut socket = person.connect("/orders").await;
            let asked: Vec<_> = (0..5).map(|_| socket.ask("placeOrder", &tea())).collect();
            let by_rest = futures_util::future::join_all((0..5).map(|_| {
                let person = person.clone();
                async move { person.place(&tea()).await }
            }));
            let mut orders = by_rest.await;
            for id in asked {
                let ack = socket.ack(id).await;
                assert_eq!(ack["ok"], true, "{ack}");
                orders.push(ack["order"].clone());
            }
            orders
        });
        let orders = futures_util::future::join_all(placing).await.concat();
        let mut numbers: Vec<_> =
            orders.iter().map(|order| order["orderNumber"].as_i64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=50).collect::<Vec<_>>());
        server.restart().await;
        assert_eq!(people[0].place(&tea()).await["orderNumber"], 51);
    }

    async fn earnings_grow_with_the_distance(server) {
        let alice = server.register("alice").await;
        let near = alice.place(&tea()).await["earnings"].as_f64().unwrap();
        let far = alice.place(&tea_at(5.0)).await["earnings"].as_f64().unwrap();
        assert!(far > near, "{far} for 11 km, {near} for none");
    }
}

/// A place as the wire shows it.
trait WithFloats {
    fn with_floats(self) -> Self;
}

impl WithFloats for Value {
    fn with_floats(mut self) -> Self {
        for field in ["lat", "lng"] {
            self[field] = json!(self[field].as_f64().unwrap());
        }
        self
    }
}
