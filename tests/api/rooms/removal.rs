//! A member whose membership ends stops receiving at once: nothing stored after that reaches them,
//! however much is said meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::chat::seqs;
use crate::support::rooms::{into, named};
use crate::support::transport::Packet;
use crate::support::{Person, Server, Socket};

/// How a membership ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Removed,
    Left,
}

/// Several senders who fill a room until they are told to stop.
async fn fill(person: &Person, room: &str, stop: &AtomicBool, sent: &AtomicU64) {
    let mut socket = person.enter("/rooms", room).await;
    while !stop.load(Ordering::SeqCst) {
        let asked: Vec<_> =
            (0..4).map(|_| socket.ask("send_message", &into(room, "flood"))).collect();
        for id in asked {
            assert_eq!(socket.ack(id).await["ok"], true);
            sent.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn until(sent: &AtomicU64, count: u64) {
    while sent.load(Ordering::SeqCst) < count {
        tokio::task::yield_now().await;
    }
}

/// What a socket has heard of, up to now.
async fn heard(socket: &mut Socket) -> Vec<i64> {
    seqs(&socket.all("receive_message").await)
}

/// Whether the next thing of interest at a socket is that it is out of the room; else it is a
/// message.
async fn hears_the_end(socket: &mut Socket) -> Option<Value> {
    socket
        .take("left_room or receive_message", |packet| match packet {
            Packet::Event { name, .. } if name == "left_room" => Some(None),
            Packet::Event { name, payload, .. } if name == "receive_message" => {
                Some(Some(payload.clone()))
            }
            _ => None,
        })
        .await
}

/// The messages of a room, all of them, by `seq`.
async fn stored(person: &Person, room: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map_or(0, |last| last["seq"].as_i64().unwrap());
        let mut page = person.room_page(room, &format!("?after={after}&pageSize=200")).await;
        if page.is_empty() {
            return all;
        }
        page.reverse();
        all.extend(page);
    }
}

/// One round: senders fill the room, a member's membership ends in the middle of that. Whatever
/// was stored after the answer that it has ended must not reach them.
async fn one_round(server: &Server, people: &[Person; 5], round: u64, end: End, insists: bool) {
    let [alice, remaining, victim, senders @ ..] = people;
    let room = server.room_of([alice, remaining, victim, &senders[0], &senders[1]]).await;
    let mut watching = remaining.enter("/", &room).await;
    let mut victims = [victim.enter("/", &room).await, victim.enter("/rooms", &room).await];
    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let filling = futures_util::future::join_all(
        [alice, &senders[0], &senders[1]].map(|person| fill(person, &room, &stop, &sent)),
    );
    let ending = async {
        until(&sent, 5 + round * 3).await;
        match end {
            End::Removed => {
                alice.remove(&room, victim).await.data(200);
            }
            End::Left => victim.leave_room(&room).await,
        }
        // Everything that is sent from here on is stored after the end.
        let mut marking = remaining.enter("/rooms", &room).await;
        let marker = marking.say(&room, "after the end").await["seq"].as_i64().unwrap();
        let now = sent.load(Ordering::SeqCst);
        until(&sent, now + 40).await;
        stop.store(true, Ordering::SeqCst);
        marker
    };
    let insisting = async {
        if !insists {
            return;
        }
        // A client that does not believe it, and asks to come in again all the time.
        let mut socket = victim.connect("/rooms").await;
        while !stop.load(Ordering::SeqCst) {
            socket.emit_ack("join_room", &named(&room)).await;
        }
        assert_eq!(socket.emit_ack("join_room", &named(&room)).await["ok"], false);
        let came = heard(&mut socket).await;
        expect_only_before(&came, alice, &room).await;
    };
    let (_, marker, ()) = tokio::join!(filling, ending, insisting);
    let all = stored(alice, &room).await;
    let last = all.last().unwrap()["seq"].as_i64().unwrap();
    assert_eq!(seqs(&all), (1..=last).collect::<Vec<_>>());
    watching.hear(last).await;
    let mut seen = heard(&mut watching).await;
    seen.push(last);
    assert_eq!(seen, seqs(&all), "a remaining member sees everything that is stored");
    for socket in &mut victims {
        let mut came = Vec::new();
        while let Some(message) = hears_the_end(socket).await {
            came.push(message["seq"].as_i64().unwrap());
        }
        let cut = came.last().copied().unwrap_or(0);
        assert_eq!(came, (1..=cut).collect::<Vec<_>>(), "no gap before the end");
        assert!(cut < marker, "round {round}, {end:?}: {cut} came, the end was before {marker}");
        assert_eq!(heard(socket).await, [] as [i64; 0], "round {round}, {end:?}: after the end");
    }
}

/// That nothing of what came was said after the end of a membership.
async fn expect_only_before(came: &[i64], person: &Person, room: &str) {
    let all = stored(person, room).await;
    let marker = all.iter().find(|message| message["content"] == "after the end").unwrap();
    let marker = marker["seq"].as_i64().unwrap();
    assert!(came.iter().all(|seq| *seq < marker), "{came:?}, and the end was before {marker}");
}

async fn people(server: &Server) -> [Person; 5] {
    server.people(["alice", "remaining", "victim", "sender1", "sender2"]).await
}

on_every_store! {
    async fn who_is_removed_gets_nothing_that_was_stored_later(server) {
        let people = people(server).await;
        for round in 0..8 {
            one_round(server, &people, round, End::Removed, false).await;
        }
    }

    async fn who_leaves_gets_nothing_that_was_stored_later(server) {
        let people = people(server).await;
        for round in 0..8 {
            one_round(server, &people, round, End::Left, false).await;
        }
    }

    async fn who_is_removed_and_insists_gets_nothing_that_was_stored_later(server) {
        let people = people(server).await;
        for round in 0..8 {
            one_round(server, &people, round, End::Removed, true).await;
        }
    }

    async fn who_is_removed_can_look_back_at_nothing(server) {
        let people = people(server).await;
        let [alice, _, victim, ..] = &people;
        let room = server.room_of([alice, victim]).await;
        let message = alice.enter("/", &room).await.say(&room, "hello").await;
        alice.remove(&room, victim).await.data(200);
        let id = message["id"].as_str().unwrap();
        for rest in ["/messages", "/members", "/presence", &format!("/messages/{id}/receipts")] {
            let path = crate::support::rooms::at(&room, rest);
            victim.get(&path).await.refused(403, "forbidden");
        }
        let mut socket = victim.connect("/").await;
        let payload = json!({ "roomId": room, "messageIds": [id] });
        socket.denied("mark_messages_read", &payload, "forbidden").await;
        socket.denied("message_read", &json!({ "messageId": id }), "not_found").await;
        let named = json!({ "conversations": { &room: 0 } });
        let answer = socket.done("sync", &named).await;
        assert_eq!(answer["messages"], json!([]));
    }
}
