//! Reading requests: JSON into types, and fields into values, with everything that is wrong told
//! at once.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::{Error, FieldError, Result, WHOLE};

/// Collects what is wrong with a request, so that a client hears of all of it at once.
#[derive(Debug, Default)]
pub struct Fields(Vec<FieldError>);

impl Fields {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that `field` is wrong.
    pub fn reject(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), message: message.into() });
    }

    /// The parsed value of a field that must be there.
    pub fn require<V, T, E: fmt::Display>(
        &mut self,
        field: &'static str,
        value: Option<V>,
        parse: impl FnOnce(V) -> std::result::Result<T, E>,
    ) -> Option<T> {
        if value.is_none() {
            self.reject(field, "is required");
        }
        self.optional(field, value, parse)
    }

    /// The parsed value of a field that may be missing.
    pub fn optional<V, T, E: fmt::Display>(
        &mut self,
        field: &'static str,
        value: Option<V>,
        parse: impl FnOnce(V) -> std::result::Result<T, E>,
    ) -> Option<T> {
        match parse(value?) {
            Ok(parsed) => Some(parsed),
            Err(problem) => {
                self.reject(field, problem.to_string());
                None
            }
        }
    }

    /// What was read, or nothing: what is wrong with it is taken over.
    pub fn check<T>(&mut self, read: Result<T>) -> Option<T> {
        read.map_err(|error| self.0.extend(error.details)).ok()
    }

    /// Takes over what is wrong with a part of the request, as `part.field`.
    pub fn adopt(&mut self, part: &str, of_part: Self) {
        for FieldError { field, message } in of_part.0 {
            self.reject(format!("{part}.{field}"), message);
        }
    }

    /// Forgets all but the first `most` that were rejected.
    pub fn truncate(&mut self, most: usize) {
        self.0.truncate(most);
    }

    /// `Ok` when nothing was rejected.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::validation(self.0)) }
    }

    /// The value built from the parsed parts; `None` only when a field was rejected.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T> {
        self.finish()?;
        value.ok_or_else(|| Error::internal("a field was dropped without being rejected"))
    }
}

/// A part of a request that is an object. serde alone would read a struct from a list as well.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// [`Object`] for a field: `#[serde(deserialize_with = "object")]`.
///
/// # Errors
/// What is no object, and what `T` does not take.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Reads `T` from a whole text of JSON. A wrong type is `validation_failed` with the path of the
/// field; text that is not JSON at all is `malformed`.
pub fn from_json<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T> {
    let malformed = |_| Error::malformed("The body is not valid JSON");
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut deserializer);
    let value = value.map_err(|problem| {
        // Of a value of the wrong kind serde says at times that it is no JSON.
        let is_json =
            problem.inner().is_data() || serde_json::from_slice::<serde_json::Value>(json).is_ok();
        if is_json {
            invalid_at(&problem.path().to_string(), problem.inner())
        } else {
            malformed(problem.into_inner())
        }
    })?;
    deserializer.end().map_err(malformed)?;
    Ok(value)
}

/// Reads `T` from a decoded JSON value; problems as in [`from_json`].
pub fn from_value<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_path_to_error::deserialize(value)
        .map_err(|problem| invalid_at(&problem.path().to_string(), problem.inner()))
}

fn invalid_at(path: &str, problem: &serde_json::Error) -> Error {
    let text = problem.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    // Both may hold what the client sent, whose length nobody else bounds.
    let field = if path == "." { WHOLE.to_owned() } else { format!("{path:.200}") };
    Error::invalid(field, format!("{:.200}", rule(text)))
}

/// What serde says of a value, as what it must be.
fn rule(problem: &str) -> String {
    let Some((_, expected)) = problem.rsplit_once(", expected ") else {
        return match problem {
            "expected value" => "is of the wrong kind".to_owned(),
            text if text.starts_with("data did not match any variant") => {
                "is of the wrong kind".to_owned()
            }
            text => format!("is not valid: {text}"),
        };
    };
    let expected = match expected {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "a sequence" => "a list",
        "a map" => "an object",
        structure if structure.starts_with("struct ") => "an object",
        other => other,
    };
    format!("must be {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[derive(Debug, serde::Deserialize)]
    struct Body {
        #[expect(dead_code)]
        content: Option<String>,
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        let error = from_value::<Body>(serde_json::json!({"content": {"$gt": ""}})).unwrap_err();
        assert_eq!(error.code, Code::ValidationFailed);
        assert_eq!(error.details[0].field, "content");
    }

    #[test]
    fn text_that_is_not_json_is_malformed() {
        for text in [&b"{nope"[..], b"{}{}", b"", b"{\"content\":\"\xff\"}"] {
            let error = from_json::<Body>(text).unwrap_err();
            assert_eq!(error.code, Code::Malformed, "{text:?}");
        }
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Two,
    }

    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code)]
    struct Kinds {
        kind: Option<Kind>,
        number: Option<f64>,
        count: Option<u32>,
        list: Option<Vec<Object<Body>>>,
        body: Option<Body>,
    }

    #[test]
    fn a_wrong_type_is_told_in_words_that_clients_know() {
        for (json, field, rule) in [
            (r#"{"number": "1"}"#, "number", "must be a number"),
            (r#"{"count": 1.5}"#, "count", "must be a whole number"),
            (r#"{"list": {}}"#, "list", "must be a list"),
            (r#"{"list": [["a"]]}"#, "list[0]", "must be an object"),
            (r#"{"body": "a"}"#, "body", "must be an object"),
            (r#"{"body": {"content": 1}}"#, "body.content", "must be a string"),
            (r#"{"kind": 5}"#, "kind", "is of the wrong kind"),
            (r#"{"kind": "three"}"#, "kind", "must be `one` or `two`"),
        ] {
            let error = from_json::<Kinds>(json.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::ValidationFailed, "{json}");
            assert_eq!(error.details[0].field, field, "{json}");
            assert_eq!(error.details[0].message, rule, "{json}");
        }
        assert!(matches!(Kind::deserialize(serde_json::json!("one")), Ok(Kind::One)));
        assert!(matches!(Kind::deserialize(serde_json::json!("two")), Ok(Kind::Two)));
    }
}
