//! A flood of logins: what waits is bounded, and nothing else stops (CONTRACT §1).

use std::cell::Cell;

use futures_util::future::join_all;
use serde_json::json;

/// More than can wait, on any machine on which tests run.
const FLOOD: usize = 400;

on_every_store! {
    #[set(BCRYPT_COST = "9")]
    async fn a_flood_of_logins_is_unavailable_at_once_and_stops_no_socket(server) {
        let alice = server.register("alice").await;
        let mut socket = alice.connect("/").await;
        let body = json!({ "username": "alice", "password": "not the password" });
        let over = Cell::new(false);
        let flood = async {
            let logins = (0..FLOOD).map(|_| server.post("/api/auth/login", &body));
            let answers = join_all(logins).await;
            over.set(true);
            answers
        };
        let talk = async {
            let mut answered = 0;
            while !over.get() {
                socket.round_trip().await;
                answered += 1;
            }
            answered
        };
        let (answers, answered) = tokio::join!(flood, talk);
        let (busy, tried): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| answer.status == 503);
        assert!(!busy.is_empty() && tried.len() >= 64, "{} of {FLOOD} tried", tried.len());
        for answer in &busy {
            answer.refused(503, "unavailable");
            let seconds: u64 = answer.header("retry-after").parse().unwrap();
            assert!((1..=60).contains(&seconds), "{answer:?}");
        }
        for answer in &tried {
            answer.refused(401, "unauthenticated");
        }
        // One that waits for the passwords is answered when the flood is over.
        assert!(answered >= 20, "a socket was answered {answered} times meanwhile");
        // Then there is room again, for every use of a password.
        server.log_in("alice").await;
        server.register("bob").await;
    }
}
