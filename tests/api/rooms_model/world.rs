//! The users on a real server: each act is done there and in the model, and the two are compared.

use reqwest::Method;
use serde_json::{Value, json};

use super::model::Model;
use super::{Act, USERS};
use crate::support::{Person, Socket};

/// The users and the room, as they are on the server.
pub(super) struct World<'a> {
    people: &'a [Person; USERS],
    sockets: Vec<Socket>,
    room: String,
    ids: Vec<String>,
    model: Model,
}

pub(super) type Checked = Result<(), String>;

#[expect(clippy::needless_pass_by_value, reason = "most of them are made for the call")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Checked {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{what}: found {found:?}, the model says {wanted:?}"))
    }
}

impl<'a> World<'a> {
    pub(super) async fn new(people: &'a [Person; USERS]) -> Self {
        let room = people[0].post("/rooms", &json!({ "name": "model" })).await.data(201);
        let room = room["room"]["id"].as_str().unwrap().to_owned();
        let mut sockets = Vec::new();
        for person in people {
            sockets.push(person.connect("/").await);
        }
        let mut model = Model::default();
        model.join(0);
        Self { people, sockets, room, ids: Vec::new(), model }
    }

    fn path(&self, rest: &str) -> String {
        format!("/rooms/{}{rest}", self.room)
    }

    async fn ask(&mut self, user: usize, event: &str, mut payload: Value) -> Value {
        payload["roomId"] = json!(self.room);
        self.sockets[user].emit_ack(event, &payload).await
    }

    pub(super) async fn act(&mut self, user: usize, act: &Act) -> Checked {
        let is_member = self.model.members.contains_key(&user);
        let written = self.ids.len();
        match act {
            Act::Join => {
                let status = self.people[user].post(&self.path("/join"), &json!({})).await.status;
                if !is_member {
                    self.model.forget_reads(user);
                }
                self.model.join(user);
                same("join", status, 200)
            }
            Act::Leave if is_member && self.model.members.len() == 1 => Ok(()),
            Act::Leave => {
                let status = self.people[user].post(&self.path("/leave"), &json!({})).await.status;
                if is_member {
                    self.model.end(user);
                }
                same("leave", status, if is_member { 200 } else { 403 })
            }
            Act::Remove => self.remove(user, (user + 1) % USERS).await,
            Act::Enter => {
                let unread = self.model.unread(user);
                let ack = self.ask(user, "join_room", json!({})).await;
                same("join_room", ack["ok"] == true, is_member)?;
                if is_member {
                    self.model.live.insert(user);
                    self.model.mark(user, 1..=written);
                    same("unreadCount", &ack["unreadCount"], &json!(unread))?;
                }
                Ok(())
            }
            Act::Exit => {
                let ack = self.ask(user, "leave_room", json!({})).await;
                self.model.live.remove(&user);
                same("leave_room", ack["ok"] == true, is_member)
            }
            Act::Send => self.send(user).await,
            Act::Read(_) | Act::Mark(_) if written == 0 => Ok(()),
            Act::Read(which) => {
                let seq = which % written + 1;
                let payload = json!({ "messageId": self.ids[seq - 1] });
                let ack = self.ask(user, "message_read", payload).await;
                self.model.mark(user, [seq]);
                same("message_read", ack["ok"] == true, is_member)
            }
            Act::Mark(which) => {
                let seqs: Vec<_> = which.iter().map(|which| which % written + 1).collect();
                let ids: Vec<_> = seqs.iter().map(|seq| self.ids[seq - 1].clone()).collect();
                let ack = self.ask(user, "mark_messages_read", json!({ "messageIds": ids })).await;
                let count = self.model.mark(user, seqs);
                same("mark_messages_read", ack["ok"] == true, is_member)?;
                if is_member {
                    same("messageCount", &ack["messageCount"], &json!(count))
                } else {
                    Ok(())
                }
            }
            Act::Fetch { page, size } => self.fetch(user, *page, *size).await,
            Act::Reconnect => {
                self.sockets[user] = self.people[user].connect("/").await;
                self.model.live.remove(&user);
                Ok(())
            }
        }
    }

    async fn remove(&mut self, user: usize, other: usize) -> Checked {
        let model = &mut self.model;
        let allowed = user == model.owner && model.members.contains_key(&other);
        let expected = match (model.members.contains_key(&user), allowed) {
            (true, true) => 200,
            (true, false) if user == model.owner => 404,
            _ => 403,
        };
        if allowed {
            model.end(other);
        }
        let path = self.path(&format!("/members/{}", self.people[other].id));
        let answer = self.people[user].request(Method::DELETE, &path).send().await.unwrap();
        same("remove", answer.status().as_u16(), expected)
    }

    async fn send(&mut self, user: usize) -> Checked {
        let is_live = self.model.live.contains(&user);
        let ack = self.ask(user, "send_message", json!({ "content": "hello" })).await;
        same("send_message", ack["ok"] == true, is_live)?;
        if is_live {
            self.model.senders.push(user);
            self.ids.push(ack["message"]["id"].as_str().unwrap().to_owned());
            same("seq", &ack["message"]["seq"], &json!(self.ids.len()))?;
        }
        Ok(())
    }

    async fn fetch(&mut self, user: usize, page: usize, size: usize) -> Checked {
        let path = self.path(&format!("/messages?page={page}&pageSize={size}"));
        let answer = self.people[user].get(&path).await;
        if !self.model.members.contains_key(&user) {
            return same("messages", answer.status, 403);
        }
        let data = answer.data(200);
        let last = self.ids.len().saturating_sub((page - 1) * size);
        let seqs: Vec<_> = (last.saturating_sub(size) + 1..=last).rev().collect();
        let messages = data["messages"].as_array().unwrap();
        let found: Vec<_> = messages.iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect();
        let wanted: Vec<_> = seqs.iter().map(|seq| self.ids[seq - 1].clone()).collect();
        same("the page", found, wanted)?;
        self.model.mark(user, seqs.iter().copied());
        for (message, seq) in messages.iter().zip(seqs) {
            let (total, read) = self.model.receipts(seq);
            let wanted = json!({ "totalRecipients": total, "readCount": read });
            same("receipts on a page", &message["receipts"], &wanted)?;
        }
        same("total", &data["total"], &json!(self.ids.len()))
    }

    /// Compares everything that anybody can ask for.
    pub(super) async fn look(&self) -> Checked {
        for (user, person) in self.people.iter().enumerate() {
            let counts = person.get("/api/messages/unread/count").await.data(200);
            let found = counts["byConversation"][&self.room].as_u64().unwrap_or(0);
            same(&format!("unread of {user}"), found, self.model.unread(user) as u64)?;
        }
        let owner = &self.people[self.model.owner];
        for (at, id) in self.ids.iter().enumerate().rev().take(6) {
            let path = self.path(&format!("/messages/{id}/receipts"));
            let data = owner.get(&path).await.data(200);
            let (total, read) = self.model.receipts(at + 1);
            let wanted = json!({ "totalRecipients": total, "readCount": read });
            same(&format!("receipts of {}", at + 1), &data["summary"], &wanted)?;
            for receipt in data["receipts"].as_array().unwrap() {
                let reader =
                    self.people.iter().position(|p| receipt["userId"] == p.id.as_str()).unwrap();
                let has_read = self.model.read.contains(&(reader, at + 1));
                same("read", &receipt["read"], &json!(has_read))?;
                same("readAt", receipt["readAt"].is_string(), has_read)?;
            }
        }
        Ok(())
    }
}
