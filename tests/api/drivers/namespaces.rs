//! What each kind of socket hears: raw sockets, `/orders` and `/` side by side.

use serde_json::{Value, json};

use crate::support::orders::tea;
use crate::support::transport::Packet;
use crate::support::{Raw, Socket};

/// What only raw sockets hear.
const RAW_ONLY: [&str; 5] =
    ["connected", "new_order", "order_removed", "driver_location", "order_update"];

/// The names of all events that a Socket.IO socket has got.
async fn names(socket: &mut Socket) -> Vec<String> {
    socket.round_trip().await;
    let found = std::cell::RefCell::new(Vec::new());
    socket.has(|packet| {
        if let Packet::Event { name, .. } = packet {
            found.borrow_mut().push(name.clone());
        }
        None
    });
    found.into_inner()
}

fn count(names: &[String], name: &str) -> usize {
    names.iter().filter(|one| *one == name).count()
}

on_every_store! {
    async fn a_raw_socket_makes_the_driver_online(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/").await;
        let is_dan = |status: &Value| status["userId"] == dan.id;
        let dans = dan.drive().await;
        assert_eq!(alices.expect_where("user_status", is_dan).await["isOnline"], true);
        let own = dan.get("/api/drivers/me").await.data(200);
        assert_eq!(own["available"], true);
        let order = alice.place(&tea()).await;
        let mut dans = dans;
        assert_eq!(dans.expect("new_order").await["id"], order["_id"]);
    }

    #[set(PRESENCE_GRACE = "100ms")]
    async fn a_driver_whose_raw_socket_is_gone_is_offline(server) {
        let alice = server.register("alice").await;
        let dan = server.driver("dan").await;
        let mut alices = alice.connect("/").await;
        let dans = dan.drive().await;
        drop(dans);
        let gone = |status: &Value| status["userId"] == dan.id && status["isOnline"] == false;
        alices.expect_where("user_status", gone).await;
    }

    #[set(PRESENCE_GRACE = "30s", ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn a_driver_who_is_offline_by_choice_is_offered_nothing_and_given_anything(server) {
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let mut dans = dan.drive().await;
        let state = dan.put_json("/api/v1/driver/status", &json!({ "status": "offline" })).await;
        assert_eq!(state.bare(200)["status"], "offline");
        let order = admin.create().await;
        dans.expect_none("new_order").await;
        admin.give(&order, &dan).await;
        dans.expect("order_assigned").await;
        // A socket anew does not change that; the driver does.
        let mut dans = dan.drive().await;
        let other = admin.create().await;
        dans.expect_none("new_order").await;
        dan.put_json("/api/v1/driver/status", &json!({ "status": "online" })).await.bare(200);
        assert_eq!(dans.expect("new_order").await["order_id"], other["order_id"]);
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn each_socket_of_a_driver_hears_each_event_once_and_in_its_own_words(server) {
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let mut raw = dan.drive().await;
        let mut orders = dan.connect("/orders").await;
        let mut root = dan.connect("/").await;
        let order = admin.create().await;
        admin.give(&order, &dan).await;
        dan.v1_advance(&order, "out_for_delivery").await.bare(200);
        admin.call_off(&order, "Customer cancelled").await;
        let heard = raw.kinds().await;
        for kind in ["new_order", "order_assigned", "order_cancelled"] {
            assert_eq!(count(&heard, kind), 1, "{kind}: {heard:?}");
        }
        assert!(
            heard.iter().all(|kind| {
                ["new_order", "order_assigned", "order_cancelled", "order_update"]
                    .contains(&kind.as_str())
            }),
            "{heard:?}"
        );
        for (socket, place) in [(&mut orders, "/orders"), (&mut root, "/")] {
            let heard = names(socket).await;
            for event in [
                "newOrder",
                "order_assigned",
                "orderAccepted",
                "orderStatusUpdated",
                "orderCancelled",
                "order_cancelled",
            ] {
                assert_eq!(count(&heard, event), 1, "{event} in {place}: {heard:?}");
            }
            for event in RAW_ONLY {
                assert_eq!(count(&heard, event), 0, "{event} in {place}: {heard:?}");
            }
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn nothing_of_other_domains_reaches_a_raw_socket(server) {
        let [alice, dan] = [server.register("alice").await, server.driver("dan").await];
        let admin = server.admin().await;
        let (mut raw, mut fleet) = (dan.drive().await, admin.watch_fleet().await);
        let mut alices = alice.connect("/").await;
        for who in [&dan, &admin] {
            crate::chat::send(&mut alices, who, "hello").await;
            alices.done("typing_start", &json!({ "receiverId": who.id })).await;
        }
        let order = alice.place(&tea()).await;
        raw.send("location_update", &json!({ "latitude": 1, "longitude": 2 }));
        raw.send("accept_order", &json!({ "order_id": order["_id"] }));
        raw.expect("order_assigned").await;
        let heard = raw.kinds().await;
        assert_eq!(count(&heard, "new_order"), 1, "{heard:?}");
        assert!(
            heard.iter().all(|kind| kind == "new_order" || kind == "order_update"),
            "{heard:?}"
        );
        fleet.expect("driver_location").await;
        let heard = fleet.kinds().await;
        assert_eq!(count(&heard, "order_update"), 2, "{heard:?}");
        assert!(
            heard.iter().all(|kind| ["order_update", "driver_location"].contains(&kind.as_str())),
            "{heard:?}"
        );
        // Nor does one understand what they do.
        for socket in [&mut raw, &mut fleet] {
            let nothing = json!({ "receiverId": alice.id, "content": "x" });
            for kind in [
                "send_message",
                "typing_start",
                "sync",
                "presence_subscribe",
                "placeOrder",
                "orderAccept",
                "setAvailability",
                "auth",
                "locationUpdate",
                "watch",
            ] {
                socket.refused(kind, &nothing, "not_found").await;
            }
        }
        for kind in ["location_update", "accept_order", "reject_order"] {
            fleet.refused(kind, &json!({}), "not_found").await;
        }
        let mut orders = dan.connect("/orders").await;
        for event in ["accept_order", "reject_order", "watch", "auth"] {
            let refused = orders.emit_ack(event, &json!({ "order_id": 1 })).await;
            assert_eq!(refused["error"]["code"], "not_found", "{event}");
        }
    }

    #[set(
        ADMIN_EMAIL = "root@example.com",
        ADMIN_PASSWORD = "password123",
        WATCH_INTERVAL = "1h"
    )]
    async fn the_sockets_of_seed_000_hear_nothing_of_orders(server) {
        let dan = server.driver("dan").await;
        let admin = server.admin().await;
        let mut flat = Raw::open(server, "/").await;
        flat.send_text(
            &json!({ "type": "auth", "role": "driver", "token": dan.token }).to_string(),
        );
        flat.send_text(&json!({ "type": "locationUpdate", "lat": 1, "long": 2 }).to_string());
        flat.send_text(&json!({ "type": "watch", "driverId": "dan" }).to_string());
        let seen = flat.expect_flat("lat").await;
        assert_eq!((&seen["username"], &seen["lat"]), (&json!("dan"), &json!(1.0)));
        let order = admin.create().await;
        admin.give(&order, &dan).await;
        admin.call_off(&order, "x").await;
        flat.send_text(&json!({ "type": "nothing" }).to_string());
        let next = flat.next().await;
        let crate::support::raw::Heard::Frame(frame) = next else { panic!("{next:?}") };
        assert!(frame.get("error").is_some(), "{frame}");
        // It carries no orders: the driver is told when a socket that does is there.
        let mut raw = dan.drive().await;
        assert_eq!(raw.expect("order_cancelled").await["order_id"], order["order_id"]);
    }
}
