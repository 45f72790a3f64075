//! SIGTERM under load: clients are told, what was acknowledged is stored, and the next start goes
//! on where this one ended.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::client::Client;
use crate::load::Load;
use crate::setting::mongod::Mongod;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;

/// CONTRACT §9.
const STOP: Duration = Duration::from_secs(10);
const BETWEEN: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(60);
const LISTENERS: usize = 10;

async fn listen(server: &Server, load: &Load) -> Vec<Client> {
    let mut clients = Vec::new();
    let people: Vec<_> = load.people().collect();
    for user in people.iter().cycle().take(LISTENERS) {
        clients.push(Client::connect(server.port(), &user.token).await.unwrap());
    }
    clients
}

/// How many were told before their transport ended.
async fn told(clients: Vec<Client>) -> usize {
    let mut told = 0;
    for mut client in clients {
        let events = client.drained(PATIENCE).await;
        told += events.iter().filter(|(name, _)| name == "server_shutdown").count();
    }
    told
}

async fn stop_and_count(store: &str, setup: Setup) {
    let mut server = setup.start().await;
    let mut load = Load::start(&server).await;
    let listeners = listen(&server, &load).await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    load.assert_running();
    let (status, took) = server.terminate(STOP * 2).await;
    let told = told(listeners).await;
    server.start_again().await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    let ledger = load.ledger.clone();
    let tally = load.finish(&server).await;
    let refused = ledger.unavailable.load(Ordering::SeqCst);
    println!(
        "shutdown on {store}: stopped in {took:?} with {status}, {told} of {LISTENERS} listeners \
         told, {refused} sends refused; {tally}"
    );
    assert!(status.success(), "{status}");
    assert!(took <= STOP, "{took:?}");
    assert_eq!(told, LISTENERS);
    tally.assert_whole();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_tells_clients_and_loses_nothing_on_the_embedded_store() {
    let _turn = turn();
    stop_and_count("embedded", Setup::embedded()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_under_load_tells_clients_and_loses_nothing_on_mongodb() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    stop_and_count("mongodb", Setup::mongo(&mongod)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_while_mongod_is_gone_ends_in_time() {
    let _turn = turn();
    let mongod = Mongod::start().await;
    let mut server = Setup::mongo(&mongod).start().await;
    let load = Load::start(&server).await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    mongod.kill().await;
    let (status, took) = server.terminate(STOP * 2).await;
    println!("shutdown without mongod: stopped in {took:?} with {status}");
    assert!(status.success(), "{status}");
    assert!(took <= STOP, "{took:?}");
    // What was acknowledged before is there when both are back.
    mongod.start_again().await;
    server.start_again().await;
    load.ledger.await_more(BETWEEN, PATIENCE).await;
    let tally = load.finish(&server).await;
    println!("shutdown without mongod: {tally}");
    tally.assert_whole();
}
