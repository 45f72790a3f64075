//! Accounts: the cost of passwords, the first admin, and how mail is sent.

use std::str::FromStr;

use lettre::{AsyncSmtpTransport, Tokio1Executor};
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

struct BcryptCost(u32);

impl FromStr for BcryptCost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let cost = text.parse().ok().filter(|cost| (4..=16).contains(cost));
        cost.map(Self).ok_or("must be a number from 4 to 16")
    }
}

impl AccountConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let BcryptCost(bcrypt_cost) = vars.parsed("BCRYPT_COST", "10");
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
            (Some(_), None) if !vars.are_set(&["ADMIN_PASSWORD", "ADMIN_PASSWORD_FILE"]) => {
                vars.reject("ADMIN_PASSWORD", "must be set when ADMIN_EMAIL is");
                None
            }
            (None, Some(_)) if !vars.are_set(&["ADMIN_EMAIL"]) => {
                vars.reject("ADMIN_EMAIL", "must be set when ADMIN_PASSWORD is");
                None
            }
            // Neither is set, or it was said what is wrong with one.
            _ => None,
        }
    }
}

impl SmtpConfig {
    fn read(vars: &mut Vars) -> Option<Self> {
        let from = vars.text("SMTP_FROM", "no-reply@localhost");
        let secret = vars.secret("SMTP_URL", "SMTP_URL_FILE")?;
        let url = secret.expose_secret();
        let is_mail = url.starts_with("smtp://") || url.starts_with("smtps://");
        if !is_mail || AsyncSmtpTransport::<Tokio1Executor>::from_url(url).is_err() {
            vars.reject("SMTP_URL", "must be smtp:// or smtps:// and a host, as in smtps://name:password@mail.example.com");
        }
        if from.parse::<lettre::message::Mailbox>().is_err() {
            vars.reject("SMTP_FROM", "must be an address, or a name and an address in <>");
        }
        Some(Self { url: secret, from })
    }
}
