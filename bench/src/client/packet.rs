//! Engine.IO 4 text frames and the Socket.IO packets in them, as far as a client of text events needs them.

/// What a frame from the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `0`: the Engine.IO handshake.
    Open,
    /// `2`: answered by `3`.
    Ping,
    /// `40`: the namespace is joined.
    Connected,
    /// `41` or `1`: the server ends the namespace or the transport.
    Ended,
    /// `42`: an event.
    Event,
    /// `43`: the answer to an event sent with an ack id.
    Ack,
    /// `44`: the namespace is refused.
    Refused,
    /// Anything else.
    Other,
}

/// A frame taken apart: the JSON body starts at byte `body`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    pub kind: Kind,
    pub id: Option<u64>,
    pub body: usize,
}

impl Packet {
    /// Takes a frame apart. `namespace` is the prefix that [`namespace_prefix`] gives.
    pub fn parse(frame: &str, namespace: &str) -> Self {
        let (kind, head) = match frame.as_bytes() {
            [b'0', ..] => (Kind::Open, 1),
            [b'1', ..] => (Kind::Ended, 1),
            [b'2', ..] => (Kind::Ping, 1),
            [b'4', b'0', ..] => (Kind::Connected, 2),
            [b'4', b'1', ..] => (Kind::Ended, 2),
            [b'4', b'2', ..] => (Kind::Event, 2),
            [b'4', b'3', ..] => (Kind::Ack, 2),
            [b'4', b'4', ..] => (Kind::Refused, 2),
            _ => (Kind::Other, 0),
        };
        let head = if frame[head..].starts_with(namespace) { head + namespace.len() } else { head };
        let digits = frame[head..].bytes().take_while(u8::is_ascii_digit).count();
        Self { kind, id: frame[head..head + digits].parse().ok(), body: head + digits }
    }
}

/// What stands before the body of each packet of a namespace: nothing for `/`, `/chat,` for `/chat`.
pub fn namespace_prefix(namespace: &str) -> String {
    match namespace {
        "" | "/" => String::new(),
        named => format!("/{},", named.trim_start_matches('/')),
    }
}

/// The name of an event, from the body `["name",…]`.
pub fn event_name(body: &str) -> &str {
    body.strip_prefix("[\"").and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed<'a>(frame: &'a str, namespace: &str) -> (Kind, Option<u64>, &'a str) {
        let packet = Packet::parse(frame, &namespace_prefix(namespace));
        (packet.kind, packet.id, &frame[packet.body..])
    }

    #[test]
    fn packets_of_the_root_namespace() {
        assert_eq!(parsed("0{\"sid\":1}", "/"), (Kind::Open, None, "{\"sid\":1}"));
        assert_eq!(parsed("2", "/"), (Kind::Ping, None, ""));
        assert_eq!(parsed("40{}", "/"), (Kind::Connected, None, "{}"));
        assert_eq!(parsed("42[\"a\",1]", "/"), (Kind::Event, None, "[\"a\",1]"));
        assert_eq!(parsed("4312[{}]", "/"), (Kind::Ack, Some(12), "[{}]"));
        assert_eq!(parsed("44{}", "/"), (Kind::Refused, None, "{}"));
    }

    #[test]
    fn packets_of_a_named_namespace() {
        assert_eq!(parsed("42/chat,[\"a\"]", "/chat"), (Kind::Event, None, "[\"a\"]"));
        assert_eq!(parsed("43/chat,7[]", "chat"), (Kind::Ack, Some(7), "[]"));
    }

    #[test]
    fn the_name_of_an_event() {
        assert_eq!(event_name("[\"user_typing\",{}]"), "user_typing");
        assert_eq!(event_name("{}"), "");
    }

    #[test]
    fn an_empty_frame_is_nothing() {
        assert_eq!(parsed("", "/").0, Kind::Other);
    }
}
