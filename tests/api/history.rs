//! Looking back: `GET /api/messages/:userId` (CONTRACT §4).

use serde_json::Value;

use crate::chat::{seqs, to};
use crate::support::{Person, Socket};

/// Sends numbered messages and waits for the last ack.
pub(crate) async fn send_many(socket: &mut Socket, receiver: &Person, count: usize) -> Vec<Value> {
    let payloads: Vec<_> = (1..=count).map(|number| to(receiver, &number.to_string())).collect();
    socket.send_all(&payloads).await
}

on_every_store! {
    async fn pages_are_oldest_first_and_the_newest_page_comes_first(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        send_many(&mut alice.connect("/").await, &bob, 60).await;
        let seqs = async |person: &Person, other: &Person, query| {
            seqs(&person.history(other, query).await)
        };
        let span = |range: std::ops::RangeInclusive<i64>| range.collect::<Vec<_>>();
        for (query, expected) in [
            ("", span(11..=60)),
            ("?limit=10", span(51..=60)),
            ("?limit=10&skip=10", span(41..=50)),
            ("?limit=50&skip=50", span(1..=10)),
            ("?skip=60", vec![]),
            ("?limit=10&before=11", span(1..=10)),
            ("?limit=5&before=11", span(6..=10)),
            ("?before=1", vec![]),
            ("?limit=10&after=50", span(51..=60)),
            ("?limit=5&after=50", span(51..=55)),
            ("?limit=3&after=0", span(1..=3)),
            ("?after=60", vec![]),
            ("?limit=200", span(1..=60)),
            ("?limit=100000", span(1..=60)),
        ] {
            assert_eq!(seqs(&alice, &bob, query).await, expected, "{query}");
            assert_eq!(seqs(&bob, &alice, query).await, expected, "{query} of the other one");
        }
    }

    async fn a_page_has_200_messages_at_most(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        send_many(&mut alice.connect("/").await, &bob, 205).await;
        let page = alice.history(&bob, "?limit=205").await;
        assert_eq!(seqs(&page), (6..=205).collect::<Vec<_>>());
    }

    async fn a_page_shows_messages_as_they_were_sent(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut socket = alice.connect("/").await;
        let _bobs = bob.connect("/").await;
        let sent = send_many(&mut socket, &bob, 3).await;
        assert_eq!(alice.history(&bob, "").await, sent);
        assert_eq!(bob.history(&alice, "").await, sent);
    }

    async fn a_history_is_of_the_two_alone(server) {
        let [alice, bob, carol] = server.people(["alice", "bob", "carol"]).await;
        send_many(&mut alice.connect("/").await, &bob, 3).await;
        assert!(carol.history(&alice, "").await.is_empty());
        assert!(carol.history(&bob, "").await.is_empty());
        assert!(alice.history(&carol, "").await.is_empty());
    }

    async fn what_is_asked_wrongly_is_told_by_field(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        for (query, field) in [
            ("?limit=0", "limit"),
            ("?limit=-1", "limit"),
            ("?limit=many", "limit"),
            ("?limit=1.5", "limit"),
            ("?skip=-1", "skip"),
            ("?skip=x", "skip"),
            ("?before=x", "before"),
            ("?after=-1", "after"),
            ("?before=5&after=1", "before"),
            ("?before=5&skip=1", "before"),
            ("?limit=1&limit=2", "query"),
            ("?limit[$gt]=1&limit=", "limit"),
        ] {
            let answer = alice.get(&format!("/api/messages/{}{query}", bob.id)).await;
            assert_eq!(answer.wrong_fields(), [field], "{query}");
        }
    }

    async fn the_other_one_must_exist(server) {
        let alice = server.register("alice").await;
        let nobody = format!("/api/messages/{}", "0".repeat(24));
        alice.get(&nobody).await.refused(404, "not_found");
        for no_id in ["bob", "123", "%7B%22$gt%22:%22%22%7D"] {
            let answer = alice.get(&format!("/api/messages/{no_id}")).await;
            answer.refused(400, "validation_failed");
        }
    }
}
