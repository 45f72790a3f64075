//! What is wrong with what clients send is told, field by field, and changes nothing.

use serde_json::{Value, json};

use crate::support::orders::{moved, tea, which};
use crate::support::rest::fields;

/// Orders that cannot be, with the fields that are wrong.
fn impossible() -> Vec<(Value, Vec<&'static str>)> {
    let with = |field: &str, value: Value| {
        let mut body = tea();
        body[field] = value;
        body
    };
    let item = |field: &str, value: Value| {
        let mut item = json!({ "name": "Tea", "quantity": 1, "price": 1 });
        item[field] = value;
        with("items", json!([item]))
    };
    let place = |lat: Value, lng: Value| json!({ "address": "Main St", "lat": lat, "lng": lng });
    vec![
        (json!({}), vec!["items"]),
        (with("items", json!([])), vec!["items"]),
        (with("items", json!(vec!["x"; 101])), vec!["items"]),
        // A list is no object, though it has as many values as one has fields.
        (with("items", json!([["Tea", 1, 1]])), vec!["items[0]"]),
        (with("pickup", json!([null, "Main St", 0, 0])), vec!["pickup"]),
        (item("name", json!("")), vec!["items[0].name"]),
        (item("name", json!(" \u{202e} ")), vec!["items[0].name"]),
        (item("name", Value::Null), vec!["items[0].name"]),
        (item("name", json!("x".repeat(201))), vec!["items[0].name"]),
        (item("price", json!(-0.01)), vec!["items[0].price"]),
        (item("price", Value::Null), vec!["items[0].price"]),
        (item("price", json!("1")), vec!["items[0].price"]),
        (item("price", json!(1e300)), vec!["items[0].price"]),
        (item("quantity", json!(0)), vec!["items[0].quantity"]),
        (item("quantity", json!(-1)), vec!["items[0].quantity"]),
        (item("quantity", json!(1e9)), vec!["items[0].quantity"]),
        (item("quantity", json!(1.5)), vec!["items[0].quantity"]),
        (item("quantity", Value::Null), vec!["items[0].quantity"]),
        (with("total", json!(-1)), vec!["total"]),
        (with("total", Value::Null), vec!["total"]),
        (with("pickup", place(json!(90.001), json!(0))), vec!["pickup.lat"]),
        (with("pickup", place(json!(0), json!(-180.5))), vec!["pickup.lng"]),
        (with("pickup", place(json!(0), Value::Null)), vec!["pickup.lng"]),
        (with("dropoff", place(json!("0"), json!(1e9))), vec!["dropoff.lat", "dropoff.lng"]),
        (with("dropoff", json!({ "lat": 0, "lng": 0 })), vec!["dropoff.address"]),
        (with("dropoff", json!({ "address": "x".repeat(301) })), vec!["dropoff.address"]),
        (with("pickup", json!({ "address": "a", "name": "x".repeat(101) })), vec!["pickup.name"]),
        (with("note", json!("x".repeat(501))), vec!["note"]),
        (with("clientOrderId", json!("")), vec!["clientOrderId"]),
        (with("clientOrderId", json!("x".repeat(65))), vec!["clientOrderId"]),
    ]
}

on_every_store! {
    async fn what_is_wrong_with_an_order_is_told_by_field(server) {
        let alice = server.register("alice").await;
        let mut dans = server.driver("dan").await.connect("/").await;
        for namespace in ["/", "/orders"] {
            let mut socket = alice.connect(namespace).await;
            for (body, wrong) in impossible() {
                let error = socket.failed("placeOrder", &body, "validation_failed").await;
                assert_eq!(fields(&error), wrong, "{body}");
                let answer = alice.post("/api/orders", &body).await;
                assert_eq!(answer.wrong_fields(), wrong, "{body}");
            }
            socket.expect_silence().await;
        }
        assert!(alice.orders("").await.is_empty());
        dans.expect_silence().await;
        assert_eq!(alice.place(&tea()).await["orderNumber"], 1);
    }

    async fn payloads_of_another_kind_are_told_and_the_socket_lives(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/orders").await;
        let mut dans = dan.connect("/").await;
        let wrong =
            [json!([]), json!([1]), json!("text"), json!(7), Value::Null, json!(true), json!({})];
        for payload in &wrong {
            for event in ["placeOrder", "cancelOrder", "trackOrder", "untrackOrder"] {
                alices.failed(event, payload, "validation_failed").await;
            }
            let events = [
                "orderAccept",
                "orderReject",
                "updateOrderStatus",
                "udpateOrderStatus",
                "setAvailability",
                "location_update",
                "trackOrder",
            ];
            for event in events {
                dans.failed(event, payload, "validation_failed").await;
            }
        }
        for wrong in [
            json!({ "items": "Tea" }),
            json!({ "items": [[]] }),
            json!({ "items": [7] }),
            json!({ "items": { "name": "Tea" } }),
            json!({ "items": ["Tea"], "note": 7 }),
            json!({ "items": ["Tea"], "dropoff": [] }),
            json!({ "items": ["Tea"], "clientOrderId": {} }),
        ] {
            alices.failed("placeOrder", &wrong, "validation_failed").await;
            alice.post("/api/orders", &wrong).await.refused(400, "validation_failed");
        }
        let nothing = alices.ask_raw(&json!(["placeOrder"]));
        assert_eq!(alices.ack(nothing).await["error"]["code"], "validation_failed");
        let order = alices.place(&tea()).await;
        assert_eq!(order["orderNumber"], 1);
        dans.done("orderAccept", &which(&order)).await;
    }

    async fn a_body_that_is_no_json_is_malformed(server) {
        let alice = server.register("alice").await;
        let path = "/api/orders";
        for body in ["{", "NaN", "{\"items\":[{\"name\":\"x\",\"price\":NaN}]}"] {
            let request = alice.request(reqwest::Method::POST, path).body(body);
            let request = request.header("content-type", "application/json");
            crate::support::Answer::of(request).await.refused(400, "malformed");
        }
        assert!(alice.orders("").await.is_empty());
    }

    async fn an_id_that_is_none_is_told(server) {
        let alice = server.register("alice").await;
        let mut alices = alice.connect("/").await;
        let mut dans = server.driver("dan").await.connect("/orders").await;
        for id in [
            json!("x"),
            json!(""),
            json!(0),
            json!(-1),
            json!(1.5),
            json!({}),
            json!([]),
            json!(true),
            json!("1 OR 1"),
            json!({ "$gt": "" }),
            json!("9".repeat(30)),
        ] {
            let payload = json!({ "orderId": id });
            alices.failed("cancelOrder", &payload, "validation_failed").await;
            dans.failed("orderAccept", &payload, "validation_failed").await;
        }
        for id in [json!("0".repeat(24)), json!(999), json!("999"), json!(i64::MAX)] {
            let payload = json!({ "orderId": id });
            for event in ["cancelOrder", "trackOrder", "untrackOrder"] {
                alices.failed(event, &payload, "not_found").await;
            }
            for event in ["orderAccept", "orderReject"] {
                dans.failed(event, &payload, "not_found").await;
            }
        }
        for path in ["/api/orders/x", "/api/orders/0", "/api/orders/1.5", "/api/orders/1"] {
            let status = alice.get(path).await.status;
            assert!(matches!(status, 400 | 404), "{path}: {status}");
        }
    }

    async fn words_that_are_no_status_are_told(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        let taken = dan.accept(&order).await;
        let mut dans = dan.connect("/orders").await;
        for word in ["Preparing", "out_for_delivery", "OUTFORDELIVERY", "", " delivered", "x"] {
            let payload = moved(&order, word);
            let error = dans.failed("updateOrderStatus", &payload, "validation_failed").await;
            assert_eq!(fields(&error), ["status"], "{word}");
            assert_eq!(dan.advance(&order, word).await.wrong_fields(), ["status"]);
        }
        for word in [Value::Null, json!(1), json!([]), json!({})] {
            let mut payload = which(&order);
            payload["status"] = word;
            dans.failed("udpateOrderStatus", &payload, "validation_failed").await;
        }
        assert_eq!(dan.order(&order).await, taken);
    }

    async fn reasons_have_an_end(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let order = alice.place(&tea()).await;
        let long = json!({ "orderId": order["_id"], "reason": "x".repeat(501) });
        let mut alices = alice.connect("/").await;
        let error = alices.failed("cancelOrder", &long, "validation_failed").await;
        assert_eq!(fields(&error), ["reason"]);
        dan.connect("/").await.failed("orderReject", &long, "validation_failed").await;
        assert_eq!(alice.on(&order, "cancel", &long).await.wrong_fields(), ["reason"]);
        assert_eq!(alice.order(&order).await, order);
        let reason = json!({ "orderId": order["_id"], "reason": "<i>" });
        alices.done("cancelOrder", &reason).await;
        assert_eq!(alices.expect("orderCancelled").await["reason"], "< i>");
    }

    async fn positions_that_cannot_be_are_told(server) {
        let dan = server.driver("dan").await;
        let mut dans = dan.connect("/orders").await;
        for (field, wrong) in [
            ("latitude", json!(90.1)),
            ("latitude", Value::Null),
            ("longitude", json!(-180.1)),
            ("longitude", Value::Null),
            ("accuracy", json!(-1)),
            ("heading", json!(360.5)),
            ("heading", json!(-1)),
            ("speed", json!(-0.1)),
            ("battery_level", json!(101)),
            ("timestamp", json!("yesterday")),
            ("timestamp", json!("2999-01-01T00:00:00.000Z")),
        ] {
            let mut payload = json!({ "latitude": 0, "longitude": 0 });
            payload[field] = wrong.clone();
            let error = dans.failed("location_update", &payload, "validation_failed").await;
            assert_eq!(fields(&error), [field], "{wrong}");
            let answer = dan.post("/api/drivers/me/location", &payload).await;
            assert_eq!(answer.wrong_fields(), [field], "{wrong}");
        }
        let payload = json!({ "latitude": "0", "longitude": 0 });
        dans.failed("location_update", &payload, "validation_failed").await;
        for (lat, lng) in [(90, 180), (-90, -180), (0, 0)] {
            dans.done("location_update", &json!({ "latitude": lat, "longitude": lng })).await;
        }
    }
}
