//! Values of the wrong kind: objects of operators, lists, numbers and booleans where text or an id
//! belongs, in every field of every body of REST and of every event. All are refused by name of
//! the fault, none is an accident of the server, and none gives a result.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::documents::pattern;
use crate::support::orders::tea;
use crate::support::raw::Heard;
use crate::support::{Answer, Person, Raw, Server};

/// Who may do it, method, path, a good body. `{order}`, `{room}` and `{mia}` are named when it is sent.
#[rustfmt::skip]
const BODIES: &[(&str, &str, &str, &str)] = &[
    ("alice", "POST", "/api/auth/register", r#"{"username":"new","email":"n@example.com","password":"password123","name":"N","role":"user"}"#),
    ("alice", "POST", "/api/auth/login", r#"{"email":"alice@example.com","password":"password123"}"#),
    ("alice", "POST", "/api/auth/login", r#"{"username":"alice","password":"password123"}"#),
    ("alice", "POST", "/api/auth/refresh", r#"{"refreshToken":"r"}"#),
    ("alice", "POST", "/api/auth/forgot-password", r#"{"email":"alice@example.com"}"#),
    ("alice", "POST", "/api/auth/reset-password", r#"{"token":"t","password":"password123"}"#),
    ("alice", "POST", "/api/auth/logout", r#"{"all":false}"#),
    ("alice", "PATCH", "/api/auth/me", r#"{"name":"N","email":"n@example.com","image":"i.png"}"#),
    ("alice", "POST", "/rooms", r#"{"name":"R","description":"D","isPrivate":false}"#),
    ("alice", "PATCH", "/rooms/{room}", r#"{"name":"R","description":"D","isPrivate":false}"#),
    ("alice", "POST", "/rooms/{room}/invite", r#"{"userId":"{mia}","expiresIn":60,"maxUses":1}"#),
    ("alice", "PATCH", "/rooms/{room}/members/{mia}", r#"{"role":"admin"}"#),
    ("alice", "POST", "/api/orders", r#"{"items":[{"name":"T","quantity":1,"price":1}],"total":1,"note":"N","clientOrderId":"c","restaurantId":"{mia}","pickup":{"name":"P","address":"A","lat":0,"lng":0},"dropoff":{"name":"P","address":"B","lat":0,"lng":0}}"#),
    ("dan", "POST", "/api/orders/{order}/reject", r#"{"reason":"R"}"#),
    ("alice", "POST", "/api/orders/{order}/cancel", r#"{"reason":"R"}"#),
    ("dan", "PUT", "/api/orders/{order}/status", r#"{"status":"preparing"}"#),
    ("root", "POST", "/api/orders/{order}/assign", r#"{"driverId":"dan","earnings":1}"#),
    ("dan", "PUT", "/api/drivers/me/availability", r#"{"available":true}"#),
    ("dan", "POST", "/api/drivers/me/location", r#"{"latitude":0,"longitude":0,"accuracy":1,"heading":1,"speed":1,"battery_level":1,"timestamp":"2025-05-20T16:30:00Z"}"#),
    ("alice", "POST", "/api/v1/auth/login", r#"{"username":"dan","password":"password123"}"#),
    ("alice", "POST", "/api/v1/auth/refresh", r#"{"refresh_token":"r"}"#),
    ("dan", "PUT", "/api/v1/driver/status", r#"{"status":"online"}"#),
    ("dan", "POST", "/api/v1/driver/locations", r#"{"locations":[{"latitude":0,"longitude":0,"accuracy":1,"heading":1,"speed":1,"battery_level":1,"timestamp":"2025-05-20T16:30:00Z"}]}"#),
    ("root", "POST", "/api/v1/orders", r#"{"restaurant_name":"R","pickup_address":"P","delivery_address":"D","pickup_lat":0,"pickup_lng":0,"delivery_lat":0,"delivery_lng":0,"customer_name":"C","customer_phone":"1","items":[{"name":"T","quantity":1,"price":1}],"order_total":1,"earnings":1,"note":"N","client_order_id":"c","driver_id":"dan"}"#),
    ("dan", "PUT", "/api/v1/orders/{order}/status", r#"{"status":"preparing"}"#),
    ("dan", "POST", "/api/v1/orders/{order}/reject", r#"{"reason":"R"}"#),
    ("alice", "POST", "/api/v1/orders/{order}/cancel", r#"{"reason":"R"}"#),
    ("root", "POST", "/api/v1/orders/{order}/assign", r#"{"driver_id":"dan","earnings":1}"#),
    ("root", "POST", "/api/v1/pools", r#"{"order_ids":["{order}"],"driver_id":"dan"}"#),
    ("root", "PATCH", "/api/v1/drivers/{dan}/status", r#"{"status":"online"}"#),
    ("root", "PUT", "/api/admin/users/{mia}/ban", r#"{"reason":"R"}"#),
    ("alice", "POST", "/login", r#"{"username":"dan","password":"password123"}"#),
    ("dan", "POST", "/driver/update", r#"{"lat":0,"long":0}"#),
];

/// Who may do it, channel, event, a good payload.
#[rustfmt::skip]
const EVENTS: &[(&str, &str, &str, &str)] = &[
    ("alice", "everywhere", "refresh_token", r#"{"token":"t"}"#),
    ("alice", "chat", "send_message", r#"{"receiverId":"{mia}","content":"x","messageType":"text","tempId":"t","clientMsgId":"c"}"#),
    ("alice", "chat", "typing_start", r#"{"receiverId":"{mia}"}"#),
    ("alice", "chat", "typing_stop", r#"{"receiverId":"{mia}"}"#),
    ("alice", "chat", "message_read", r#"{"messageId":"{mia}","senderId":"{mia}"}"#),
    ("alice", "chat", "sync", r#"{"conversations":{"{mia}":0},"since":"2025-05-20T16:30:00.000Z"}"#),
    ("alice", "rooms", "join_room", r#"{"roomId":"{room}"}"#),
    ("alice", "rooms", "leave_room", r#"{"roomId":"{room}"}"#),
    ("alice", "rooms", "send_message", r#"{"roomId":"{room}","content":"x","messageType":"text","tempId":"t","clientMsgId":"c"}"#),
    ("alice", "rooms", "typing", r#"{"roomId":"{room}","isTyping":true}"#),
    ("alice", "rooms", "message_read", r#"{"messageId":"{mia}","roomId":"{room}"}"#),
    ("alice", "rooms", "mark_messages_read", r#"{"roomId":"{room}","messageIds":["{mia}"]}"#),
    ("alice", "rooms", "sync", r#"{"conversations":{"{room}":0},"since":"2025-05-20T16:30:00.000Z"}"#),
    ("alice", "presence", "presence_subscribe", r#"{"userIds":["{mia}"]}"#),
    ("alice", "presence", "presence_unsubscribe", r#"{"userIds":["{mia}"]}"#),
    ("alice", "orders", "placeOrder", r#"{"items":[{"name":"T","quantity":1,"price":1}],"total":1,"note":"N","clientOrderId":"c","restaurantId":"{mia}","pickup":{"name":"P","address":"A","lat":0,"lng":0},"dropoff":{"name":"P","address":"B","lat":0,"lng":0}}"#),
    ("alice", "orders", "cancelOrder", r#"{"orderId":"{order}","reason":"R"}"#),
    ("dan", "orders", "orderAccept", r#"{"orderId":"{order}","reason":"R"}"#),
    ("dan", "orders", "orderReject", r#"{"orderId":"{order}","reason":"R"}"#),
    ("root", "orders", "updateOrderStatus", r#"{"orderId":"{order}","status":"preparing"}"#),
    ("root", "orders", "udpateOrderStatus", r#"{"orderId":"{order}","status":"preparing"}"#),
    ("alice", "orders", "trackOrder", r#"{"orderId":"{order}"}"#),
    ("alice", "orders", "untrackOrder", r#"{"orderId":"{order}"}"#),
    ("dan", "orders", "setAvailability", r#"{"available":true}"#),
    ("dan", "orders", "location_update", r#"{"latitude":0,"longitude":0,"accuracy":1,"heading":1,"speed":1,"battery_level":1,"timestamp":"2025-05-20T16:30:00Z"}"#),
    ("dan", "ws-driver", "location_update", r#"{"latitude":0,"longitude":0,"accuracy":1,"heading":1,"speed":1,"battery_level":1,"timestamp":"2025-05-20T16:30:00Z"}"#),
    ("dan", "ws-driver", "accept_order", r#"{"order_id":"{order}","reason":"R"}"#),
    ("dan", "ws-driver", "reject_order", r#"{"order_id":"{order}","reason":"R"}"#),
    ("dan", "ws-location", "auth", r#"{"token":"t"}"#),
    ("dan", "ws-location", "locationUpdate", r#"{"lat":0,"long":0}"#),
    ("dan", "ws-location", "watch", r#"{"driverId":"dan"}"#),
    ("dan", "ws-location", "unwatch", r#"{"driverId":"dan"}"#),
];

/// Events that take nothing.
const EMPTY: [(&str, &str); 3] = [("orders", "ping"), ("ws-driver", "ping"), ("ws-admin", "ping")];

/// Fields where a number may stand for a text: it names by number, or is only given back.
const NUMBERS_TOO: [&str; 6] =
    ["tempId", "orderId", "order_id", "driverId", "driver_id", "order_ids"];

/// What belongs in no field at all.
fn operators() -> Vec<Value> {
    vec![
        json!({ "$gt": "" }),
        json!({ "$ne": null }),
        json!({ "$where": "sleep(5000)" }),
        json!([{ "$ne": null }]),
        json!([["a"]]),
    ]
}

/// The value with something of the wrong kind in each place of it in turn.
fn spoilt(field: &str, value: &Value) -> Vec<Value> {
    let mut all = match value {
        Value::String(_) => {
            let numbers = if NUMBERS_TOO.contains(&field) { vec![] } else { vec![json!(7)] };
            [operators(), numbers, vec![json!(true), json!(["a"])]].concat()
        }
        Value::Number(_) => [operators(), vec![json!("seven"), json!([1])]].concat(),
        Value::Bool(_) => [operators(), vec![json!("yes"), json!(1)]].concat(),
        _ => [operators(), vec![json!("{}"), json!(7), json!(true)]].concat(),
    };
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                for bad in spoilt(name, inner) {
                    let mut whole = value.clone();
                    whole[name] = bad;
                    all.push(whole);
                }
            }
        }
        Value::Array(items) => {
            let inner = items.iter().flat_map(|item| spoilt(field, item));
            all.extend(inner.map(|bad| json!([bad])));
        }
        _ => {}
    }
    // A place and an item may be a text alone.
    let may_be_text = ["pickup", "dropoff", "items"].contains(&field) && value.is_object();
    all.retain(|bad| !(may_be_text && bad.is_string()));
    // A list in the place of an item is read as its fields in their order.
    all.retain(|bad| field != "items" || *bad != json!([["a"]]));
    all
}

/// The bodies with one fault each.
fn bad_bodies(good: &Value) -> Vec<Value> {
    let whole = [json!([{ "$gt": "" }]), json!([good])];
    let parts = good.as_object().unwrap().iter().flat_map(|(name, value)| {
        spoilt(name, value).into_iter().map(move |bad| {
            let mut body = good.clone();
            body[name] = bad;
            body
        })
    });
    parts.chain(whole).collect()
}

struct World {
    alice: Person,
    dan: Person,
    admin: Person,
    order: Value,
    names: [(&'static str, String); 4],
}

impl World {
    async fn of(server: &Server) -> Self {
        let [alice, mia] = server.people(["alice", "mia"]).await;
        let (dan, admin) = (server.driver("dan").await, server.admin().await);
        let order = alice.place(&tea()).await;
        let room = server.room_of([&alice, &mia]).await;
        let id = order["_id"].as_str().unwrap().to_owned();
        let names =
            [("{order}", id), ("{room}", room), ("{mia}", mia.id), ("{dan}", dan.id.clone())];
        Self { alice, dan, admin, order, names }
    }

    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    fn who(&self, name: &str) -> &Person {
        match name {
            "alice" => &self.alice,
            "dan" => &self.dan,
            _ => &self.admin,
        }
    }

    /// What would be otherwise if anything had had an effect.
    async fn state(&self) -> [Value; 6] {
        let room = &self.names[1].1;
        [
            self.alice.order(&self.order).await,
            self.admin.get("/api/orders").await.data(200)["orders"].clone(),
            self.alice.get("/rooms").await.data(200)["rooms"].clone(),
            self.alice.of_room(room, "/messages").await["total"].clone(),
            self.alice.get("/api/auth/me").await.data(200)["user"]["email"].clone(),
            self.admin.get("/api/admin/bans").await.data(200)["bans"].clone(),
        ]
    }
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn no_body_of_rest_takes_a_value_of_the_wrong_kind(server) {
        let world = World::of(server).await;
        let before = world.state().await;
        for (who, method, path, body) in BODIES {
            let good: Value = serde_json::from_str(&world.fill(body)).unwrap();
            for bad in bad_bodies(&good) {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let request = world.who(who).request(method, &world.fill(path)).json(&bad);
                let answer = Answer::of(request).await;
                assert_eq!(answer.status, 400, "{path} {bad}: {answer:?}");
                let known = ["validation_failed", "malformed"].contains(&answer.code());
                assert!(known, "{path} {bad}: {answer:?}");
            }
        }
        assert_eq!(world.state().await, before);
    }

    async fn every_body_of_rest_is_in_the_list(server) {
        let listed = BODIES.iter().map(|(_, method, path, _)| pattern(method, path));
        let documented = server.documented_routes().await;
        let found = documented.into_iter().filter(|(_, has_body)| *has_body);
        let found: BTreeSet<_> = found.map(|(route, _)| route).collect();
        assert_eq!(listed.collect::<BTreeSet<_>>(), found);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn no_event_takes_a_value_of_the_wrong_kind(server) {
        let world = World::of(server).await;
        let before = world.state().await;
        for (who, channel, event, payload) in EVENTS {
            let good: Value = serde_json::from_str(&world.fill(payload)).unwrap();
            let bad = bad_bodies(&good);
            if channel.starts_with("ws") {
                over_raw(&world, channel, event, &bad).await;
                continue;
            }
            let namespace = if *channel == "everywhere" { "/" } else { &format!("/{channel}") };
            let mut socket = world.who(who).connect(namespace).await;
            for bad in bad {
                let ack = socket.emit_ack(event, &bad).await;
                let refused = (&ack["ok"], ack["error"]["code"].as_str());
                assert_eq!(refused, (&json!(false), Some("validation_failed")), "{event} {bad}: {ack}");
            }
        }
        assert_eq!(world.state().await, before);
    }

    async fn every_event_is_in_the_list(server) {
        let listed = EVENTS.iter().map(|(_, channel, event, _)| (*channel, *event)).chain(EMPTY);
        let listed = listed.map(|(channel, event)| (channel.to_owned(), event.to_owned()));
        assert_eq!(listed.collect::<BTreeSet<_>>(), server.documented_events().await);
    }
}

/// The same over the raw WebSockets of drivers.
async fn over_raw(world: &World, channel: &str, event: &str, bad: &[Value]) {
    let is_typed = channel == "ws-driver";
    let mut socket = if is_typed {
        world.dan.drive().await
    } else {
        let socket = Raw::open(&world.dan.server, "/").await;
        let auth = json!({ "type": "auth", "token": world.dan.token });
        socket.send_text(&auth.to_string());
        socket
    };
    for bad in bad.iter().filter(|bad| is_typed || bad.is_object()) {
        let mut frame = if is_typed { json!({ "data": bad }) } else { bad.clone() };
        frame["type"] = json!(event);
        socket.send_text(&frame.to_string());
        let code = |heard: &Heard| match heard {
            Heard::Frame(frame) if frame["type"] == "error" => Some(frame["data"]["code"].clone()),
            Heard::Frame(frame) if frame.get("error").is_some() => Some(frame["code"].clone()),
            _ => None,
        };
        let told = socket.take(event, code).await;
        assert_eq!(told, "validation_failed", "{event} {bad}");
    }
}
