//! Rooms as their members use them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, Person, Server, Socket};

/// The path of a room, or of something in it.
pub(crate) fn at(room: &str, rest: &str) -> String {
    format!("/rooms/{room}{rest}")
}

/// A payload that names a room.
pub(crate) fn named(room: &str) -> Value {
    json!({ "roomId": room })
}

/// A message to a room.
pub(crate) fn into(room: &str, content: &str) -> Value {
    json!({ "roomId": room, "content": content })
}

impl Server {
    /// A public room of the first of these people, in which the others are.
    pub(crate) async fn room_of<const N: usize>(&self, people: [&Person; N]) -> String {
        let room = people[0].create_room(false).await;
        for person in &people[1..] {
            person.join_room(&room).await;
        }
        room
    }
}

impl Person {
    /// Makes a room, and gives its id.
    pub(crate) async fn create_room(&self, is_private: bool) -> String {
        let body = json!({ "name": "Kitchen", "isPrivate": is_private });
        let data = self.post("/rooms", &body).await.data(201);
        data["room"]["id"].as_str().unwrap().to_owned()
    }

    /// Becomes a member of a public room.
    pub(crate) async fn join_room(&self, room: &str) {
        self.join_with(room, "").await.data(200);
    }

    /// Tries to become a member with the token of an invite; an empty one is none.
    pub(crate) async fn join_with(&self, room: &str, invite: &str) -> Answer {
        let query = if invite.is_empty() { String::new() } else { format!("?invite={invite}") };
        self.post(&at(room, &format!("/join{query}")), &json!({})).await
    }

    /// Makes an invite, and gives the answer's data.
    pub(crate) async fn invite(&self, room: &str, wanted: Value) -> Value {
        self.post(&at(room, "/invite"), &wanted).await.data(201)
    }

    /// Makes an invite, and gives its token.
    pub(crate) async fn invite_token(&self, room: &str, wanted: Value) -> String {
        self.invite(room, wanted).await["invite"].as_str().unwrap().to_owned()
    }

    /// Ends the membership.
    pub(crate) async fn leave_room(&self, room: &str) {
        self.post(&at(room, "/leave"), &json!({})).await.data(200);
    }

    /// `DELETE`.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Tries to end somebody's membership.
    pub(crate) async fn remove(&self, room: &str, person: &Self) -> Answer {
        self.delete(&at(room, &format!("/members/{}", person.id))).await
    }

    /// Tries to give a member another role.
    pub(crate) async fn give_role(&self, room: &str, person: &Self, role: &str) -> Answer {
        self.patch(&at(room, &format!("/members/{}", person.id)), &json!({ "role": role })).await
    }

    /// What `GET` says of a room, or of something in it.
    pub(crate) async fn of_room(&self, room: &str, rest: &str) -> Value {
        self.get(&at(room, rest)).await.data(200)
    }

    /// The messages on a page of a room.
    pub(crate) async fn room_page(&self, room: &str, query: &str) -> Vec<Value> {
        let data = self.of_room(room, &format!("/messages{query}")).await;
        data["messages"].as_array().unwrap().clone()
    }

    /// How many messages of a room are unread.
    pub(crate) async fn unread_in(&self, room: &str) -> Value {
        let data = self.get("/api/messages/unread/count").await.data(200);
        data["byConversation"].get(room).cloned().unwrap_or_else(|| json!(0))
    }

    /// Connects to a namespace, and is in the room.
    pub(crate) async fn enter(&self, namespace: &str, room: &str) -> Socket {
        let mut socket = self.connect(namespace).await;
        socket.enter(room).await;
        socket
    }
}

impl Socket {
    /// Comes into a room, and gives `joined_room`.
    pub(crate) async fn enter(&mut self, room: &str) -> Value {
        let ack = self.done("join_room", &named(room)).await;
        let joined = self.expect_where("joined_room", |joined| joined["roomId"] == room).await;
        assert_eq!(joined["timestamp"], ack["timestamp"], "{ack}");
        joined
    }

    /// Sends a message into a room, and gives it.
    pub(crate) async fn say(&mut self, room: &str, content: &str) -> Value {
        self.done("send_message", &into(room, content)).await["message"].clone()
    }

    /// Sends numbered messages into a room, and gives them.
    pub(crate) async fn say_many(&mut self, room: &str, count: usize) -> Vec<Value> {
        let payloads: Vec<_> = (1..=count).map(|number| into(room, &number.to_string())).collect();
        self.send_all(&payloads).await
    }

    /// Waits until the socket has heard of the message with this `seq`.
    pub(crate) async fn hear(&mut self, seq: i64) -> Value {
        self.expect_where("receive_message", |message| message["seq"] == seq).await
    }

    /// Shows that nobody went offline.
    pub(crate) async fn expect_nobody_offline(&mut self) {
        let told = self.all("user_status").await;
        assert!(told.iter().all(|status| status["isOnline"] == true), "{told:?}");
    }

    /// Emits an event that must fail with this code, in the ack and in `message_error` alike.
    pub(crate) async fn denied(&mut self, event: &str, payload: &Value, code: &str) -> Value {
        self.refused_as("message_error", event, payload, code).await
    }
}
