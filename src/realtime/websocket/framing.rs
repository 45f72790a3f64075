//! How the frames of a door look: `{type, data}`, or flat objects as in seed 000.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::error::{Error, ErrorBody};
use crate::realtime::hub::Outgoing;

/// How frames look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `{"type": …, "data": {…}}`, and `"id"` where the client wants an acknowledgement (seed 002).
    Typed,
    /// What a frame carries stands beside its `type`; what is sent has none. Errors are
    /// `{error, code}` (seed 000).
    Flat,
}

/// A frame that was read.
pub(super) struct Frame {
    /// Its type; empty where it has none.
    pub(super) name: String,
    /// What it carries, or why that cannot be read.
    pub(super) payload: Result<Value, Error>,
    /// What its acknowledgement is to be known by.
    pub(super) id: Option<Value>,
}

impl Frame {
    fn unreadable(error: Error) -> Self {
        Self { name: String::new(), payload: Err(error), id: None }
    }
}

/// What becomes of a binary frame.
pub(super) fn binary() -> Frame {
    Frame::unreadable(Error::malformed("A frame must be text"))
}

impl Framing {
    pub(super) fn decode(self, text: &str) -> Frame {
        let mut object = match serde_json::from_str(text) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Frame::unreadable(Error::invalid("frame", "must be an object")),
            Err(_) => return Frame::unreadable(Error::malformed("The frame is not valid JSON")),
        };
        let id = object.remove("id").filter(|id| id.is_number() || id.is_string());
        let Some(Value::String(name)) = object.remove("type") else {
            let error = Error::invalid("type", "must say what the frame is");
            return Frame { id, ..Frame::unreadable(error) };
        };
        let payload = match self {
            Self::Typed => object.remove("data").unwrap_or_default(),
            Self::Flat => Value::Object(object),
        };
        Frame { name, payload: Ok(payload), id }
    }

    /// An event as a frame; `None` for what this door's clients do not know.
    pub(super) fn encode(self, event: &Outgoing) -> Option<Utf8Bytes> {
        match self {
            Self::Typed => Some(event.frame()),
            Self::Flat if event.name() == "error" => Some(flat_error(event.json())),
            Self::Flat if event.is_everywhere() => None,
            Self::Flat => Some(event.json().get().into()),
        }
    }

    /// A failure as a frame.
    pub(super) fn error(self, error: &Error) -> Utf8Bytes {
        match self {
            Self::Typed => json!({ "type": "error", "data": ErrorBody::from(error) }),
            Self::Flat => json!({ "error": error.message, "code": error.code }),
        }
        .to_string()
        .into()
    }

    /// An acknowledgement as a frame; `None` where the client wants none.
    pub(super) fn ack(self, id: Option<&Value>, body: &RawValue) -> Option<Utf8Bytes> {
        let id = id.filter(|_| self == Self::Typed)?;
        Some(format!(r#"{{"type":"ack","id":{id},"data":{body}}}"#).into())
    }
}

fn flat_error(json: &RawValue) -> Utf8Bytes {
    let mut failure: Map<String, Value> = serde_json::from_str(json.get()).unwrap_or_default();
    let message = failure.remove("message").unwrap_or_default();
    failure.insert("error".to_owned(), message);
    Value::Object(failure).to_string().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_frame_or_says_why_not(text in prop_oneof![any::<String>(), "[{}\\[\\]:,\"a-z0-9\\\\. -]{0,60}", "[\\[{]{1,4000}"]) {
            for framing in [Framing::Typed, Framing::Flat] {
                if let Err(error) = framing.decode(&text).payload {
                    prop_assert!(error.code.status() == 400 && framing.error(&error).len() < 500);
                }
            }
        }

        #[test]
        fn a_frame_carries_what_was_put_in(name: String, key: String, text: String, id: u64) {
            let data = json!({ key: text });
            let typed = json!({ "type": name, "id": id, "data": data }).to_string();
            let frame = Framing::Typed.decode(&typed);
            prop_assert_eq!((frame.name, frame.payload, frame.id), (name, Ok(data), Some(json!(id))));
        }
    }

    #[test]
    fn a_typed_frame_carries_its_data_and_a_flat_one_everything_beside_its_type() {
        let typed = Framing::Typed.decode(r#"{"type":"ping","data":{"a":1},"id":7}"#);
        assert_eq!((typed.name.as_str(), typed.payload.unwrap()), ("ping", json!({"a": 1})));
        assert_eq!(typed.id, Some(json!(7)));
        let bare = Framing::Typed.decode(r#"{"type":"ping"}"#);
        assert_eq!(bare.payload.unwrap(), Value::Null);
        let flat = Framing::Flat.decode(r#"{"type":"watch","driverId":"driver1"}"#);
        assert_eq!(flat.payload.unwrap(), json!({"driverId": "driver1"}));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for (text, code) in [
            ("", "malformed"),
            ("{", "malformed"),
            ("[]", "validation_failed"),
            ("{}", "validation_failed"),
            (r#"{"type":1}"#, "validation_failed"),
        ] {
            let frame = Framing::Typed.decode(text);
            assert_eq!(frame.payload.unwrap_err().code.word(), code, "{text}");
            assert_eq!(frame.name, "");
        }
        let nameless = Framing::Typed.decode(r#"{"id":7,"data":{}}"#);
        assert_eq!(nameless.id, Some(json!(7)));
    }
}
