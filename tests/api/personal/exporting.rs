//! Giving out what is stored of one person.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::run;
use crate::chat::{send, to};
use crate::support::Person;
use crate::support::orders::{moved, tea, which};

/// The document, read from standard output.
pub(super) async fn exported(person: &Person) -> Value {
    let output = run(&person.server, &["export-user", &person.id]).await;
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list<'a>(document: &'a Value, name: &str) -> &'a Vec<Value> {
    document[name].as_array().unwrap_or_else(|| panic!("{name}: {document}"))
}

fn all<'a>(document: &'a Value, name: &str, field: &str) -> Vec<&'a Value> {
    list(document, name).iter().map(|one| &one[field]).collect()
}

on_every_store! {
    async fn everything_of_a_person_is_in_one_document_while_the_server_runs(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut alices, mut bobs) = (alice.connect("/").await, bob.connect("/").await);
        for n in 0..600 {
            alices.done("send_message", &to(&bob, &format!("mine {n}"))).await;
        }
        send(&mut bobs, &alice, "from Bob").await;
        alice.read_all(&bob).await;
        let room = server.room_of([&alice, &bob]).await;
        let other = server.room_of([&bob, &alice]).await;
        for room in [&room, &other] {
            bobs.enter(room).await;
            bobs.say(room, "not hers").await;
            alices.enter(room).await;
            alices.say(room, "hers").await;
        }
        alice.leave_room(&other).await;
        let mut body = tea();
        body["note"] = json!("ring twice");
        body["dropoff"] = json!({ "address": "Elm Street 9" });
        alice.place(&body).await;
        let document = exported(&alice).await;
        let account = &document["account"];
        assert_eq!((&account["username"], &account["email"]), (&json!("alice"), &json!("alice@example.com")));
        assert_eq!(list(&document, "loginSessions").len(), 1);
        assert_eq!(list(&document, "rooms").len(), 1);
        assert_eq!(document["rooms"][0]["role"], "owner");
        assert_eq!(document["conversations"][0]["peerId"], bob.id.as_str());
        let messages = list(&document, "messages");
        assert_eq!(messages.len(), 601);
        assert_eq!(messages[600]["content"], "from Bob");
        assert!(messages[600]["readAt"].is_string());
        assert_eq!(all(&document, "roomMessages", "content"), ["hers", "hers"], "of left rooms too");
        assert_eq!(list(&document, "roomReads").len(), 2);
        assert_eq!(document["orders"][0]["note"], "ring twice");
        assert_eq!(document["orders"][0]["dropoff"]["address"], "Elm Street 9");
        let text = document.to_string();
        for hidden in ["$2b$", "hash", "Hash", "not hers", &alice.token, &alice.refresh_token, "bob@example.com"] {
            assert!(!text.contains(hidden), "{hidden} is in it");
        }
    }

    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn of_a_driver_the_way_the_deliveries_and_the_earnings_are_in_it(server) {
        let [alice, dan] = [server.register("alice").await, server.driver("dan").await];
        let mut dans = dan.connect("/orders").await;
        let mut body = tea();
        body["dropoff"] = json!({ "address": "Elm Street 9" });
        let order = alice.place(&body).await;
        dans.done("orderAccept", &which(&order)).await;
        for n in 0..3 {
            dans.done("location_update", &json!({ "latitude": 48 + n, "longitude": 16.5 })).await;
        }
        for status in ["outForDelivery", "delivered"] {
            dans.done("updateOrderStatus", &moved(&order, status)).await;
        }
        let document = exported(&dan).await;
        let latitudes: Vec<_> = all(&document, "positions", "latitude").iter().map(|n| n.as_f64().unwrap()).collect();
        assert_eq!(latitudes, [48.0, 49.0, 50.0]);
        assert_eq!(document["lastPosition"]["latitude"], 50.0);
        assert_eq!(document["orders"][0]["status"], "delivered");
        assert_eq!(document["earnings"][0]["orders"], 1, "{document}");
        assert!(!document.to_string().contains("Elm Street"), "that is the customer's");
    }

    async fn a_file_is_for_its_owner_and_takes_nothings_place(server) {
        let alice = server.register("alice").await;
        let path = server.dir().join("alice.json");
        let arguments = ["export-user", "alice", path.to_str().unwrap()];
        let output = run(server, &arguments).await;
        assert!(output.status.success(), "{output:?}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0);
        let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(document["account"]["id"], alice.id.as_str());
        let again = run(server, &arguments).await;
        assert_eq!(again.status.code(), Some(1));
        assert!(String::from_utf8(again.stderr).unwrap().contains("exists"));
        // On a store that no server has open.
        server.stop().await;
        let output = run(server, &["export-user", "alice", "-"]).await;
        assert!(output.status.success(), "{output:?}");
        server.start_with(&[]).await;
    }
}
