//! Presence (CONTRACT §6).
//!
//! To show that somebody did *not* come or go, somebody else comes or goes later: changes are
//! told in their order.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chat::send;
use crate::support::rest::{PATIENCE, fields};
use crate::support::{Person, Server, Socket, time};

/// The next change of somebody that a socket hears of.
async fn change(socket: &mut Socket, person: &Person) -> Value {
    let status = socket.expect_where("user_status", |status| status["userId"] == person.id).await;
    let word = if status["isOnline"] == true { "online" } else { "offline" };
    assert_eq!(status["status"], word);
    assert!(time(&status["lastSeen"]) <= time(&status["timestamp"]));
    status
}

async fn expect_change(socket: &mut Socket, person: &Person, online: bool) {
    assert_eq!(change(socket, person).await["isOnline"], online, "{}", person.username);
}

/// Shows that a socket has heard nothing of somebody.
async fn expect_no_change(socket: &mut Socket, person: &Person) {
    let told = socket.all("user_status").await;
    assert!(told.iter().all(|status| status["userId"] != person.id), "{told:?}");
}

/// Somebody comes and goes; when a socket has heard of both, the changes before were told too.
async fn somebody_passes(server: &Server, watching: &mut Socket) {
    let name = format!("passer{:08x}", rand::random::<u32>());
    let passer = server.register(&name).await;
    let socket = passer.connect("/").await;
    expect_change(watching, &passer, true).await;
    drop(socket);
    expect_change(watching, &passer, false).await;
}

on_every_store! {
    async fn everyone_hears_of_who_comes(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = [bob.connect("/").await, bob.connect("/presence").await];
        let _socket = alice.connect("/chat").await;
        for socket in &mut watching {
            let status = change(socket, &alice).await;
            assert_eq!(status["isOnline"], true);
        }
    }

    #[set(PRESENCE_GRACE = "300ms")]
    async fn who_has_gone_is_offline_after_the_grace(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = bob.connect("/").await;
        let socket = alice.connect("/").await;
        expect_change(&mut watching, &alice, true).await;
        let gone = Instant::now();
        drop(socket);
        let status = change(&mut watching, &alice).await;
        assert_eq!(status["isOnline"], false);
        assert!(gone.elapsed() >= Duration::from_millis(290), "{:?}", gone.elapsed());
        assert_eq!(alice.get("/api/auth/me").await.data(200)["user"]["isOnline"], false);
        // The directory is written behind the event.
        let me = async || alice.get("/api/auth/me").await.data(200)["user"]["lastSeen"].clone();
        while me().await != status["lastSeen"] {
            assert!(gone.elapsed() < PATIENCE, "{status}");
        }
    }

    #[set(PRESENCE_GRACE = "2s")]
    async fn a_reconnect_does_not_flicker(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = bob.connect("/").await;
        let mut socket = alice.connect("/").await;
        expect_change(&mut watching, &alice, true).await;
        for _ in 0..3 {
            drop(socket);
            socket = alice.connect("/").await;
        }
        somebody_passes(server, &mut watching).await;
        expect_no_change(&mut watching, &alice).await;
        assert_eq!(alice.get("/api/auth/me").await.data(200)["user"]["isOnline"], true);
        drop(socket);
        expect_change(&mut watching, &alice, false).await;
    }

    #[set(PRESENCE_GRACE = "200ms")]
    async fn the_last_of_many_sockets_makes_somebody_offline(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = bob.connect("/presence").await;
        let first = alice.connect("/").await;
        expect_change(&mut watching, &alice, true).await;
        let second = alice.connect("/chat").await;
        let third = Socket::polling(server, "/presence", &json!({ "token": alice.token })).await;
        drop(first);
        second.leave();
        somebody_passes(server, &mut watching).await;
        expect_no_change(&mut watching, &alice).await;
        third.leave();
        expect_change(&mut watching, &alice, false).await;
    }

    #[set(PRESENCE_GRACE = "100ms")]
    async fn a_logout_makes_somebody_offline(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = bob.connect("/").await;
        let _socket = alice.connect("/").await;
        expect_change(&mut watching, &alice, true).await;
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        expect_change(&mut watching, &alice, false).await;
    }

    async fn presence_is_not_told_in_the_namespace_of_chat(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let (mut watching, mut chatting) = (bob.connect("/").await, bob.connect("/chat").await);
        let _socket = alice.connect("/").await;
        expect_change(&mut watching, &alice, true).await;
        chatting.expect_none("user_status").await;
    }

    async fn a_subscription_answers_with_the_state_now(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let _socket = bob.connect("/chat").await;
        let mut socket = alice.connect("/presence").await;
        let unknown = "0".repeat(24);
        let asked = json!({ "userIds": [carol.id, bob.id, unknown, alice.id] });
        let ack = socket.done("presence_subscribe", &asked).await;
        let states = ack["presence"].as_array().unwrap();
        let ids: Vec<_> = states.iter().map(|state| state["userId"].as_str().unwrap()).collect();
        assert_eq!(ids, [&carol.id, &bob.id, &unknown, &alice.id]);
        let online: Vec<_> = states.iter().map(|state| state["isOnline"] == true).collect();
        assert_eq!(online, [false, true, false, true]);
        assert_eq!(states[0]["status"], "offline");
        assert_eq!(states[0]["lastSeen"], Value::Null);
        assert_eq!(states[1]["status"], "online");
        time(&states[1]["lastSeen"]);
        states.iter().for_each(|state| assert!(state["timestamp"].is_string()));
    }

    #[set(PRESENCE_AUDIENCE = "contacts", PRESENCE_GRACE = "100ms")]
    async fn contacts_hear_of_each_other_and_strangers_do_not(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let mut bobs = bob.connect("/").await;
        let mut carols = carol.connect("/").await;
        send(&mut bobs, &alice, "now we know each other").await;
        bobs.done("presence_subscribe", &json!({ "userIds": [alice.id] })).await;
        bobs.done("presence_unsubscribe", &json!({ "userIds": [alice.id] })).await;
        let socket = alice.connect("/").await;
        expect_change(&mut bobs, &alice, true).await;
        drop(socket);
        expect_change(&mut bobs, &alice, false).await;
        // Somebody whom carol knows comes later, and she hears of that one only.
        let dave = server.register("dave").await;
        send(&mut carols, &dave, "hello").await;
        let _daves = dave.connect("/").await;
        expect_change(&mut carols, &dave, true).await;
        expect_no_change(&mut carols, &alice).await;
    }

    #[set(PRESENCE_AUDIENCE = "contacts", PRESENCE_GRACE = "100ms")]
    async fn a_subscription_brings_the_changes_until_it_ends(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let mut watching = bob.connect("/presence").await;
        let both = json!({ "userIds": [alice.id, carol.id] });
        let ack = watching.done("presence_subscribe", &both).await;
        assert_eq!(ack["presence"][0]["isOnline"], false);
        watching.done("presence_subscribe", &both).await;
        let socket = alice.connect("/").await;
        expect_change(&mut watching, &alice, true).await;
        drop(socket);
        expect_change(&mut watching, &alice, false).await;
        expect_no_change(&mut watching, &alice).await;
        watching.done("presence_unsubscribe", &json!({ "userIds": [alice.id] })).await;
        let _socket = alice.connect("/").await;
        let _carols = carol.connect("/").await;
        expect_change(&mut watching, &carol, true).await;
        expect_no_change(&mut watching, &alice).await;
    }

    async fn what_is_asked_wrongly_is_told_by_field(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/presence").await;
        let id = "0".repeat(24);
        for event in ["presence_subscribe", "presence_unsubscribe"] {
            for wrong in [
                json!({}),
                json!({ "userIds": [] }),
                json!({ "userIds": ["alice"] }),
                json!({ "userIds": vec![&id; 501] }),
                json!({ "userIds": alice.id }),
            ] {
                let error = socket.refused(event, &wrong, "validation_failed").await;
                assert_eq!(fields(&error), ["userIds"]);
            }
            let error = json!({ "userIds": [{ "$ne": "" }] });
            socket.refused(event, &error, "validation_failed").await;
            socket.done(event, &json!({ "userIds": vec![&id; 500] })).await;
        }
    }

    async fn when_somebody_was_last_seen_outlives_the_server(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let socket = alice.connect("/").await;
        let before = alice.get("/api/auth/me").await.data(200)["user"]["lastSeen"].clone();
        server.restart().await;
        drop(socket);
        let user = bob.get("/api/auth/users").await.data(200)["users"][0].clone();
        assert_eq!(user["isOnline"], false);
        assert!(time(&user["lastSeen"]) >= time(&before));
        assert!(time(&user["lastSeen"]) > time(&user["createdAt"]));
    }
}
