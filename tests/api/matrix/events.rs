//! The events: of each what another user hears, and who has another role.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Cast, Scene, assert_silent};
use crate::support::raw::Heard;
use crate::support::{Person, Raw};

/// How an event about what is alice's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// With this code.
    With(&'static str),
    /// Well: it is about the caller alone, or tells nothing.
    Well,
    /// It cannot be sent: the socket is not for this user.
    AtTheDoor,
}

use Ends::{AtTheDoor, Well, With};

const FORBIDDEN: Ends = With("forbidden");
const NOT_FOUND: Ends = With("not_found");
const CONFLICT: Ends = With("conflict");

/// Channel, event, payload, and how it ends for bob, another user, and for eve, a driver who has
/// no part in it.
type Row = (&'static str, &'static str, &'static str, [Ends; 2]);

#[rustfmt::skip]
const EVENTS: &[Row] = &[
    ("everywhere", "refresh_token", r#"{"token":"{token}"}"#, [FORBIDDEN; 2]),
    ("chat", "send_message", r#"{"receiverId":"{dan}","content":"x","senderId":"{mia}"}"#, [Well; 2]),
    ("chat", "typing_start", r#"{"receiverId":"{mia}"}"#, [Well; 2]),
    ("chat", "typing_stop", r#"{"receiverId":"{mia}"}"#, [Well; 2]),
    ("chat", "message_read", r#"{"messageId":"{direct}"}"#, [NOT_FOUND; 2]),
    ("chat", "sync", r#"{"conversations":{"{conversation}":0}}"#, [Well; 2]),
    ("rooms", "join_room", r#"{"roomId":"{open}"}"#, [FORBIDDEN; 2]),
    ("rooms", "leave_room", r#"{"roomId":"{open}"}"#, [FORBIDDEN; 2]),
    ("rooms", "send_message", r#"{"roomId":"{open}","content":"x"}"#, [FORBIDDEN; 2]),
    ("rooms", "typing", r#"{"roomId":"{open}","isTyping":true}"#, [FORBIDDEN; 2]),
    ("rooms", "message_read", r#"{"messageId":"{message}","roomId":"{open}"}"#, [NOT_FOUND; 2]),
    ("rooms", "mark_messages_read", r#"{"roomId":"{open}","messageIds":["{message}"]}"#, [FORBIDDEN; 2]),
    ("rooms", "sync", r#"{"conversations":{"{open}":0}}"#, [Well; 2]),
    ("presence", "presence_subscribe", r#"{"userIds":["{mia}"]}"#, [Well; 2]),
    ("presence", "presence_unsubscribe", r#"{"userIds":["{mia}"]}"#, [Well; 2]),
    ("orders", "setAvailability", r#"{"available":true}"#, [FORBIDDEN, Well]),
    ("orders", "location_update", r#"{"latitude":0,"longitude":0}"#, [FORBIDDEN, Well]),
    ("orders", "ping", "{}", [FORBIDDEN, Well]),
    ("orders", "placeOrder", r#"{"items":["x"]}"#, [Well, FORBIDDEN]),
    ("orders", "orderAccept", r#"{"orderId":"{taken}"}"#, [FORBIDDEN, CONFLICT]),
    ("orders", "orderReject", r#"{"orderId":"{taken}"}"#, [FORBIDDEN, CONFLICT]),
    ("orders", "cancelOrder", r#"{"orderId":"{taken}"}"#, [NOT_FOUND, FORBIDDEN]),
    ("orders", "updateOrderStatus", r#"{"orderId":"{taken}","status":"outForDelivery"}"#, [FORBIDDEN, NOT_FOUND]),
    ("orders", "udpateOrderStatus", r#"{"orderId":"{taken}","status":"outForDelivery"}"#, [FORBIDDEN, NOT_FOUND]),
    ("orders", "trackOrder", r#"{"orderId":"{taken}"}"#, [NOT_FOUND; 2]),
    ("orders", "untrackOrder", r#"{"orderId":"{taken}"}"#, [NOT_FOUND; 2]),
    ("ws-driver", "location_update", r#"{"latitude":0,"longitude":0}"#, [AtTheDoor, Well]),
    ("ws-driver", "ping", "{}", [AtTheDoor, Well]),
    ("ws-driver", "accept_order", r#"{"order_id":"{taken}"}"#, [AtTheDoor, CONFLICT]),
    ("ws-driver", "reject_order", r#"{"order_id":"{taken}"}"#, [AtTheDoor, CONFLICT]),
    ("ws-admin", "ping", "{}", [AtTheDoor; 2]),
    ("ws-location", "auth", r#"{"token":"{token}"}"#, [FORBIDDEN; 2]),
    ("ws-location", "locationUpdate", r#"{"lat":0,"long":0}"#, [FORBIDDEN, Well]),
    ("ws-location", "watch", r#"{"driverId":"dan"}"#, [FORBIDDEN; 2]),
    ("ws-location", "unwatch", r#"{"driverId":"dan"}"#, [Well; 2]),
];

/// The rows, and those of public rooms again for private ones, which are not there for strangers.
fn rows() -> Vec<(&'static str, &'static str, String, [Ends; 2])> {
    let mut rows = Vec::new();
    for (channel, event, payload, ends) in EVENTS {
        rows.push((*channel, *event, (*payload).to_owned(), *ends));
        if payload.contains("{open}") {
            let hidden = ends.map(|end| if end == FORBIDDEN { NOT_FOUND } else { end });
            rows.push((*channel, *event, payload.replace("{open}", "{closed}"), hidden));
        }
    }
    rows
}

/// The Socket.IO namespaces of a channel.
fn namespaces(channel: &str) -> Vec<String> {
    match channel {
        "everywhere" => ["/", "/chat", "/rooms", "/presence", "/orders"].map(str::to_owned).into(),
        "chat" | "rooms" | "presence" | "orders" => vec![format!("/{channel}"), "/".to_owned()],
        _ => Vec::new(),
    }
}

/// The ack of an event on Socket.IO.
async fn over_socket_io(who: &Person, namespace: &str, event: &str, payload: &Value) -> Value {
    who.connect(namespace).await.emit_ack(event, payload).await
}

/// The same on the raw WebSocket of drivers, or of the back office; `None` where it is closed.
async fn over_raw(who: &Person, path: &str, event: &str, payload: &Value) -> Option<Value> {
    let path = format!("/api/v1/ws/{path}?token={}", who.token);
    let mut socket = Raw::open(&who.server, &path).await;
    let first = socket.next().await;
    if let Heard::End(code) = first {
        assert_eq!(code, Some(4001), "{path}");
        return None;
    }
    socket.send_text(&json!({ "type": event, "data": payload, "id": 1 }).to_string());
    let ack = |heard: &Heard| match heard {
        Heard::Frame(frame) if frame["type"] == "ack" => Some(frame["data"].clone()),
        _ => None,
    };
    Some(socket.take("the ack", ack).await)
}

/// The same on seed 000's WebSocket, whose frames know no acks: an event that nobody knows is
/// refused in its turn.
async fn over_location(who: &Person, event: &str, payload: &Value) -> Value {
    let mut socket = Raw::open(&who.server, "/").await;
    let auth = json!({ "type": "auth", "role": "watcher", "token": who.token });
    socket.send_text(&auth.to_string());
    let mut frame = payload.clone();
    frame["type"] = json!(event);
    socket.send_text(&frame.to_string());
    socket.send_text(r#"{"type":"nothing"}"#);
    let error = socket.expect_flat("error").await;
    match error["code"].as_str() {
        Some("not_found") => json!({ "ok": true }),
        _ => json!({ "ok": false, "error": error }),
    }
}

async fn answers(who: &Person, channel: &str, event: &str, payload: &Value) -> Vec<Option<Value>> {
    let mut answers = Vec::new();
    for namespace in namespaces(channel) {
        answers.push(Some(over_socket_io(who, &namespace, event, payload).await));
    }
    match channel {
        // With another's name in the address, and with one's own.
        "ws-driver" => {
            assert_eq!(over_raw(who, "driver/dan", event, payload).await, None);
            let own = format!("driver/{}", who.username);
            answers.push(over_raw(who, &own, event, payload).await);
        }
        "ws-admin" => answers.push(over_raw(who, "admin", event, payload).await),
        "ws-location" => answers.push(Some(over_location(who, event, payload).await)),
        _ => {}
    }
    assert!(!answers.is_empty(), "nothing is known of {channel}");
    answers
}

fn end(answer: Option<&Value>) -> (bool, Option<&str>) {
    let Some(answer) = answer else { return (false, None) };
    (answer["ok"] == true, answer["error"]["code"].as_str())
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123", WATCH_POLICY = "parties")]
    async fn every_event_ends_for_others_as_the_table_says(server) {
        let cast = Cast::of(server).await;
        for (channel, event, payload, ends) in rows() {
            for (who, expected) in [&cast.bob, &cast.eve].into_iter().zip(ends) {
                let scene = Scene::for_text(&cast, &format!("{event} {payload}")).await;
                let payload: Value = serde_json::from_str(&scene.fill(&payload)).unwrap();
                let before = scene.state().await;
                let about = format!("{event} {payload} of {channel} by {}", who.username);
                for answer in answers(who, channel, event, &payload).await {
                    let wanted = match expected {
                        Well => (true, None),
                        With(code) => (false, Some(code)),
                        AtTheDoor => (false, None),
                    };
                    assert_eq!(end(answer.as_ref()), wanted, "{about}: {answer:?}");
                    if let Some(answer) = &answer {
                        assert_silent(&cast, Some(who), answer, &about);
                    }
                }
                assert_eq!(scene.state().await, before, "{about} changed something");
            }
        }
    }

    async fn every_event_is_in_the_table(server) {
        let known: BTreeSet<_> = EVENTS
            .iter()
            .map(|(channel, event, ..)| ((*channel).to_owned(), (*event).to_owned()))
            .collect();
        assert_eq!(known, server.documented_events().await);
    }
}
