//! What clients ask of accounts, as they write it and as it is once checked.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::{LoginName, User};
use crate::caller::Role;
use crate::clock::Timestamp;
use crate::credentials::{Email, Password, Username};
use crate::error::{Error, Fields, Result};
use crate::text::DisplayName;

/// Body of `register`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RegisterBody {
    /// 3 to 30 of letters, digits, `.`, `_`, `-`; starts with a letter.
    #[schema(required, value_type = String, example = "johndoe")]
    pub username: Option<String>,
    /// Address.
    #[schema(required, value_type = String, example = "john@example.com")]
    pub email: Option<String>,
    /// At least 8 characters, at most 71 bytes.
    #[schema(required, value_type = String, example = "password123")]
    pub password: Option<String>,
    /// What the person is called.
    pub name: Option<String>,
    /// `user` (the default) or `driver`.
    #[schema(example = "user")]
    pub role: Option<String>,
}

/// A checked registration.
#[derive(Debug, Clone)]
pub struct Register {
    /// Name.
    pub username: Username,
    /// Address.
    pub email: Email,
    /// Password.
    pub password: Password,
    /// What the person is called.
    pub name: Option<String>,
    /// Where a picture is.
    pub image: Option<String>,
    /// `user` or `driver`.
    pub role: Role,
}

impl TryFrom<RegisterBody> for Register {
    type Error = Error;

    fn try_from(body: RegisterBody) -> Result<Self> {
        let mut fields = Fields::new();
        let username = fields.require("username", body.username, |text| text.parse());
        let email = fields.require("email", body.email, |text| text.parse());
        let password = fields.require("password", body.password, |text| text.parse());
        let name =
            fields.optional("name", body.name, DisplayName::parse).map(DisplayName::into_string);
        let role = fields.optional("role", body.role.as_deref(), registrable);
        let whole = (|| {
            let role = role.unwrap_or(Role::User);
            let (username, email, password) = (username?, email?, password?);
            Some(Self { username, email, password, name, image: None, role })
        })();
        fields.into_result(whole)
    }
}

fn registrable(word: &str) -> Result<Role, &'static str> {
    match word.parse() {
        Ok(role @ (Role::User | Role::Driver)) => Ok(role),
        _ => Err("must be user or driver"),
    }
}

/// Body of `login`: one of `email` and `username`, and the password.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LoginBody {
    /// Address.
    #[schema(example = "john@example.com")]
    pub email: Option<String>,
    /// Name.
    pub username: Option<String>,
    /// Password.
    #[schema(required, value_type = String, example = "password123")]
    pub password: Option<String>,
}

/// A checked login. The password may be anything: what is wrong with it is not told.
#[derive(Clone)]
pub struct LogIn {
    /// Who.
    pub name: LoginName,
    /// What they claim is their password.
    pub password: String,
}

impl TryFrom<LoginBody> for LogIn {
    type Error = Error;

    fn try_from(body: LoginBody) -> Result<Self> {
        let mut fields = Fields::new();
        let name = match (body.email, body.username) {
            (Some(text), None) | (None, Some(text)) if text.contains('@') => {
                Some(LoginName::Email(key(&text)))
            }
            (Some(text), None) | (None, Some(text)) => Some(LoginName::Username(key(&text))),
            (Some(_), Some(_)) => {
                fields.reject("username", "must not be given together with email");
                None
            }
            (None, None) => {
                fields.reject("email", "or username is required");
                None
            }
        };
        let password = fields.require("password", body.password, Ok::<_, Error>);
        fields.into_result((|| Some(Self { name: name?, password: password? }))())
    }
}

fn key(text: &str) -> String {
    text.trim().chars().take(254).flat_map(char::to_lowercase).collect()
}

/// Body of `refresh`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshBody {
    /// The refresh token of the last login or refresh.
    #[schema(required, value_type = String)]
    pub refresh_token: Option<String>,
}

/// Body of `logout`.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct LogoutBody {
    /// Every login session of the user, not just this one.
    #[serde(default)]
    pub all: bool,
}

/// Body of `forgot-password`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ForgotPasswordBody {
    /// Address of the account.
    #[schema(required, value_type = String, example = "john@example.com")]
    pub email: Option<String>,
}

/// Body of `reset-password`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ResetPasswordBody {
    /// From the link in the mail.
    #[schema(required, value_type = String)]
    pub token: Option<String>,
    /// The new password.
    #[schema(required, value_type = String, example = "password456")]
    pub password: Option<String>,
}

/// A fresh pair of tokens, and whose they are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoggedIn {
    /// Access token, a JWT.
    pub token: String,
    /// Refresh token, for one use.
    pub refresh_token: String,
    /// Seconds that the access token holds.
    pub expires_in: u64,
    /// Whose they are.
    pub user: User,
}

/// Payload of `refresh_token`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ExtendSocket {
    /// A newer access token of the same user.
    #[schema(required, value_type = String)]
    pub token: Option<String>,
}

/// Ack of `refresh_token`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SocketExtended {
    /// Until when the socket may live now.
    pub expires_at: Timestamp,
}
