//! Who may do what: every route of `/docs/openapi.json` and every event of `/docs/asyncapi.json`
//! for its owner, for others of the same role, for other roles, and without a token that holds.
//! What is documented and has no row fails.

mod events;
mod routes;

use serde_json::{Value, json};

use crate::support::orders::tea;
use crate::support::rooms::{at, into};
use crate::support::{Person, Server, Socket};

/// What only those may read who wrote it or to whom it was written.
const WORDS: [&str; 4] = ["between us", "Cellar", "room talk", "ring twice"];

/// Everybody who acts.
struct Cast {
    /// A customer, to whom every order and room belongs.
    alice: Person,
    /// Another one, a plain member of the rooms.
    mia: Person,
    /// Another one, who has no part in anything.
    bob: Person,
    /// The driver of the orders.
    dan: Person,
    /// A driver who has none.
    eve: Person,
    /// The admin of the server, who is in no room.
    admin: Person,
    /// A message from alice to mia.
    direct: Value,
}

impl Cast {
    async fn of(server: &Server) -> Self {
        let [alice, mia, bob] = server.people(["alice", "mia", "bob"]).await;
        let [dan, eve] = server.drivers(["dan", "eve"]).await;
        let payload = json!({ "receiverId": mia.id, "content": WORDS[0] });
        let direct = alice.connect("/chat").await.done("send_message", &payload).await;
        let direct = direct["message"].clone();
        Self { alice, mia, bob, dan, eve, admin: server.admin().await, direct }
    }

    /// In the order of the tables.
    fn everybody(&self) -> [&Person; 6] {
        [&self.alice, &self.mia, &self.bob, &self.dan, &self.eve, &self.admin]
    }

    /// Those of [`WORDS`] that are none of somebody's business.
    fn hidden_from(&self, person: &Person) -> &'static [&'static str] {
        match &person.username {
            name if *name == self.alice.username => &[],
            name if *name == self.mia.username => &WORDS[3..],
            name if *name == self.dan.username || *name == self.admin.username => &WORDS[..3],
            _ => &WORDS,
        }
    }
}

/// What a row of a table is about, made for one call.
struct Scene<'a> {
    cast: &'a Cast,
    names: Vec<(&'static str, String)>,
    orders: Vec<Value>,
    room: Option<String>,
    /// Somebody of this scene alone, with a socket.
    guest: Option<(Person, Socket)>,
}

impl<'a> Scene<'a> {
    /// Makes what a text names in braces.
    async fn for_text(cast: &'a Cast, text: &str) -> Self {
        let direct = |field: &str| cast.direct[field].as_str().unwrap().to_owned();
        let names = vec![
            ("{mia}", cast.mia.id.clone()),
            ("{dan}", cast.dan.id.clone()),
            ("{direct}", direct("_id")),
            ("{conversation}", direct("conversationId")),
            ("{token}", cast.alice.token.clone()),
            ("{new}", format!("n{:016x}", rand::random::<u64>())),
        ];
        let mut scene = Scene { cast, names, orders: Vec::new(), room: None, guest: None };
        if text.contains("{taken}") {
            let mut body = tea();
            body["note"] = json!(WORDS[3]);
            let order = cast.alice.place(&body).await;
            scene.orders.push(cast.dan.accept(&order).await);
            scene.names.push(("{taken}", order["_id"].as_str().unwrap().to_owned()));
        }
        if text.contains("{pending}") {
            let order = cast.alice.place(&tea()).await;
            scene.names.push(("{pending}", order["_id"].as_str().unwrap().to_owned()));
            scene.orders.push(order);
        }
        if text.contains("{guest}") || text.contains("{socket}") {
            scene.add_guest().await;
        }
        for (placeholder, name, private) in
            [("{closed}", WORDS[1], true), ("{open}", "Hall", false)]
        {
            if text.contains(placeholder) {
                scene.add_room(placeholder, name, private, text).await;
            }
        }
        scene
    }

    async fn add_guest(&mut self) {
        let admin = &self.cast.admin;
        let guest = admin.server.register(&format!("g{:016x}", rand::random::<u64>())).await;
        let socket = guest.connect("/presence").await;
        let listed = admin.get(&format!("/api/admin/sockets?search={}", guest.username)).await;
        let id = listed.data(200)["sockets"][0]["id"].as_str().unwrap().to_owned();
        self.names.extend([("{guest}", guest.id.clone()), ("{socket}", id)]);
        self.guest = Some((guest, socket));
    }

    async fn add_room(&mut self, placeholder: &'static str, name: &str, private: bool, text: &str) {
        let Cast { alice, mia, .. } = self.cast;
        let body = json!({ "name": name, "isPrivate": private });
        let made = alice.post("/rooms", &body).await.data(201);
        let room = made["room"]["id"].as_str().unwrap().to_owned();
        let invite = alice.invite(&room, json!({ "maxUses": 2 })).await;
        mia.join_with(&room, invite["invite"].as_str().unwrap()).await.data(200);
        self.names.push(("{invite}", invite["inviteId"].as_str().unwrap().to_owned()));
        if text.contains("message") || text.contains("sync") {
            let mut socket = alice.enter("/rooms", &room).await;
            let said = socket.done("send_message", &into(&room, WORDS[2])).await;
            self.names.push(("{message}", said["message"]["id"].as_str().unwrap().to_owned()));
        }
        self.names.push((placeholder, room.clone()));
        self.room = Some(room);
    }

    /// The text with everything in braces named.
    fn fill(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Everything of it that somebody could have changed.
    async fn state(&self) -> Vec<Value> {
        let Cast { alice, mia, dan, admin, .. } = self.cast;
        let mut state = Vec::new();
        for order in &self.orders {
            state.push(admin.order(order).await);
        }
        if let Some(room) = &self.room {
            state.push(alice.of_room(room, "").await["room"].clone());
            state.push(alice.of_room(room, "/invites").await);
            let members = alice.of_room(room, "/members").await["members"].clone();
            let of_member = |one: &Value| json!([one["user"]["id"], one["role"]]);
            state.push(members.as_array().unwrap().iter().map(of_member).collect());
            state.push(mia.unread_in(room).await);
            state.push(alice.get(&at(room, "/messages")).await.data(200)["total"].clone());
        }
        if let Some((guest, _)) = &self.guest {
            let listed = admin.get(&format!("/api/admin/sockets?search={}", guest.username)).await;
            state.push(listed.data(200)["sockets"].clone());
            state.push(admin.get("/api/admin/bans").await.data(200));
        }
        state.push(mia.history(alice, "").await.into());
        state.push(alice.get("/api/auth/me").await.data(200)["user"]["name"].clone());
        let known = dan.get("/api/drivers/me").await.data(200);
        state.push(known);
        // When somebody was here last is no secret, and nobody's deed.
        state.into_iter().map(without_presence).collect()
    }
}

/// A value without what changes by itself.
fn without_presence(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let stays =
                |(name, _): &(String, Value)| !matches!(name.as_str(), "isOnline" | "lastSeen");
            let kept = map.into_iter().filter(stays);
            kept.map(|(name, value)| (name, without_presence(value))).collect()
        }
        Value::Array(all) => all.into_iter().map(without_presence).collect(),
        other => other,
    }
}

/// Shows that an answer tells somebody nothing that is none of their business.
#[track_caller]
fn assert_silent(cast: &Cast, who: Option<&Person>, answer: &Value, about: &str) {
    let hidden = who.map_or(&WORDS[..], |person| cast.hidden_from(person));
    let text = answer.to_string();
    for word in hidden {
        assert!(!text.contains(word), "{about} tells of {word}: {text}");
    }
}
