//! Who is online in a room, and who hears of it (CONTRACT §5, §6).

use serde_json::{Value, json};

use crate::support::{Person, Socket, time};

/// The next change of somebody that a socket hears of.
async fn change(socket: &mut Socket, person: &Person) -> Value {
    socket.expect_where("user_status", |status| status["userId"] == person.id).await
}

async fn summary(person: &Person, room: &str) -> Value {
    person.of_room(room, "/presence").await["summary"].clone()
}

/// Whether `summary` says so many.
#[track_caller]
fn check(summary: &Value, total: u64, online: u64) {
    assert_eq!(summary["totalUsers"], total, "{summary}");
    assert_eq!(summary["onlineUsers"], online, "{summary}");
    assert_eq!(summary["offlineUsers"], total - online, "{summary}");
}

on_every_store! {
    #[set(PRESENCE_GRACE = "100ms")]
    async fn presence_says_who_is_online_and_counts_them(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        let room = server.room_of([&alice, &bob, &carol]).await;
        check(&summary(&alice, &room).await, 3, 0);
        let mut alices = alice.connect("/rooms").await;
        let bobs = bob.enter("/", &room).await;
        let presence = alice.of_room(&room, "/presence").await;
        check(&presence["summary"], 3, 2);
        let all = presence["presence"].as_array().unwrap();
        for (one, (person, status)) in
            all.iter().zip([(&alice, "online"), (&bob, "online"), (&carol, "offline")])
        {
            assert_eq!(one["userId"], person.id.as_str());
            assert_eq!(one["status"], status);
            assert!(one.get("lastSeen").is_some(), "{one}");
        }
        time(&all[0]["lastSeen"]);
        change(&mut alices, &bob).await;
        drop(bobs);
        assert_eq!(change(&mut alices, &bob).await["isOnline"], false);
        check(&summary(&alice, &room).await, 3, 1);
    }

    #[set(PRESENCE_GRACE = "100ms")]
    async fn sockets_in_rooms_hear_who_comes_and_goes(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut watching = [alice.connect("/rooms").await, alice.connect("/").await];
        let bobs = bob.connect("/rooms").await;
        for socket in &mut watching {
            let status = change(socket, &bob).await;
            assert_eq!((&status["isOnline"], &status["status"]), (&json!(true), &json!("online")));
            time(&status["lastSeen"]);
            time(&status["timestamp"]);
        }
        drop(bobs);
        for socket in &mut watching {
            let status = change(socket, &bob).await;
            assert_eq!(status["isOnline"], false);
            assert_eq!(status["status"], "offline");
        }
    }

    #[set(PRESENCE_AUDIENCE = "contacts", PRESENCE_GRACE = "100ms")]
    async fn those_who_share_a_room_are_contacts(server) {
        let [alice, bob, carol, dave] = server.people(["alice", "bob", "carol", "dave"]).await;
        let room = server.room_of([&alice, &bob]).await;
        server.room_of([&carol, &dave]).await;
        let mut bobs = bob.connect("/rooms").await;
        let mut daves = dave.connect("/").await;
        let alices = alice.connect("/rooms").await;
        assert_eq!(change(&mut bobs, &alice).await["isOnline"], true);
        let carols = carol.connect("/").await;
        assert_eq!(change(&mut daves, &carol).await["isOnline"], true);
        drop(alices);
        assert_eq!(change(&mut bobs, &alice).await["isOnline"], false);
        drop(carols);
        assert_eq!(change(&mut daves, &carol).await["isOnline"], false);
        let strangers = |told: &[Value], person: &Person| {
            told.iter().any(|status| status["userId"] == person.id.as_str())
        };
        assert!(!strangers(&daves.all("user_status").await, &alice));
        assert!(!strangers(&bobs.all("user_status").await, &carol));
        // Who has left shares it no more.
        bob.leave_room(&room).await;
        server.room_of([&alice, &dave]).await;
        let _again = alice.connect("/").await;
        assert_eq!(change(&mut daves, &alice).await["isOnline"], true);
        assert!(!strangers(&bobs.all("user_status").await, &alice));
    }
}
