//! Access tokens taken apart and made by hand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::Value;
use waggle::clock::Clock;

use super::Person;
use super::server::SECRET;

/// A part of a token: 0 its head, 1 its claims.
pub(crate) fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

/// These claims, signed.
pub(crate) fn sign(claims: &Value, algorithm: Algorithm, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(algorithm), claims, &key).unwrap()
}

/// Whole seconds since 1970.
pub(crate) fn now() -> i64 {
    Clock::system().now().seconds()
}

impl Person {
    /// The claims of the access token.
    pub(crate) fn claims(&self) -> Value {
        part(&self.token, 1)
    }

    /// The access token with one claim changed, signed as the server does.
    pub(crate) fn forge(&self, claim: &str, value: impl Into<Value>) -> String {
        let mut claims = self.claims();
        claims[claim] = value.into();
        sign(&claims, Algorithm::HS256, SECRET)
    }

    /// The same person with an access token that ends in so many seconds.
    pub(crate) fn until(&self, seconds: i64) -> Self {
        Self { token: self.forge("exp", now() + seconds), ..self.clone() }
    }
}
