//! Tokens, login sessions, and the secret behind them.

use std::collections::HashSet;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{AppEnv, Vars};

/// Secrets that stand in public examples: refused in production.
pub(super) const SAMPLE_SECRETS: [&str; 3] = [
    "your_super_secret_jwt_key_change_this_in_production",
    "your_jwt_secret_key",
    "change-me-to-at-least-32-random-bytes",
];

/// Different bytes that a secret must have; 32 random hex digits never have fewer.
const FEWEST_DIFFERENT: usize = 6;

/// What tokens are signed with.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Signs, and verifies.
    pub current: SecretString,
    /// Verify only: what was signed before `current` took their place.
    pub previous: Vec<SecretString>,
}

impl Secrets {
    /// Those that verify, the current one first.
    pub fn verifying(&self) -> impl Iterator<Item = &SecretString> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

/// Tokens and login sessions.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// `JWT_SECRET`; in development one is generated and kept in `DATA_DIR`.
    pub secret: Option<SecretString>,
    /// `JWT_PREVIOUS_SECRETS`: what they were signed with before.
    pub previous_secrets: Vec<SecretString>,
    /// `JWT_EXPIRES_IN`.
    pub access_ttl: Duration,
    /// `REFRESH_EXPIRES_IN`; never less than `access_ttl`.
    pub refresh_ttl: Duration,
    /// `RESET_EXPIRES_IN`.
    pub reset_ttl: Duration,
}

impl TokenConfig {
    pub(super) fn read(vars: &mut Vars, env: AppEnv) -> Self {
        let secret = vars.secret("JWT_SECRET", "JWT_SECRET_FILE");
        let previous_secrets = read_list(vars);
        if env == AppEnv::Production {
            match &secret {
                None => vars.reject("JWT_SECRET", "must be set in production"),
                Some(secret) => check_production_secret(vars, "JWT_SECRET", secret),
            }
            for secret in &previous_secrets {
                check_production_secret(vars, "JWT_PREVIOUS_SECRETS", secret);
            }
        }
        let access_ttl = vars.duration("JWT_EXPIRES_IN", "7d");
        Self {
            secret,
            previous_secrets,
            access_ttl,
            // A login session is forgotten with its last refresh token.
            refresh_ttl: vars.duration("REFRESH_EXPIRES_IN", "30d").max(access_ttl),
            reset_ttl: vars.duration("RESET_EXPIRES_IN", "1h"),
        }
    }
}

/// One on each line, or in one line with commas.
fn read_list(vars: &mut Vars) -> Vec<SecretString> {
    let list = vars.secret("JWT_PREVIOUS_SECRETS", "JWT_PREVIOUS_SECRETS_FILE");
    let list = list.as_ref().map_or("", |list| list.expose_secret());
    let between = if list.contains('\n') { '\n' } else { ',' };
    let each = list.split(between).map(str::trim).filter(|secret| !secret.is_empty());
    each.map(SecretString::from).collect()
}

/// Whether it stands in a public example, or says of itself that it is to be changed, or is hardly
/// more than one letter again and again.
fn is_sample(secret: &str) -> bool {
    let lower = secret.to_ascii_lowercase();
    let says_so = ["change", "example", "your"].iter().any(|word| lower.contains(word));
    let different: HashSet<u8> = secret.bytes().collect();
    SAMPLE_SECRETS.contains(&secret) || says_so || different.len() < FEWEST_DIFFERENT
}

fn check_production_secret(vars: &mut Vars, name: &str, secret: &SecretString) {
    let secret = secret.expose_secret();
    if secret.len() < 32 {
        vars.reject(name, "must have at least 32 bytes in production");
    }
    if is_sample(secret) {
        vars.reject(name, "looks like a sample value from an example; take random bytes, as of `openssl rand -hex 32`");
    }
}
