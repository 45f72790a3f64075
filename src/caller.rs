//! Who calls: the user, role and login session behind a token, the same at every door.

use async_trait::async_trait;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{LoginId, UserId};

/// What an account may do (CONTRACT §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A customer.
    User,
    /// Somebody who delivers.
    Driver,
    /// Somebody who cooks.
    Restaurant,
    /// Somebody who operates the service.
    Admin,
}

impl Role {
    /// The word on the wire and in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Driver => "driver",
            Self::Restaurant => "restaurant",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::User, Self::Driver, Self::Restaurant, Self::Admin]
            .into_iter()
            .find(|role| role.word() == word)
            .ok_or("must be user, driver, restaurant or admin")
    }
}

/// Somebody whose token holds. Made by [`CheckToken`] only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// What the *account* may do now, whatever the token says.
    pub role: Role,
    /// Through which login.
    pub login: LoginId,
    /// Until when the token holds.
    pub expires_at: Timestamp,
}

/// That the caller is an admin.
///
/// # Errors
/// `forbidden` for others.
pub fn must_be_admin(caller: Caller) -> Result<()> {
    if caller.role == Role::Admin {
        Ok(())
    } else {
        Err(Error::forbidden("Only admins can do this"))
    }
}

/// The one token check of all doors.
#[async_trait]
pub trait CheckToken: Send + Sync {
    /// Whose token this is.
    ///
    /// # Errors
    /// `unauthenticated` when it does not hold or its login session has ended, `token_expired`
    /// when its time is over, `unavailable` when that cannot be found out now.
    async fn check_token(&self, token: &str) -> Result<Caller>;
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
pub fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
        .filter(|token| !token.is_empty())
}

/// The `token` parameter of a query.
pub fn query_token(query: Option<&str>) -> Option<String> {
    let pair = query?.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    Some(pair.to_owned()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_token_is_taken_whole_from_where_it_stands_or_not_at_all(token in "[A-Za-z0-9_.-]{1,80}", before: String, header: Vec<u8>) {
            let query = format!("{}&token={token}&token=other", before.replace("token=", ""));
            prop_assert_eq!(query_token(Some(&query)), Some(token.clone()));
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&header) {
                headers.insert(header::AUTHORIZATION, value);
                prop_assert!(bearer(&headers).is_none_or(|token| !token.trim().is_empty()));
            }
            headers.insert(header::AUTHORIZATION, format!("bEARER {token}").parse().unwrap());
            prop_assert_eq!(bearer(&headers), Some(token));
            prop_assert!(query_token(Some(&before)).is_none_or(|token| !token.is_empty()));
        }
    }
}
