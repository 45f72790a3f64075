//! Bytes that are no text, and packets that are too large: the connection that brings them ends as
//! it does in Node, or gets its answer; everybody else is served on.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::client::{self, Client, Socket};
use crate::setting::rest::User;
use crate::setting::server::{Server, Setup};
use crate::setting::turn;
use crate::setting::wait::{until, within};

const LIMIT: Duration = Duration::from_secs(15);

async fn scene() -> (Server, [User; 2], Socket) {
    let server = Setup::embedded().start().await;
    let [from, to] = server.rest.register_all(["from", "peer"]).await;
    let socket = client::join(server.port(), &json!({ "token": from.token }), None).await.unwrap();
    (server, [from, to], socket)
}

async fn assert_closed(server: &mut Server, users: &[User; 2], mut socket: Socket) {
    within("the connection ends", LIMIT, async {
        while let Some(Ok(message)) = socket.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    })
    .await;
    until("its socket is gone", LIMIT, async || (server.rest.sockets().await == 0).then_some(()))
        .await;
    assert_serves(server, users).await;
}

async fn assert_serves(server: &mut Server, [from, to]: &[User; 2]) {
    let client = Client::connect(server.port(), &from.token).await.unwrap();
    let payload = json!({ "receiverId": to.id, "content": "still fine" });
    let ack = client.ask("send_message", &payload, LIMIT).await.unwrap();
    assert_eq!(ack["ok"], true, "{ack}");
    assert_eq!(server.rest.history(from, to).await.len(), 1);
    server.assert_alive();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_packet_over_a_megabyte_ends_its_connection_only() {
    let _turn = turn();
    let (mut server, users, mut socket) = scene().await;
    let payload = json!({ "receiverId": users[1].id, "content": "m".repeat(1_000_001) });
    // The server may close before all of it is written.
    let _ = socket.send(client::event(1, "send_message", &payload)).await;
    assert_closed(&mut server, &users, socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_utf_8_in_a_text_frame_ends_its_connection_only() {
    let _turn = turn();
    let (mut server, users, mut socket) = scene().await;
    let mut bytes =
        format!(r#"421["send_message",{{"receiverId":"{}","content":""#, users[1].id).into_bytes();
    bytes.extend([0xff, 0xfe, 0xc0, 0x80]);
    bytes.extend(br#""}]"#);
    let frame = Frame::message(bytes, OpCode::Data(Data::Text), true);
    socket.send(Message::Frame(frame)).await.unwrap();
    assert_closed(&mut server, &users, socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_binary_frame_that_nothing_announced_ends_its_connection_only() {
    let _turn = turn();
    let (mut server, users, mut socket) = scene().await;
    socket.send(Message::Binary(vec![0, 159, 146, 150].into())).await.unwrap();
    assert_closed(&mut server, &users, socket).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binary_parts_where_text_belongs_are_answered() {
    let _turn = turn();
    let (mut server, users, mut socket) = scene().await;
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    for payload in [
        placeholder.to_owned(),
        format!(r#"{{"receiverId":"{}","content":{placeholder}}}"#, users[1].id),
    ] {
        socket.send(format!(r#"451-7["send_message",{payload}]"#).into()).await.unwrap();
        socket.send(Message::Binary(vec![1, 2, 3, 255].into())).await.unwrap();
        let ack = within("an ack", LIMIT, async {
            loop {
                let packet = client::next_text(&mut socket).await.expect("it stays open");
                if let Some(ack) = packet.strip_prefix("437") {
                    return ack.to_owned();
                }
            }
        })
        .await;
        assert!(ack.contains("validation_failed"), "{ack}");
    }
    drop(socket);
    assert_serves(&mut server, &users).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_that_are_none_end_their_connection_only() {
    let _turn = turn();
    let mut server = Setup::embedded().start().await;
    let [from, to] = server.rest.register_all(["from", "peer"]).await;
    let auth = json!({ "token": from.token });
    let packets = [
        "",
        "x",
        "4",
        "4x",
        "42",
        "42{",
        "42[",
        "42[]",
        "42[1]",
        "42[null,{}]",
        "421",
        "45",
        "451-",
        "499",
        "40/nowhere,",
        "43999999999999999999999[]",
    ];
    for packet in packets {
        let mut socket = client::join(server.port(), &auth, None).await.unwrap();
        // Whatever comes of it, another event on the same connection is answered or it has ended.
        let _ = socket.send(packet.into()).await;
        let _ = socket.send(client::event(9, "sync", &json!({}))).await;
        within(&format!("an end or an answer after {packet:?}"), LIMIT, async {
            while let Some(text) = client::next_text(&mut socket).await {
                if text.starts_with("439") {
                    break;
                }
            }
        })
        .await;
    }
    until("their sockets are gone", LIMIT, async || {
        (server.rest.sockets().await == 0).then_some(())
    })
    .await;
    assert_serves(&mut server, &[from, to]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_no_text_are_malformed() {
    let _turn = turn();
    let mut server = Setup::embedded().start().await;
    let broken = b"{\"username\":\"\xff\xfe\",\"password\":\"password123\"}".to_vec();
    for body in [broken, vec![0, 1, 2, 255], b"{".to_vec(), b"".to_vec(), b"nul".to_vec()] {
        let (status, answer) = server.rest.post("/api/auth/login", None, body.clone()).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!("malformed")),
            "{body:?} {answer}"
        );
    }
    server.assert_alive();
}
