//! What stands in the database itself, read past the server.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::setting::server::Setup;

/// A message in the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stored {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) content: String,
    pub(crate) client_msg_id: String,
}

impl Stored {
    /// A message as the wire shows it.
    pub(crate) fn shown(message: &Value) -> Self {
        let text = |field: &str| message[field].as_str().unwrap().to_owned();
        let (id, content, client_msg_id) = (text("_id"), text("content"), text("clientMsgId"));
        Self { seq: message["seq"].as_i64().unwrap(), id, content, client_msg_id }
    }
}

/// All messages of each conversation, in order.
pub(crate) type Conversations = BTreeMap<String, Vec<Stored>>;

pub(crate) async fn stored(setup: &Setup) -> Conversations {
    let mut all = match setup.mongodb_uri() {
        Some(uri) => in_mongodb(uri).await,
        None => in_sqlite(setup),
    };
    all.values_mut().for_each(|messages| messages.sort());
    all
}

fn in_sqlite(setup: &Setup) -> Conversations {
    let path = setup.data().join("waggle.db");
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut select = database
        .prepare("SELECT lower(hex(conversation)), seq, lower(hex(id)), content, client_msg_id FROM messages")
        .unwrap();
    let rows = select.query_map((), |row| {
        let (seq, id, content) = (row.get(1)?, row.get(2)?, row.get(3)?);
        Ok((row.get(0)?, Stored { seq, id, content, client_msg_id: row.get(4)? }))
    });
    collect(rows.unwrap().map(Result::unwrap))
}

async fn in_mongodb(uri: &str) -> Conversations {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let messages = client.default_database().unwrap().collection::<Document>("messages");
    let found: Vec<_> = messages.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    collect(found.iter().map(|row| {
        let text = |field: &str| match row.get(field).unwrap() {
            Bson::ObjectId(id) => id.to_hex(),
            other => other.as_str().unwrap().to_owned(),
        };
        let (seq, id, content) = (row.get_i64("seq").unwrap(), text("_id"), text("content"));
        let client_msg_id = text("clientMsgId");
        (text("conversationId"), Stored { seq, id, content, client_msg_id })
    }))
}

fn collect(rows: impl Iterator<Item = (String, Stored)>) -> Conversations {
    let mut all = Conversations::new();
    for (conversation, message) in rows {
        all.entry(conversation).or_default().push(message);
    }
    all
}
