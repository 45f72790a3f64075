//! The directory of users: what can be asked and changed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::model::User;
use crate::credentials::Email;
use crate::error::{Fields, Result};
use crate::text::DisplayName;

/// What `PATCH /api/auth/me` may change. A field left out stays; `null` clears name and image.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ProfileBody {
    /// What the person is called.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "Alice B.")]
    pub name: Option<Option<String>>,
    /// An absolute http(s) address, or a plain file name.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "alice.png")]
    pub image: Option<Option<String>>,
    /// Address.
    pub email: Option<String>,
}

/// Tells `null` from absent: a field that is there is `Some`, whatever it holds.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// A checked change of a profile; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// New name, or none any more.
    pub name: Option<Option<String>>,
    /// New picture, or none any more.
    pub image: Option<Option<String>>,
    /// New address.
    pub email: Option<Email>,
}

impl TryFrom<ProfileBody> for ProfileChange {
    type Error = crate::error::Error;

    fn try_from(body: ProfileBody) -> Result<Self> {
        let mut fields = Fields::new();
        let change = Self {
            name: cleared_or(body.name, |name| {
                fields
                    .optional("name", Some(name), DisplayName::parse)
                    .map(DisplayName::into_string)
            }),
            image: None,
            email: fields.optional("email", body.email, |email| email.parse()),
        };
        let image =
            cleared_or(body.image, |image| fields.optional("image", Some(image), image_address));
        fields.finish()?;
        Ok(Self { image, ..change })
    }
}

fn cleared_or(
    field: Option<Option<String>>,
    check: impl FnOnce(String) -> Option<String>,
) -> Option<Option<String>> {
    field.map(|value| value.and_then(check))
}

/// Pictures are shown by clients, so an address may not run anything (`javascript:`, `data:`).
fn image_address(raw: String) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '\'' | '`' | '\\');
    let harmless = raw.starts_with("https://") || raw.starts_with("http://") || !raw.contains(':');
    if raw.is_empty() || raw.len() > 2048 || !harmless || !raw.chars().all(plain) {
        return Err("must be an http(s) address or a file name of at most 2048 characters");
    }
    Ok(raw)
}

/// Which users a list is about.
#[derive(Debug, Clone, Default)]
pub struct UserQuery {
    /// Part of a username or display name, without regard to case; lower case.
    pub search: Option<String>,
    /// Only usernames behind this one ([`crate::credentials::Username::key`]).
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// `{users, nextCursor?}`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserPage {
    /// By username, without the caller.
    pub users: Vec<User>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `{user}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneUser {
    /// The caller.
    pub user: User,
}
