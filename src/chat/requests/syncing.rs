//! `sync`, and what a handshake asks for.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::error::{Fields, Result};
use crate::ids::ConversationId;

/// Conversations that one `sync` may name.
const MAX_SYNCED: usize = 1000;

/// Payload of `sync`, and `auth.sync` of a handshake.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct SyncPayload {
    /// The last `seq` that the client has of each conversation.
    #[serde(default)]
    #[schema(value_type = Option<HashMap<String, i64>>)]
    pub conversations: Option<HashMap<String, i64>>,
    /// Of the other conversations, what is newer than this; what is unread without it.
    #[serde(default)]
    pub since: Option<String>,
}

/// A checked request for what was missed.
#[derive(Debug, Clone, Default)]
pub struct Sync {
    /// The last `seq` the client has, by conversation, in order.
    pub conversations: Vec<(ConversationId, i64)>,
    /// Of the others, what is newer.
    pub since: Option<Timestamp>,
}

impl Sync {
    /// Whether a conversation is among those named.
    pub fn names(&self, conversation: ConversationId) -> bool {
        self.conversations.binary_search_by_key(&conversation, |(id, _)| *id).is_ok()
    }
}

impl SyncPayload {
    /// The request, checked.
    ///
    /// # Errors
    /// `validation_failed` for too many conversations, and what is no id or no time.
    pub fn parse(self) -> Result<Sync> {
        let mut fields = Fields::new();
        let named = fields.optional("conversations", self.conversations, known);
        let since = fields.optional("since", self.since, |text| text.parse());
        fields.finish()?;
        Ok(Sync { conversations: named.unwrap_or_default(), since })
    }

    /// What the auth payload of a handshake asks for: `sync: true`, or as in the event.
    ///
    /// # Errors
    /// As [`SyncPayload::parse`].
    pub fn of_handshake(auth: &Value) -> Option<Result<Sync>> {
        match auth.get("sync")? {
            Value::Null | Value::Bool(false) => None,
            Value::Bool(true) => Some(Ok(Sync::default())),
            asked => {
                let read = crate::error::from_value::<Self>(asked.clone()).and_then(Self::parse);
                Some(read.map_err(|error| error.within("auth.sync")))
            }
        }
    }
}

fn known(named: HashMap<String, i64>) -> Result<Vec<(ConversationId, i64)>, String> {
    if named.len() > MAX_SYNCED {
        return Err(format!("must name at most {MAX_SYNCED} conversations"));
    }
    let parse = |(id, seq): (String, i64)| match id.parse() {
        Ok(id) => Ok((id, seq.max(0))),
        Err(problem) => Err(format!("{id:.24}: {problem}")),
    };
    let mut known = named.into_iter().map(parse).collect::<Result<Vec<_>, String>>()?;
    known.sort_unstable();
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_asks_for_sync_or_does_not() {
        let of = |auth| SyncPayload::of_handshake(&auth);
        assert!(of(serde_json::json!({"token": "t"})).is_none());
        assert!(of(serde_json::json!({"sync": true})).unwrap().is_ok());
        for (asked, wrong) in [
            (serde_json::json!({"since": "yesterday"}), "auth.sync.since"),
            (serde_json::json!({"conversations": {"x": "1"}}), "auth.sync.conversations.x"),
            (serde_json::json!("all"), "auth.sync"),
        ] {
            let error = of(serde_json::json!({ "sync": asked })).unwrap().unwrap_err();
            assert_eq!(error.details[0].field, wrong);
            assert!(error.message.starts_with(wrong), "{}", error.message);
        }
    }
}
