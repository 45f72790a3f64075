//! Clients that send and vanish: nothing is left of them but the messages they sent.

use std::time::Duration;

use futures_util::SinkExt;
use futures_util::future::join_all;
use serde_json::json;

use crate::client::{self, Client};
use crate::setting::rest::User;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::until;

const ROUNDS: usize = 200;
/// Rounds before the memory is measured: caches and the allocator have taken theirs by then.
const WARM_UP: usize = 50;
const AT_ONCE: usize = 5;
/// Events that a client sends; the first is a message. More messages would be measured as the
/// database's caches, which grow with what is stored.
const BURST: u64 = 10;
/// A socket that is leaked costs some 28 KiB: 750 of them cost 21 MiB.
const MOST_GROWTH_KIB: u64 = 10 * 1024;
const GONE: Duration = Duration::from_secs(15);

/// How a client goes.
#[derive(Clone, Copy)]
enum Farewell {
    /// The machine is gone: the connection is reset.
    Reset,
    /// The process is gone: the system closes its connection.
    Close,
    /// It does not even wait to hear that it is connected.
    Early,
}

async fn send_and_vanish(port: u16, from: &User, to: &User, farewell: Farewell) {
    let auth = json!({ "token": from.token });
    let mut socket = match farewell {
        Farewell::Early => {
            let mut socket = client::open(port, None).await.unwrap();
            socket.send(format!("40{auth}").into()).await.unwrap();
            socket
        }
        _ => client::join(port, &auth, None).await.unwrap(),
    };
    if !matches!(farewell, Farewell::Early) {
        for number in 0..BURST {
            let payload = json!({ "receiverId": to.id, "content": format!("burst {number}") });
            let name = if number == 0 { "send_message" } else { "typing_start" };
            // The server may be faster to close than the burst is to be sent.
            let _ = socket.feed(client::event(number, name, &payload)).await;
        }
        let _ = socket.flush().await;
    }
    if !matches!(farewell, Farewell::Close) {
        client::reset(&socket);
    }
}

async fn round(server: &Server, users: &[User; 2], round: usize) {
    let farewell = [Farewell::Reset, Farewell::Close, Farewell::Early][round % 3];
    let [from, to] = users;
    let all = (0..AT_ONCE).map(|_| send_and_vanish(server.port(), from, to, farewell));
    join_all(all).await;
}

async fn all_gone(server: &Server, left: u64) {
    let gone = async || (server.rest.sockets().await == left).then_some(());
    until("the vanished sockets are gone", GONE, gone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vanishing_clients_leave_no_socket_nobody_online_and_no_memory() {
    let _turn = turn();
    let setup = Setup::embedded().with("PRESENCE_GRACE", "1s");
    // A start of typing costs a timer until it ends.
    let mut server = setup.with("TYPING_TIMEOUT", "200ms").start().await;
    let [from, to, watching] = server.rest.register_all(["from", "peer", "watching"]).await;
    let users = [from, to];
    let mut watcher = Client::connect(server.port(), &watching.token).await.unwrap();
    for number in 0..WARM_UP {
        round(&server, &users, number).await;
    }
    all_gone(&server, 1).await;
    let before = server.memory();
    for number in 0..ROUNDS {
        round(&server, &users, number).await;
    }
    all_gone(&server, 1).await;
    watcher.sees_offline(&users[0].id, GONE).await;
    let offline = async || (!server.rest.is_online(&users[0], &watching).await).then_some(());
    until("the directory shows it offline", GONE, offline).await;
    let after = server.memory();
    let stored = server.rest.history(&users[0], &users[1]).await;
    println!(
        "vanishing: {ROUNDS} rounds of {AT_ONCE} clients, {} of their messages stored; memory \
         {before} KiB before, {after} KiB after",
        stored.len()
    );
    for (message, seq) in stored.iter().zip(1..) {
        assert_eq!(message["seq"], seq);
    }
    server.assert_alive();
    assert!(after < before + MOST_GROWTH_KIB, "{before} KiB grew to {after} KiB");
}
