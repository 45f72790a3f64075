//! Accounts: the cost of passwords, the first admin, and how mail is sent.

use secrecy::{ExposeSecret, SecretString};

use super::Vars;
use crate::credentials::{Email, Password, Username};

/// Accounts.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// `BCRYPT_COST`.
    pub bcrypt_cost: u32,
    /// `ADMIN_EMAIL`, `ADMIN_PASSWORD`, `ADMIN_USERNAME`: the first admin, created at start.
    pub admin: Option<FirstAdmin>,
    /// `SMTP_URL`, `SMTP_FROM`: how mail is sent.
    pub smtp: Option<SmtpConfig>,
}

/// The first admin.
#[derive(Debug, Clone)]
pub struct FirstAdmin {
    /// Name.
    pub username: Username,
    /// Address.
    pub email: Email,
    /// Password.
    pub password: Password,
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// `smtp://` or `smtps://`, with name and password where needed.
    pub url: SecretString,
    /// The sender.
    pub from: String,
}

impl AccountConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let bcrypt_cost = vars.parsed("BCRYPT_COST", "10");
        if !(4..=16).contains(&bcrypt_cost) {
            vars.reject("BCRYPT_COST", "must be 4 to 16");
        }
        Self { bcrypt_cost, admin: FirstAdmin::read(vars), smtp: SmtpConfig::read(vars) }
    }
}

impl FirstAdmin {
    fn read(vars: &mut Vars) -> Option<Self> {
        let username = vars.parsed_text("ADMIN_USERNAME", "admin");
        let email = vars.optional_parsed("ADMIN_EMAIL");
        let password = vars.secret("ADMIN_PASSWORD", "ADMIN_PASSWORD_FILE").and_then(|text| {
            let parsed = text.expose_secret().parse();
            parsed.map_err(|problem| vars.reject("ADMIN_PASSWORD", problem)).ok()
        });
        match (email, password) {
            (Some(email), Some(password)) => Some(Self { username: username?, email, password }),
            (None, None) => None,
            (Some(_), None) => {
                vars.reject("ADMIN_PASSWORD", "must be set when ADMIN_EMAIL is");
                None
            }
            (None, Some(_)) => {
                vars.reject("ADMIN_EMAIL", "must be set when ADMIN_PASSWORD is");
                None
            }
        }
    }
}

impl SmtpConfig {
    fn read(vars: &mut Vars) -> Option<Self> {
        let from = vars.text("SMTP_FROM", "no-reply@localhost");
        let secret = vars.secret("SMTP_URL", "SMTP_URL_FILE")?;
        let url = secret.expose_secret();
        if !url.starts_with("smtp://") && !url.starts_with("smtps://") {
            vars.reject("SMTP_URL", "must start with smtp:// or smtps://");
        }
        if from.parse::<lettre::message::Mailbox>().is_err() {
            vars.reject("SMTP_FROM", "must be an address, or a name and an address in <>");
        }
        Some(Self { url: secret, from })
    }
}
