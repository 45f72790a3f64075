//! A byte that says which, then an event's payload or a body of REST: a request or an error of the client's.
#![no_main]

#[path = "../../tests/api/decoders/list.rs"]
#[expect(dead_code, reason = "the property tests use all of it")]
mod list;

use libfuzzer_sys::fuzz_target;
use list::{Decoder, decoders, is_an_answer};
use serde_json::Value;

thread_local! {
    static DECODERS: Vec<Decoder> = decoders();
}

fuzz_target!(|input: (u8, &[u8])| {
    let (which, bytes) = input;
    DECODERS.with(|decoders| {
        let decoder = &decoders[usize::from(which) % decoders.len()];
        assert!(is_an_answer(&(decoder.of_bytes)(&bytes.to_vec())), "{}", decoder.name);
        if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
            assert!(is_an_answer(&(decoder.of_value)(&value)), "{}", decoder.name);
        }
    });
});
