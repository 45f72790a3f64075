//! Reading requests: JSON into types, and fields into values, with everything that is wrong told
//! at once.

use std::borrow::Cow;
use std::fmt;

use super::{Error, FieldError, Result};

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

/// Reads `T` from JSON. A wrong type is `validation_failed` with the path of the field; text that
/// is not JSON at all is `malformed`.
pub fn from_json<'de, T, R>(deserializer: &mut serde_json::Deserializer<R>) -> Result<T>
where
    T: serde::Deserialize<'de>,
    R: serde_json::de::Read<'de>,
{
    serde_path_to_error::deserialize(deserializer).map_err(|problem| {
        let path = problem.path().to_string();
        let inner = problem.into_inner();
        if inner.is_data() {
            invalid_at(path, &inner)
        } else {
            Error::malformed("The body is not valid JSON")
        }
    })
}

/// Reads `T` from a decoded JSON value; problems as in [`from_json`].
pub fn from_value<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T> {
    serde_path_to_error::deserialize(value)
        .map_err(|problem| invalid_at(problem.path().to_string(), problem.inner()))
}

fn invalid_at(path: String, problem: &serde_json::Error) -> Error {
    let text = problem.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let field = if path == "." { "payload".to_owned() } else { path };
    Error::invalid(field, format!("is not valid: {text}"))
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
        let error =
            from_json::<Body, _>(&mut serde_json::Deserializer::from_str("{nope")).unwrap_err();
        assert_eq!(error.code, Code::Malformed);
    }
}
