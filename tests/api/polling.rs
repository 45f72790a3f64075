//! Socket.IO by polling, and the step from there to a WebSocket (CONTRACT §1, §3).

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::chat::{send, seqs, to};
use crate::support::transport::{Transport, WebSocket, websocket};
use crate::support::{Answer, Person, Server, Socket};

/// A session that has joined `/` over polls, and moved to a WebSocket then.
pub(crate) async fn upgraded(server: &Server, person: &Person) -> WebSocket {
    let base = server.url("/socket.io/?EIO=4&transport=polling");
    let open = Answer::of(server.http().get(&base)).await.body;
    let open: Value =
        serde_json::from_str(open.as_str().unwrap().strip_prefix('0').unwrap()).unwrap();
    assert_eq!(open["upgrades"], json!(["websocket"]));
    for field in ["pingInterval", "pingTimeout", "maxPayload"] {
        assert!(open[field].is_u64(), "{open}");
    }
    let sid = open["sid"].as_str().unwrap();
    let url = format!("{base}&sid={sid}");
    let connect = format!("40{}", json!({ "token": person.token }));
    server.http().post(&url).body(connect).send().await.unwrap();
    let mut came = String::new();
    while !came.contains("40{") {
        came = server.http().get(&url).send().await.unwrap().text().await.unwrap();
    }
    let mut upgrading = websocket(server, &format!("&sid={sid}"), &[]).await.unwrap();
    upgrading.send(Message::text("2probe")).await.unwrap();
    assert_eq!(upgrading.next().await.unwrap().unwrap(), Message::text("3probe"));
    upgrading.send(Message::text("5")).await.unwrap();
    upgrading
}

on_every_store! {
    async fn a_polling_client_chats_as_others_do(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut polling = Socket::polling(server, "/chat", &json!({ "token": alice.token })).await;
        let mut other = bob.connect("/").await;
        let sent = send(&mut polling, &bob, "by polling").await;
        assert_eq!(other.expect("receive_message").await["message"], sent);
        let answer = send(&mut other, &alice, "by websocket").await;
        assert_eq!(polling.expect("receive_message").await["message"], answer);
        polling.refused("send_message", &to(&bob, ""), "validation_failed").await;
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        polling.expect_end().await;
    }

    async fn a_polling_client_without_a_token_is_refused(server) {
        let transport = Transport::polling(server).await;
        let refused = Socket::over(transport, "/", &json!({})).await.err();
        assert_eq!(refused.as_deref(), Some("Authentication error: no token provided"));
    }

    async fn events_right_behind_the_connect_arrive_in_order_by_polling(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        for round in 0..3 {
            let auth = json!({ "token": alice.token });
            let mut socket = Socket::polling(server, "/", &auth).await;
            let asked: Vec<_> = (0..50)
                .map(|number| socket.ask("send_message", &to(&bob, &number.to_string())))
                .collect();
            let mut acked = Vec::new();
            for id in asked {
                acked.push(socket.ack(id).await["message"].clone());
            }
            let first = round * 50 + 1;
            assert_eq!(seqs(&acked), (first..first + 50).collect::<Vec<_>>());
            let numbers = acked.iter().map(|message| message["content"].as_str().unwrap());
            assert!(numbers.map(|text| text.parse::<u32>().unwrap()).eq(0..50));
        }
    }

    async fn a_polling_session_moves_to_a_websocket(server) {
        let [alice, bob] = server.people(["alice", "bob"]).await;
        let mut upgrading = upgraded(server, &alice).await;
        let event = json!(["send_message", to(&bob, "upgraded")]);
        upgrading.send(Message::text(format!("421{event}"))).await.unwrap();
        loop {
            let frame = upgrading.next().await.unwrap().unwrap();
            if frame.to_text().unwrap().starts_with("431") {
                break;
            }
        }
        assert_eq!(bob.history(&alice, "").await[0]["content"], "upgraded");
        // Logging out ends the session on its new transport.
        alice.post("/api/auth/logout", &json!({})).await.data(200);
        while upgrading.next().await.unwrap().unwrap().to_text().unwrap() != "41" {}
    }

    async fn a_session_that_is_not_known_is_refused(server) {
        for path in ["&sid=AAAAAAAAAAAAAAAA", "&sid=x"] {
            let url = format!("/socket.io/?EIO=4&transport=polling{path}");
            assert_eq!(server.get(&url).await.status, 400, "{path}");
        }
        assert_eq!(server.get("/socket.io/?EIO=4&transport=pigeon").await.status, 400);
    }
}
