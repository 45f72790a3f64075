//! The database goes away under load while the server stays up: killed, and frozen.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::load::Load;
use crate::setting::mongod::Mongod;
use crate::setting::rest::User;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::until;

const KILLS: usize = 5;
const BETWEEN: usize = 200;
/// For an outage to be noticed by everybody, and for the end of one.
const PATIENCE: Duration = Duration::from_secs(60);
/// Any answer comes within this, however many events of its socket wait before it.
const ANSWER: Duration = Duration::from_secs(15);
/// Sends that one client has under way when the database goes.
const PIPELINED: usize = 20;

async fn assert_recovered(server: &Server, load: &mut Load) {
    server.await_ready().await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    load.assert_running();
}

/// Waits until sends are refused and the server says that it is not ready.
async fn assert_noticed(server: &Server, load: &Load) -> Duration {
    let before = load.ledger.unavailable.load(Ordering::SeqCst);
    let refused = async || (load.ledger.unavailable.load(Ordering::SeqCst) > before).then_some(());
    let (_, noticed) = until("sends are refused", ANSWER, refused).await;
    assert_eq!(server.rest.ready().await, 503);
    noticed
}

fn message(to: &User, number: usize) -> Value {
    json!({ "receiverId": to.id, "content": format!("pipelined {number}"), "clientMsgId": format!("p{number}") })
}

/// Many sends at once on one socket; gives how long the last answer took, and how many were refused.
async fn pipeline(client: &Client, to: &User) -> (Duration, usize) {
    let started = Instant::now();
    let mut answers = Vec::new();
    for number in 0..PIPELINED {
        answers.push(client.emit("send_message", &message(to, number)).await.unwrap());
    }
    let mut refused = 0;
    for answer in answers {
        let left = ANSWER.saturating_sub(started.elapsed());
        let answer = tokio::time::timeout(left, answer).await;
        let answer = answer.expect("every answer comes in time").expect("the socket stays");
        assert!(answer["ok"] == true || answer["error"]["code"] == "unavailable", "{answer}");
        refused += usize::from(answer["ok"] != true);
    }
    (started.elapsed(), refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acked_is_lost_or_doubled_when_mongod_is_killed() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    let mut server = Setup::mongo(&mongod).start().await;
    let mut load = Load::start(&server).await;
    let mut noticed = Duration::ZERO;
    for kill in 0..KILLS {
        load.ledger.await_more(BETWEEN, PATIENCE).await;
        mongod.kill().await;
        // One outage is long enough for everybody to hear of it.
        if kill == 0 {
            noticed = assert_noticed(&server, &load).await;
        }
        mongod.start_again().await;
        assert_recovered(&server, &mut load).await;
    }
    let ledger = load.ledger.clone();
    let tally = load.finish(&server).await;
    server.assert_alive();
    let refused = ledger.unavailable.load(Ordering::SeqCst);
    println!(
        "kill_mongod: kills={KILLS} {tally}; first refusal after {noticed:?}, {refused} sends \
         unavailable, slowest answer {:?}",
        ledger.slowest()
    );
    tally.assert_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_under_way_when_mongod_froze_is_stored_once() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    let server = Setup::mongo(&mongod).start().await;
    let mut load = Load::start(&server).await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    mongod.freeze();
    let noticed = assert_noticed(&server, &load).await;
    mongod.thaw();
    assert_recovered(&server, &mut load).await;
    let ledger = load.ledger.clone();
    let tally = load.finish(&server).await;
    println!(
        "mongod frozen: {tally}; first refusal after {noticed:?}, slowest answer {:?}",
        ledger.slowest()
    );
    tally.assert_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sends_of_one_socket_are_all_answered_in_time_while_mongod_is_gone() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    let server = Setup::mongo(&mongod).start().await;
    let [sender, receiver] = server.rest.register_all(["sender", "receiver"]).await;
    let client = Client::connect(server.port(), &sender.token).await.unwrap();
    mongod.kill().await;
    let (took, refused) = pipeline(&client, &receiver).await;
    assert_eq!(refused, PIPELINED);
    mongod.start_again().await;
    // The same again: none of them is stored twice.
    until("sends are taken again", PATIENCE, async || {
        let ack = client.ask("send_message", &message(&receiver, 0), ANSWER).await.unwrap();
        (ack["ok"] == true).then_some(())
    })
    .await;
    let (_, refused) = pipeline(&client, &receiver).await;
    assert_eq!(refused, 0);
    let history = server.rest.history(&sender, &receiver).await;
    println!(
        "{PIPELINED} sends of one socket refused within {took:?}; {} stored later",
        history.len()
    );
    assert_eq!(history.len(), PIPELINED);
}
