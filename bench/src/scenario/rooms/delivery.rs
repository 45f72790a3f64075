//! A `receive_message` as it lies in the frame. A thousand members hear each message, so it is not decoded: three parts
//! are found by their names. No string within can pass for a name, because its quotes would be escaped.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::scenario::found::{number, text};

static ROOM: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"roomId\":\""));
static SEQ: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"seq\":"));
static CONTENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"content\":\""));

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery<'a> {
    pub room: &'a str,
    pub seq: u64,
    pub content: &'a str,
}

impl<'a> Delivery<'a> {
    /// Finds the parts in the body of the event; none if one is absent.
    pub fn read(body: &'a str) -> Option<Self> {
        Some(Self {
            room: text(body, &ROOM)?,
            seq: number(body, &SEQ)?,
            content: text(body, &CONTENT)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_found_wherever_they_stand() {
        let expected = Delivery { room: "65a1", seq: 42, content: "b1.2 7 99 the bees" };
        for body in [
            r#"["receive_message",{"id":"6","room_id":"no","roomId":"65a1","seq":42,"content":"b1.2 7 99 the bees","sender":{"id":"3"}}]"#,
            r#"["receive_message",{"content":"b1.2 7 99 the bees","lastSeq":7,"sender":{"id":"3"},"roomId":"65a1","seq":42}]"#,
        ] {
            assert_eq!(Delivery::read(body), Some(expected), "{body}");
        }
    }

    #[test]
    fn a_name_within_a_string_is_no_name() {
        let body = r#"["receive_message",{"note":"\"seq\":1,\"roomId\":\"x\"","roomId":"a","seq":2,"content":"c"}]"#;
        assert_eq!(Delivery::read(body), Some(Delivery { room: "a", seq: 2, content: "c" }));
    }

    #[test]
    fn without_one_of_them_there_is_nothing_to_check() {
        assert_eq!(Delivery::read(r#"["receive_message",{"roomId":"a","seq":1}]"#), None);
        assert_eq!(
            Delivery::read(r#"["receive_message",{"roomId":"a","seq":"1","content":"c"}]"#),
            None
        );
        assert_eq!(Delivery::read(r#"["receive_message",{"seq":1,"content":"c"}]"#), None);
    }
}
