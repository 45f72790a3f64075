//! The embedded store on a full disk: sends are refused, reading goes on, nothing acknowledged is
//! lost, and writing works again when there is room.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::setting::disk::Disk;
use crate::setting::rest::User;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::until;

const ANSWER: Duration = Duration::from_secs(15);
/// Far more than fits.
const MOST: usize = 4000;
/// Sends that must be refused one after the other on the full disk.
const REFUSALS: usize = 50;

async fn send(client: &Client, to: &User, number: usize) -> Value {
    let content = format!("{number:05} {}", "full ".repeat(900));
    let payload =
        json!({ "receiverId": to.id, "content": content, "clientMsgId": number.to_string() });
    client.ask("send_message", &payload, ANSWER).await.expect("the socket stays")
}

/// Sends until the disk is full; the numbers that were acknowledged.
async fn fill(client: &Client, to: &User) -> Vec<usize> {
    let (mut acked, mut refused) = (Vec::new(), 0);
    for number in 0..MOST {
        let ack = send(client, to, number).await;
        if ack["ok"] == true {
            acked.push(number);
            refused = 0;
        } else {
            assert_eq!(ack["error"]["code"], "unavailable", "{ack}");
            refused += 1;
        }
        if refused == REFUSALS {
            return acked;
        }
    }
    panic!("the disk never became full");
}

/// All acknowledged messages are there, once; what else is there was sent.
async fn assert_stored(server: &Server, from: &User, to: &User, acked: &[usize]) {
    let history = server.rest.history(from, to).await;
    let mut stored: Vec<usize> = Vec::new();
    for (message, seq) in history.iter().zip(1..) {
        assert_eq!(message["seq"], seq);
        let number = message["clientMsgId"].as_str().unwrap().parse().unwrap();
        assert!(message["content"].as_str().unwrap().starts_with(&format!("{number:05}")));
        stored.push(number);
    }
    let doubled = stored.len();
    stored.sort_unstable();
    stored.dedup();
    assert_eq!(stored.len(), doubled, "none is there twice");
    let lost = acked.iter().filter(|number| stored.binary_search(number).is_err()).count();
    println!("disk full: acked {}, found {}, lost {lost}", acked.len(), stored.len());
    assert_eq!(lost, 0);
}

async fn assert_writes_again(client: &Client, to: &User, acked: &mut Vec<usize>) {
    let (number, _) = until("writing works again", ANSWER, async || {
        let ack = send(client, to, MOST).await;
        (ack["ok"] == true).then_some(MOST)
    })
    .await;
    acked.push(number);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_grow_refuses_sends_and_loses_nothing() {
    let _turn = turn();
    let mut setup = Setup::embedded().with("LOG_LEVEL", "off");
    setup.limit_files(Some(3 * 1024));
    let mut server = setup.start().await;
    let [from, to] = server.rest.register_all(["from", "peer"]).await;
    let client = Client::connect(server.port(), &from.token).await.unwrap();
    let mut acked = fill(&client, &to).await;
    server.assert_alive();
    assert_stored(&server, &from, &to, &acked).await;
    drop(client);

    server.kill().await;
    server.setup.limit_files(None);
    server.start_again().await;
    let client = Client::connect(server.port(), &from.token).await.unwrap();
    assert_writes_again(&client, &to, &mut acked).await;
    assert_stored(&server, &from, &to, &acked).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_sends_until_there_is_room_and_loses_nothing() {
    let _turn = turn();
    let setup = Setup::embedded();
    let Some(disk) = Disk::mount(setup.directory().join("disk"), "4m") else {
        println!("disk full: mounting is not permitted here, so only the file limit was tried");
        return;
    };
    // The log is on the full disk too, as it often is.
    let mut server = setup.on_disk(disk.path()).start().await;
    let [from, to] = server.rest.register_all(["from", "peer"]).await;
    let client = Client::connect(server.port(), &from.token).await.unwrap();
    let mut acked = fill(&client, &to).await;
    server.assert_alive();
    assert_stored(&server, &from, &to, &acked).await;

    disk.enlarge("64m");
    assert_writes_again(&client, &to, &mut acked).await;
    drop(client);
    server.kill().await;
    server.start_again().await;
    assert_stored(&server, &from, &to, &acked).await;
}
