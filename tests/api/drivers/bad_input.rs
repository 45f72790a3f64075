//! Whatever a driver's socket sends: told what was wrong, and the socket stays, where it can.

use serde_json::{Value, json};

use crate::support::raw::Heard;
use crate::support::rest::fields;
use crate::support::wire::{TEXT, frame};
use crate::support::{Person, Raw};

/// A location with one field different.
fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut data = json!({ "latitude": 48.2, "longitude": 16.37 });
    data[field] = value.into();
    data
}

/// The time so many seconds from now.
fn ahead(seconds: i64) -> String {
    let now = waggle::clock::Clock::system().now().millis();
    waggle::clock::Timestamp::from_millis(now + seconds * 1000).to_string()
}

/// A `ping` as long as this, in bytes.
fn ping_of(length: usize) -> String {
    let frame = r#"{"type":"ping","data":{},"pad":""}"#;
    let pad = "x".repeat(length - frame.len());
    let long = frame.replace(r#""pad":"""#, &format!(r#""pad":"{pad}""#));
    assert_eq!(long.len(), length);
    long
}

async fn position(dan: &Person) -> Value {
    dan.get("/api/drivers/me").await.data(200)["position"].clone()
}

on_every_store! {
    async fn what_cannot_be_read_is_told_and_the_socket_stays(server) {
        let dan = server.driver("dan").await;
        let mut socket = dan.drive().await;
        for (text, code) in [
            ("", "malformed"),
            ("hello", "malformed"),
            ("{", "malformed"),
            (r#"{"type":"ping"}{"type":"ping"}"#, "malformed"),
            ("{\"type\":\"ping\"", "malformed"),
            ("[]", "validation_failed"),
            ("7", "validation_failed"),
            ("null", "validation_failed"),
            (r#""ping""#, "validation_failed"),
            ("{}", "validation_failed"),
            (r#"{"data":{}}"#, "validation_failed"),
            (r#"{"type":null}"#, "validation_failed"),
            (r#"{"type":7}"#, "validation_failed"),
            (r#"{"type":["ping"]}"#, "validation_failed"),
            (r#"{"type":""}"#, "not_found"),
            (r#"{"type":"nothing"}"#, "not_found"),
            (r#"{"type":"PING"}"#, "not_found"),
            (r#"{"type":"pong"}"#, "not_found"),
            (r#"{"type":"connected"}"#, "not_found"),
            (r#"{"type":"order_assigned","data":{"order_id":1}}"#, "not_found"),
            (r#"{"type":"__proto__"}"#, "not_found"),
            (r#"{"type":"location_update","data":7}"#, "validation_failed"),
            (r#"{"type":"location_update","data":[1,2]}"#, "validation_failed"),
            (r#"{"type":"location_update","data":"x"}"#, "validation_failed"),
            (r#"{"type":"location_update"}"#, "validation_failed"),
            (r#"{"type":"location_update","data":null}"#, "validation_failed"),
            (r#"{"type":"accept_order","data":{}}"#, "validation_failed"),
            (r#"{"type":"accept_order","data":{"order_id":{}}}"#, "validation_failed"),
            (r#"{"type":"accept_order","data":{"order_id":1}}"#, "not_found"),
            (r#"{"type":"reject_order","data":{"order_id":-1}}"#, "validation_failed"),
            (r#"{"type":"refresh_token","data":{}}"#, "validation_failed"),
        ] {
            socket.send_text(text);
            let error = socket.expect("error").await;
            assert_eq!(error["code"], code, "{text}: {error}");
            assert!(error["message"].is_string(), "{error}");
        }
        socket.send_text(&"[".repeat(60_000));
        socket.expect_error("malformed").await;
        for bytes in [&b""[..], b"\xff\xfe\x00", br#"{"type":"ping"}"#] {
            socket.send_binary(bytes);
            socket.expect_error("malformed").await;
        }
        socket.expect_none("error").await;
        assert_eq!(position(&dan).await, Value::Null);
    }

    async fn a_location_out_of_range_names_the_fields(server) {
        let dan = server.driver("dan").await;
        let mut socket = dan.drive().await;
        for (field, values) in [
            ("latitude", vec![json!(90.01), json!(-90.01), json!(1e300)]),
            ("longitude", vec![json!(180.01), json!(-180.01), json!(-1e300)]),
            ("heading", vec![json!(-0.1), json!(360.1)]),
            ("speed", vec![json!(-0.1)]),
            ("accuracy", vec![json!(-1)]),
            ("battery_level", vec![json!(-1), json!(100.1)]),
            (
                "timestamp",
                vec![json!(ahead(75)), json!("yesterday"), json!("2025-05-20"), json!("")],
            ),
        ] {
            for value in values {
                let data = with(field, value);
                let error = socket.refused("location_update", &data, "validation_failed").await;
                assert_eq!(fields(&error), [field], "{data}");
            }
        }
        for (field, value) in [
            ("latitude", Value::Null),
            ("longitude", Value::Null),
            ("latitude", json!("48.2")),
            ("longitude", json!([])),
            ("heading", json!("north")),
            ("speed", json!({})),
            ("battery_level", json!(true)),
            ("timestamp", json!(7)),
        ] {
            let data = with(field, value);
            let error = socket.refused("location_update", &data, "validation_failed").await;
            assert_eq!(fields(&error), [field], "{data}");
        }
        let everything = json!({ "latitude": 91, "heading": 361, "speed": -1, "timestamp": "x" });
        let error = socket.refused("location_update", &everything, "validation_failed").await;
        assert_eq!(fields(&error), ["latitude", "longitude", "heading", "speed", "timestamp"]);
        socket.send_text(r#"{"type":"location_update","data":{"latitude":NaN,"longitude":1}}"#);
        socket.expect_error("malformed").await;
        socket.send_text(r#"{"type":"location_update","data":{"latitude":1e999,"longitude":1}}"#);
        socket.expect("error").await;
        socket.expect_none("error").await;
        assert_eq!(position(&dan).await, Value::Null);
    }

    async fn the_ends_of_every_range_are_in_it(server) {
        let dan = server.driver("dan").await;
        let mut socket = dan.drive().await;
        let south_pole = json!({ "latitude": -90, "longitude": -180, "heading": 0, "speed": 0,
            "accuracy": 0, "battery_level": 0, "timestamp": ahead(-3600) });
        let north_pole = json!({ "latitude": 90, "longitude": 180, "heading": 360, "speed": 1000,
            "accuracy": 1e6, "battery_level": 100, "timestamp": ahead(-60) });
        let null = json!({ "latitude": 0, "longitude": 0, "accuracy": null, "heading": null,
            "speed": null, "battery_level": null, "timestamp": null });
        for location in [&south_pole, &north_pole, &null] {
            socket.send("location_update", location);
            // Success is silent.
            assert_eq!(socket.kinds().await, [""; 0], "{location}");
            let seen = position(&dan).await;
            assert_eq!(seen["latitude"].as_f64(), location["latitude"].as_f64());
            assert_eq!(seen["longitude"].as_f64(), location["longitude"].as_f64());
            assert_eq!(seen["heading"].as_f64(), location["heading"].as_f64());
        }
        socket.send("location_update", &with("timestamp", ahead(45)));
        assert_eq!(socket.kinds().await, [""; 0]);
    }

    async fn a_frame_may_have_64_kib_and_no_more(server) {
        let dan = server.driver("dan").await;
        let mut socket = dan.drive().await;
        for length in [125, 126, 65_535, 65_536] {
            socket.send_text(&ping_of(length));
            socket.expect("pong").await;
        }
        socket.send_text(&ping_of(65_537));
        assert_eq!(socket.closed().await, Some(1009));
        // A client that claims a lot and sends nothing is not waited for.
        let mut wire = open(&dan).await;
        let mut head = frame(0x80 | TEXT, &[0; 65_536])[..14].to_vec();
        head[2..10].copy_from_slice(&u64::MAX.to_be_bytes()[..8]);
        head[2] = 0x7f;
        wire.write_bytes(&head).await.unwrap();
        assert!(matches!(Raw::over(wire, true).closed().await, Some(1009 | 1002)));
        // Nor is one that sends it in pieces.
        let mut wire = open(&dan).await;
        let piece = [b'x'; 30_000];
        wire.write_bytes(&frame(TEXT, &piece)).await.unwrap();
        for _ in 0..2 {
            wire.write_bytes(&frame(0, &piece)).await.unwrap();
        }
        assert_eq!(Raw::over(wire, true).closed().await, Some(1009));
        dan.drive().await.round_trip().await;
    }

    async fn a_frame_may_come_in_pieces(server) {
        let dan = server.driver("dan").await;
        let mut wire = open(&dan).await;
        wire.write_bytes(&frame(TEXT, br#"{"type":"#)).await.unwrap();
        wire.write_bytes(&frame(0x80 | crate::support::wire::PING, b"between")).await.unwrap();
        wire.write_bytes(&frame(0x80, br#""ping"}"#)).await.unwrap();
        let mut socket = Raw::over(wire, true);
        socket.expect("pong").await;
        socket.take("the answer to the ping", |heard| (*heard == Heard::Pong).then_some(())).await;
    }

    async fn what_is_no_websocket_is_closed_with_a_reason(server) {
        let dan = server.driver("dan").await;
        for (bytes, code) in [
            (frame(0x80 | TEXT, b"\xff\xfe"), 1007),
            (frame(0x80 | 3, b"reserved opcode"), 1002),
            (frame(0xC0 | TEXT, b"reserved bit"), 1002),
            (b"\x81\x02{}".to_vec(), 1002),
            (frame(crate::support::wire::PING, b"a ping in pieces"), 1002),
        ] {
            let mut wire = open(&dan).await;
            wire.write_bytes(&bytes).await.unwrap();
            assert_eq!(Raw::over(wire, true).closed().await, Some(code), "{bytes:?}");
        }
    }

    async fn an_id_is_acknowledged(server) {
        let mut socket = server.driver("dan").await.drive().await;
        for (text, id, ok) in [
            (
                r#"{"type":"location_update","id":7,"data":{"latitude":0,"longitude":0}}"#,
                json!(7),
                true,
            ),
            (r#"{"type":"location_update","id":"a","data":{}}"#, json!("a"), false),
            (r#"{"type":"nothing","id":0}"#, json!(0), false),
            (r#"{"id":8,"data":{}}"#, json!(8), false),
            (r#"{"type":null,"id":"b"}"#, json!("b"), false),
        ] {
            socket.send_text(text);
            let frame = socket.take("ack", |heard| match heard {
                Heard::Frame(frame) if frame["type"] == "ack" => Some(frame.clone()),
                _ => None,
            });
            let frame = frame.await;
            assert_eq!((&frame["id"], &frame["data"]["ok"]), (&id, &json!(ok)), "{frame}");
        }
    }

    #[set(RATE_LIMITS = "on", RATE_LIMIT_LOCATIONS = "3/1m")]
    async fn too_many_locations_are_told_with_the_time_to_wait(server) {
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let mut socket = dan.drive().await;
        let at =
            |lng: i64| json!({ "latitude": 0, "longitude": lng, "timestamp": ahead(lng - 10) });
        for lng in 1..=3 {
            socket.send("location_update", &at(lng));
        }
        socket.expect_none("error").await;
        let error = socket.refused("location_update", &at(4), "rate_limited").await;
        assert!((1..=60).contains(&error["retryAfter"].as_u64().unwrap()), "{error}");
        assert_eq!(error["remaining"], 0, "{error}");
        // Another socket of the driver has no more.
        dan.drive().await.refused("location_update", &at(5), "rate_limited").await;
        let refused = dan.connect("/orders").await.emit_ack("location_update", &at(6)).await;
        assert_eq!(refused["error"]["code"], "rate_limited");
        assert_eq!(position(&dan).await["longitude"], 3.0);
        let mut eves = eve.drive().await;
        eves.send("location_update", &at(1));
        eves.expect_none("error").await;
    }
}

async fn open(dan: &Person) -> crate::support::wire::Wire {
    crate::support::wire::Wire::open(&dan.server, &dan.driver_path()).await.unwrap()
}
