//! WebSocket frames by hand, for clients that read very many: taken apart where they lie in the read buffer, with
//! nothing allocated or copied.

use anyhow::{Result, bail};

/// The longest frame taken in.
const LONGEST: usize = 64 * 1024 * 1024;
/// The mask of a client's frame. Random ones protect careless proxies; here is none, and zero leaves the text as it is.
const MASK: [u8; 4] = [0; 4];

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Text,
    Close,
    Ping,
    /// Binary, or an answer to nothing.
    Other,
}

/// The next frame of what was read, with the bytes that it takes up there; none if its end has not come yet.
pub fn next(bytes: &[u8]) -> Result<Option<(Purpose, &[u8], usize)>> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let purpose = match first {
        0x81 => Purpose::Text,
        0x88 => Purpose::Close,
        0x89 => Purpose::Ping,
        0x82 | 0x8a => Purpose::Other,
        _ => bail!("a frame in parts, or of an unknown kind: {first:#04x}"),
    };
    let (length, head) = match (second, rest) {
        (0..=125, _) => (u64::from(second), 2),
        (126, &[a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 4),
        (127, &[a, b, c, d, e, f, g, h, ..]) => (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 10),
        (126 | 127, _) => return Ok(None),
        _ => bail!("a masked frame from a server"),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > LONGEST {
        bail!("a frame of {length} bytes");
    }
    Ok(bytes.get(head..head + length).map(|payload| (purpose, payload, head + length)))
}

/// A frame with this payload, from a client.
pub fn encode(purpose: Purpose, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 14);
    frame.push(match purpose {
        Purpose::Text => 0x81,
        Purpose::Close => 0x88,
        Purpose::Ping => 0x89,
        Purpose::Other => 0x8a,
    });
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length @ 0..=125), _) => frame.push(0x80 | length),
        (_, Ok(length)) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a server would send it: neither masked nor marked so.
    fn from_server(length: usize) -> Vec<u8> {
        let mut frame = encode(Purpose::Text, &vec![b'x'; length]);
        frame[1] &= 0x7f;
        let head = frame.len() - length - MASK.len();
        frame.drain(head..head + MASK.len());
        frame
    }

    #[test]
    fn a_frame_of_any_length_comes_whole_or_not_at_all() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 200_000] {
            let frame = from_server(length);
            let two = [frame.clone(), frame.clone()].concat();
            let (purpose, payload, taken) = next(&two).expect("legal").expect("whole");
            assert_eq!((purpose, payload.len(), taken), (Purpose::Text, length, frame.len()));
            for part in [1, 2, 3, 9, frame.len() - 1].into_iter().filter(|&part| part < frame.len())
            {
                assert_eq!(next(&frame[..part]).expect("legal"), None, "{part} of {length}");
            }
        }
    }

    #[test]
    fn frames_that_no_server_may_send_are_refused() {
        assert!(next(&encode(Purpose::Text, b"masked")).is_err());
        assert!(next(&[0x01, 1, b'x']).is_err(), "the first part of several");
        assert!(next(&[0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn nothing_holds_no_frame() {
        assert_eq!(next(&[]).expect("legal"), None);
    }
}
