//! Erasing an account: nothing of it is left, and nobody else misses anything.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::exporting::exported;
use super::{erase, program, run, start_erasing, texts};
use crate::at_rest::everything_in_store;
use crate::chat::{send, seqs, to};
use crate::support::orders::{at, moved, tea, which};
use crate::support::rest::{PASSWORD, PATIENCE};
use crate::support::{Person, Server, Socket};

/// What is alice's, and in nothing that stays.
const OWN: [&str; 12] = [
    "alice",
    "example.com/a.png",
    "Liddell",
    "to Bob alone",
    "to Dan alone",
    "a key of hers",
    "to the kitchen",
    "Looking-Glass Lane",
    "ring twice",
    "an order key",
    "changed her mind",
    "picture.example",
];

struct World {
    alice: Person,
    bob: Person,
    dan: Person,
    room: String,
    order: Value,
    sockets: Vec<Socket>,
}

/// Alice writes to two, owns a room, has an order brought and cancels another.
async fn world(server: &Server) -> World {
    let [alice, bob] = server.people(["alice", "bob"]).await;
    let dan = server.driver("dan").await;
    let profile = json!({ "name": "Alice Liddell", "image": "https://example.com/a.png" });
    alice.patch("/api/auth/me", &profile).await.data(200);
    let (mut alices, mut bobs) = (alice.connect("/").await, bob.connect("/").await);
    for n in 0..3 {
        send(&mut alices, &bob, &format!("to Bob alone {n}")).await;
        send(&mut bobs, &alice, &format!("from Bob {n}")).await;
    }
    let mut image = to(&bob, "https://picture.example/1.png");
    image["messageType"] = json!("image");
    image["clientMsgId"] = json!("a key of hers");
    alices.done("send_message", &image).await;
    send(&mut alices, &dan, "to Dan alone").await;
    let room = server.room_of([&alice, &bob, &dan]).await;
    alices.enter(&room).await;
    bobs.enter(&room).await;
    for _ in 0..2 {
        alices.say(&room, "to the kitchen").await;
        bobs.say(&room, "from the kitchen").await;
    }
    let mut dans = dan.connect("/").await;
    let mut body = tea();
    body["dropoff"] = json!({ "address": "Looking-Glass Lane 1" });
    body["note"] = json!("ring twice");
    body["clientOrderId"] = json!("an order key");
    let order = alices.done("placeOrder", &body).await["order"].clone();
    dans.done("orderAccept", &which(&order)).await;
    for status in ["outForDelivery", "delivered"] {
        dans.done("updateOrderStatus", &moved(&order, status)).await;
    }
    let other = alices.done("placeOrder", &tea()).await["order"].clone();
    let mut cancel = which(&other);
    cancel["reason"] = json!("changed her mind");
    alices.done("cancelOrder", &cancel).await;
    World { alice, bob, dan, room, order, sockets: vec![alices, bobs] }
}

/// Everything that others have of it, without what tells the time of the question.
async fn seen_by_others(world: &World) -> Vec<Value> {
    let World { alice, bob, room, order, dan, .. } = world;
    let named = json!({ "conversations": { room: 0 }, "since": "2000-01-01T00:00:00.000Z" });
    let synced = bob.connect("/").await.done("sync", &named).await;
    assert_eq!(synced["more"], false);
    vec![
        Value::from(bob.history(alice, "").await),
        synced["messages"].clone(),
        Value::from(bob.room_page(room, "?pageSize=50").await),
        bob.get("/api/conversations").await.data(200)["conversations"].clone(),
        dan.order(order).await,
    ]
}

on_every_store! {
    #[set(PRESENCE_GRACE = "100ms")]
    async fn nothing_is_left_of_it_and_others_miss_nothing(server) {
        let mut world = world(server).await;
        let before = seen_by_others(&world).await;
        let stored = everything_in_store(server).await;
        for own in OWN {
            assert!(stored.contains(own), "{own} is stored before");
        }
        erase(server, &world.alice.id).await;

        world.sockets[0].expect_gone().await;
        let (alice, bob) = (&world.alice, &world.bob);
        assert_eq!(alice.get("/api/auth/me").await.status, 401);
        assert_eq!(alice.refresh().await.status, 401);
        for body in [
            json!({ "username": "alice", "password": PASSWORD }),
            json!({ "email": alice.email, "password": PASSWORD }),
            json!({ "username": format!("~{}", alice.id), "password": PASSWORD }),
        ] {
            assert_eq!(server.post("/api/auth/login", &body).await.status, 401);
        }
        let after = seen_by_others(&world).await;
        let [history, synced, room, inbox, order] = &after[..] else { panic!() };
        let list = |value: &Value| value.as_array().unwrap().clone();
        assert_eq!(seqs(&list(history)), (1..=7).collect::<Vec<_>>());
        let deleted = "[deleted]";
        assert_eq!(
            texts(&list(history)),
            [deleted, "from Bob 0", deleted, "from Bob 1", deleted, "from Bob 2", deleted]
        );
        // The same ids, times and numbers in the same order, everywhere.
        let places = |value: &Value| -> Vec<Value> {
            let place = |one: &Value| json!([one["id"], one["seq"], one["createdAt"], one["readAt"]]);
            list(value).iter().map(place).collect()
        };
        for (before, after) in before.iter().zip([history, synced, room]) {
            assert_eq!(places(before), places(after));
        }
        for message in [list(history), list(synced), list(room)].concat() {
            let is_hers = message["sender"]["_id"] == alice.id.as_str();
            assert_eq!(message["content"] == deleted, is_hers, "{message}");
            assert_eq!(message["isDeleted"] == true, is_hers, "{message}");
            assert_eq!(message["sender"]["username"] == "deleted user", is_hers, "{message}");
            assert_eq!(message["messageType"], "text");
        }
        assert_eq!(list(room).len(), 4);
        let with_her = list(inbox).into_iter().find(|one| one["peer"]["_id"] == alice.id.as_str());
        let with_her = with_her.unwrap();
        assert_eq!(with_her["lastMessage"]["content"], deleted);
        assert_eq!((&with_her["lastSeq"], &with_her["peer"]["username"]), (&json!(7), &json!("deleted user")));
        // The room went on to who was in it longest.
        let members = bob.of_room(&world.room, "/members").await;
        assert_eq!(members["count"], 2, "{members}");
        let owner = bob.get(&format!("/rooms/{}", world.room)).await.data(200)["room"]["ownerId"].clone();
        assert_eq!(owner, bob.id.as_str());
        // What accounts are made of stays.
        for kept in ["id", "orderNumber", "items", "total", "earnings", "status", "userId", "createdAt", "updatedAt"] {
            assert_eq!(order[kept], before[4][kept], "{kept}");
        }
        assert_eq!((&order["dropoff"], order.get("note")), (&Value::Null, None));
        assert_eq!(world.dan.get(&at(&world.order, "")).await.status, 200);

        let stored = everything_in_store(server).await;
        for own in OWN {
            let place = stored.find(own).map(|at| stored[at.saturating_sub(80)..].chars().take(200).collect::<String>());
            assert_eq!(place, None, "{own} is left");
        }
        assert!(stored.contains("from Bob 2"), "nothing read");
        assert_eq!(exported(alice).await["lastSeen"], Value::Null);

        // Nobody is there any more to write to, and the name is free.
        let gone = world.sockets[1].refused("send_message", &to(alice, "hello?"), "not_found").await;
        assert_eq!(gone["code"], "not_found");
        let users = bob.get("/api/auth/users").await.data(200);
        let names: Vec<_> = users["users"].as_array().unwrap().iter().map(|one| &one["username"]).collect();
        assert_eq!(names, ["dan"]);
        erase(server, &alice.id).await;
        let heir = server.register("alice").await;
        assert!(heir.history(bob, "").await.is_empty());
        assert_eq!(texts(&bob.history(alice, "").await).len(), 7);
    }

    #[set(PRESENCE_GRACE = "100ms")]
    async fn a_driver_leaves_no_trace_of_the_way(server) {
        let [alice, dan] = [server.register("alice").await, server.driver("dan").await];
        let mut dans = dan.connect("/orders").await;
        let order = alice.place(&tea()).await;
        dans.done("orderAccept", &which(&order)).await;
        for n in 0..5 {
            let place = json!({ "latitude": 48.123_456 + f64::from(n), "longitude": 16.5 });
            dans.done("location_update", &place).await;
        }
        let refused = run(server, &["erase-user", &dan.id, "--yes"]).await;
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(refused.status.code() == Some(1) && told.contains("have not ended: 1;"), "{told}");
        assert_eq!(dan.get("/api/auth/me").await.status, 200, "nothing was done");
        for status in ["outForDelivery", "delivered"] {
            dans.done("updateOrderStatus", &moved(&order, status)).await;
        }
        let before = exported(&dan).await;
        assert_eq!(before["positions"].as_array().unwrap().len(), 5, "{before}");
        erase(server, &dan.id).await;
        dans.expect_gone().await;
        let left = exported(&dan).await;
        assert_eq!((&left["positions"], &left["lastPosition"]), (&json!([]), &Value::Null), "{left}");
        assert_eq!((&left["loginSessions"], &left["account"]["username"]), (&json!([]), &json!("deleted user")));
        assert_eq!(left["earnings"][0]["orders"], 1, "{left}");
        let track = alice.get(&at(&order, "/track")).await.data(200);
        assert_eq!(track["positions"].as_array().map_or(0, Vec::len), 0, "{track}");
        let order = alice.order(&order).await;
        assert_eq!(order["driver"]["username"], "deleted user", "{order}");
        assert_eq!(order["status"], "delivered");
    }

    #[set(PRESENCE_GRACE = "60s")]
    async fn a_server_that_stops_meanwhile_is_not_waited_for(server) {
        if server.mongodb_uri().is_some() {
            // There the command does it itself.
            return;
        }
        let alice = server.register("alice").await;
        let mut erasing = start_erasing(server, &alice.id);
        let mut lines = BufReader::new(erasing.stderr.take().unwrap()).lines();
        let mut line = async || timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        let asked = line().await;
        assert!(asked.contains("the running server is asked, and waited for"), "{asked}");
        server.stop().await;
        let problem = line().await;
        assert!(problem.contains("the erasure is not finished: the server that was asked has stopped"), "{problem}");
        assert_eq!(erasing.wait().await.unwrap().code(), Some(1));
        // Nobody is on its way any more.
        erase(server, &alice.id).await;
        server.start_with(&[]).await;
    }

    async fn without_a_yes_it_says_what_it_would_do(server) {
        let alice = server.register("alice").await;
        for named in [&alice.id, "Alice", "alice@example.com"] {
            let output = run(server, &["erase-user", named]).await;
            assert_eq!(output.status.code(), Some(1));
            let told = String::from_utf8(output.stdout).unwrap();
            assert!(told.contains(&alice.id) && told.contains("alice@example.com"), "{told}");
            assert!(String::from_utf8(output.stderr).unwrap().contains("--yes"));
        }
        assert_eq!(alice.get("/api/auth/me").await.status, 200);
        for arguments in [vec!["erase-user", "nobody", "--yes"], vec!["export-user", "nobody"]] {
            let output = run(server, &arguments).await;
            assert_eq!(output.status.code(), Some(1));
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.starts_with("nothing was ") && told.contains("no user nobody"), "{told}");
        }
        if server.mongodb_uri().is_none() {
            let elsewhere = server.dir().join("elsewhere");
            let mut erasing = program(server, &["erase-user", &alice.id, "--yes"]);
            let output = erasing.env("DATA_DIR", &elsewhere).output().await.unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.contains("there is no database at"), "{told}");
            assert!(!elsewhere.exists(), "one was made");
        }
    }
}
