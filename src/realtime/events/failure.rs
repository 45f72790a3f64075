//! Telling a client that an event has failed, without an ack: which events say so, and what of the
//! failed event they repeat.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{ClientEntry, EVERYWHERE, ServerEvent};
use crate::error::{Code, Error, ErrorBody, FieldError, Result};
use crate::realtime::hub::{Hub, Outgoing};

/// What of an event is needed to tell of its failure, taken before its payload is used up.
pub(super) struct Asked {
    pub(super) name: &'static str,
    /// The error events of its surface.
    failures: &'static [&'static str],
    /// What the event was about, so that a client without acks knows which one failed.
    about: Vec<(&'static str, Value)>,
}

/// An error event as clients get it, for the documents.
#[derive(ToSchema)]
#[schema(as = ErrorEvent)]
#[serde(rename_all = "camelCase")]
pub struct ErrorEvent {
    /// The stable word.
    pub code: Code,
    /// A sentence for people.
    pub message: String,
    /// With `validation_failed`: which fields, and what they must be.
    pub details: Option<Vec<FieldError>>,
    /// The same, as seed 003 calls it.
    pub errors: Option<Vec<FieldError>>,
    /// With `rate_limited` and `unavailable`: seconds to wait.
    pub retry_after: Option<u64>,
    /// With `rate_limited`: how many are left now.
    pub remaining: Option<u32>,
    /// The room that the failed event named.
    pub room_id: Option<String>,
    /// The message that it named.
    pub message_id: Option<String>,
    /// What it carried to be known by: a string or a number.
    #[schema(value_type = Option<Value>)]
    pub temp_id: Option<Value>,
    /// What made it idempotent.
    pub client_msg_id: Option<String>,
    /// The order that it named: its id or its number.
    #[schema(value_type = Option<Value>)]
    pub order_id: Option<Value>,
    /// What made the placing idempotent.
    pub client_order_id: Option<String>,
}

/// The fields of a payload that its error event repeats.
const ABOUT: [&str; 8] = [
    "roomId",
    "messageId",
    "tempId",
    "clientMsgId",
    "orderId",
    "order_id",
    "clientOrderId",
    "driver_id",
];
/// Longest string that is repeated, in bytes.
const MAX_REPEATED: usize = 256;

/// An error event: `{code, message, details?, errors?, retryAfter?, remaining?}`, and what it is
/// about. `errors` is what seed 003 calls `details`.
#[derive(Serialize)]
pub struct Failure<'a> {
    #[serde(flatten)]
    error: ErrorBody<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(flatten, serialize_with = "as_map")]
    about: &'a [(&'static str, Value)],
}

impl<'a> From<&'a Error> for Failure<'a> {
    /// A failure that is not of an event.
    fn from(error: &'a Error) -> Self {
        Self { error: ErrorBody::from(error), errors: &error.details, about: &[] }
    }
}

fn as_map<S: serde::Serializer>(
    about: &&[(&'static str, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(about.iter().map(|(name, value)| (name, value)))
}

impl Asked {
    pub(super) fn of(
        entry: Option<&ClientEntry>,
        namespace: &str,
        payload: &Result<Value>,
    ) -> Self {
        let payload = payload.as_ref().unwrap_or(&Value::Null);
        let short = |value: &&Value| {
            value.as_str().map_or(value.is_number(), |text| text.len() <= MAX_REPEATED)
        };
        let repeated = |name| Some((name, payload.get(name).filter(short)?.clone()));
        Self {
            name: entry.map_or("unknown", |entry| entry.name),
            failures: entry.map_or(&["error"], |entry| entry.failures(namespace, payload)),
            about: ABOUT.into_iter().filter_map(repeated).collect(),
        }
    }

    /// The error events of the surface.
    pub(super) fn tell(&self, hub: &Hub, error: &Error) -> Vec<Outgoing> {
        let failure = Failure { about: &self.about, ..Failure::from(error) };
        let event = |name: &&'static str| ServerEvent::reliable(name, EVERYWHERE);
        self.failures.iter().map(|name| hub.outgoing(&event(name), &failure)).collect()
    }
}
