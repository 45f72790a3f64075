//! Whatever strangers send: every decoder of the list gives a request or an error, and does not panic.

mod list;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::support::server::run_embedded;
use list::{Decoder, decoders, is_an_answer};

/// Types of the documents that are read by code which is not public; tested beside it.
const PRIVATE: [&str; 4] = ["AssignOrderBody", "V1StatusBody", "RefreshTokenBody", "Nothing"];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9a-fA-F]{24}",
        "[0-9]{1,20}",
        "[a-z@.<>&]{0,40}",
        select(vec![
            "",
            "null",
            "2025-05-20T16:30:00Z",
            "-999999-01-01T00:00:00Z",
            "online",
            "delivered",
            "1e999"
        ])
        .prop_map(str::to_owned),
        (0_usize..70_000).prop_map(|length| "\u{1F600}".repeat(length / 4)),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-400.0..400.0_f64).prop_map(Value::from),
        (-2_i64..12).prop_map(Value::from),
    ]
}

/// Any JSON, in whose objects the names of fields are often those that are read.
fn json(fields: Vec<String>) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        let known = fields.iter().map(String::as_str).chain(NAMES).map(str::to_owned);
        let name = prop_oneof![4 => select(known.collect::<Vec<_>>()), 1 => text()];
        let object = prop::collection::vec((name, inner.clone()), 0..8);
        prop_oneof![
            1 => prop::collection::vec(inner, 0..8).prop_map(Value::from),
            3 => object.prop_map(|fields| Value::from(Map::from_iter(fields))),
        ]
    })
}

/// The names of fields inside of fields.
const NAMES: [&str; 12] = [
    "name",
    "quantity",
    "price",
    "address",
    "lat",
    "lng",
    "latitude",
    "longitude",
    "timestamp",
    "heading",
    "$gt",
    "type",
];

/// Objects of the decoder's own fields: these come farther than any JSON.
fn object(decoder: &Decoder) -> BoxedStrategy<Value> {
    let inner = json(decoder.fields.clone());
    let fields = decoder.fields.clone();
    let count = fields.len();
    let values = prop::collection::vec(prop::option::of(inner), count..=count);
    let object = values.prop_map(move |values| {
        let given = fields.iter().cloned().zip(values);
        Value::from(Map::from_iter(given.filter_map(|(name, value)| Some((name, value?)))))
    });
    prop_oneof![1 => json(decoder.fields.clone()), 3 => object].boxed()
}

fn each(check: impl Fn(&Decoder, &mut proptest::test_runner::TestRunner)) {
    for decoder in decoders() {
        let config = ProptestConfig { cases: 64, ..ProptestConfig::default() };
        check(&decoder, &mut proptest::test_runner::TestRunner::new(config));
    }
}

#[test]
fn any_json_is_a_request_or_an_error_of_the_clients() {
    each(|decoder, runner| {
        let outcome = runner.run(&object(decoder), |value| {
            let bytes = value.to_string();
            prop_assert!(is_an_answer(&(decoder.of_value)(&value)));
            prop_assert!(is_an_answer(&(decoder.of_bytes)(&bytes.into_bytes())));
            Ok(())
        });
        assert!(outcome.is_ok(), "{}: {}", decoder.name, outcome.unwrap_err());
    });
}

#[test]
fn any_bytes_are_a_request_or_an_error_of_the_clients() {
    each(|decoder, runner| {
        let cut = (object(decoder), any::<prop::sample::Index>(), any::<u8>());
        let bent = cut.prop_map(|(value, at, byte)| {
            let mut bytes = value.to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes
        });
        let bytes = prop_oneof![prop::collection::vec(any::<u8>(), 0..200), bent];
        let outcome = runner.run(&bytes, |bytes| {
            prop_assert!(is_an_answer(&(decoder.of_bytes)(&bytes)));
            Ok(())
        });
        assert!(outcome.is_ok(), "{}: {}", decoder.name, outcome.unwrap_err());
    });
}

#[test]
fn an_error_does_not_say_a_long_text_again() {
    let long = "x".repeat(1_000_000);
    for decoder in decoders() {
        for field in &decoder.fields {
            for value in [
                json!(long),
                json!([long]),
                json!({ long.as_str(): long }),
                json!([{ "name": [long] }]),
            ] {
                let answer = (decoder.of_value)(&json!({ field: value }));
                assert!(is_an_answer(&answer), "{} {field}", decoder.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_that_is_read_is_in_the_list() {
    run_embedded(&[], async |server| {
        let mut read = BTreeSet::new();
        let openapi = server.get("/docs/openapi.json").await.body;
        let paths = openapi["paths"].as_object().unwrap().values();
        for operation in paths.flat_map(|path| path.as_object().unwrap().values()) {
            read.extend(references(&operation["requestBody"]));
        }
        let asyncapi = server.get("/docs/asyncapi.json").await.body;
        for (key, operation) in asyncapi["operations"].as_object().unwrap() {
            if operation["action"] == "receive" {
                read.extend(references(&asyncapi["components"]["messages"][key]["payload"]));
            }
        }
        let mut known: BTreeSet<String> = PRIVATE.map(str::to_owned).into();
        known.extend(decoders().into_iter().map(|decoder| decoder.name));
        assert!(read.len() > 30, "{read:?}");
        assert_eq!(known, read);
    })
    .await;
}

/// The names of the types that a schema refers to.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some(path) => vec![path.rsplit('/').next().unwrap().to_owned()],
            None => fields.values().flat_map(references).collect(),
        },
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
