//! Configuration from the environment and `.env`, validated whole: every problem is found before
//! any is reported, and each is reported by the name of its variable (CONTRACT §9, §10).
//!
//! A struct per concern; the large ones are in files of their own. `vars.rs` reads single values.
//! `.env.example` lists every variable, and a test holds it to this file.

mod accounts;
mod drivers;
mod orders;
mod rates;
mod sockets;
mod values;
mod vars;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

pub use accounts::{AccountConfig, FirstAdmin, SmtpConfig};
pub use drivers::DriverConfig;
pub use orders::{Currency, OrderConfig};
pub use rates::Rates;
pub use sockets::SocketConfig;
pub use values::{
    AddressRange, AppEnv, CorsOrigins, DispatchMode, LogFormat, PresenceAudience, Rate,
    SocketParser, WatchPolicy,
};
pub use vars::{Problems, Vars};

/// Secrets that stand in public examples: refused in production.
const SAMPLE_SECRETS: [&str; 3] = [
    "your_super_secret_jwt_key_change_this_in_production",
    "your_jwt_secret_key",
    "change-me-to-at-least-32-random-bytes",
];

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Development, test or production.
    pub env: AppEnv,
    /// Where to listen.
    pub listen: Listen,
    /// Where data is kept.
    pub store: StoreConfig,
    /// Tokens and login sessions.
    pub tokens: TokenConfig,
    /// Accounts.
    pub accounts: AccountConfig,
    /// Connections and sockets.
    pub sockets: SocketConfig,
    /// Presence.
    pub presence: PresenceConfig,
    /// How long typing lasts without a new start (`TYPING_TIMEOUT`).
    pub typing_timeout: Duration,
    /// Orders and drivers.
    pub orders: OrderConfig,
    /// Drivers' sockets, and those who watch drivers.
    pub drivers: DriverConfig,
    /// How often each thing may be done.
    pub rates: Rates,
    /// Which web origins may call (`CORS_ORIGIN`).
    pub cors: CorsOrigins,
    /// Logging.
    pub log: LogConfig,
    /// How long a graceful stop may take (`SHUTDOWN_TIMEOUT`).
    pub shutdown_timeout: Duration,
}

/// Where to listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// `HOST`.
    pub host: IpAddr,
    /// `PORT`, a comma list; 0 lets the system choose.
    pub ports: Vec<u16>,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressRange>,
    /// `PUBLIC_URL`: how clients reach this server; links in mails start with it.
    pub public_url: String,
}

/// Where data is kept.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `MONGODB_URI`; the embedded store is used without it.
    pub mongodb_uri: Option<SecretString>,
    /// `DATA_DIR`: the embedded store, and a generated secret in development.
    pub data_dir: PathBuf,
}

/// Tokens and login sessions.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// `JWT_SECRET`; in development one is generated and kept in `DATA_DIR`.
    pub secret: Option<SecretString>,
    /// `JWT_EXPIRES_IN`.
    pub access_ttl: Duration,
    /// `REFRESH_EXPIRES_IN`; never less than `access_ttl`.
    pub refresh_ttl: Duration,
    /// `RESET_EXPIRES_IN`.
    pub reset_ttl: Duration,
}

/// Presence.
#[derive(Debug, Clone)]
pub struct PresenceConfig {
    /// `PRESENCE_GRACE`: how long after the last socket a user still counts as online.
    pub grace: Duration,
    /// `PRESENCE_AUDIENCE`: who is told.
    pub audience: PresenceAudience,
}

/// Logging.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `LOG_FORMAT`.
    pub format: LogFormat,
    /// `LOG_LEVEL`: a level, or directives as tracing's `EnvFilter` takes them.
    pub level: String,
}

impl Config {
    /// Reads `.env` and the environment; the environment wins.
    ///
    /// # Errors
    /// Every variable that is not valid, by name.
    pub fn from_env() -> Result<Self, Problems> {
        Self::from_vars(Vars::from_env())
    }

    /// Reads the configuration from given variables.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn from_vars(mut vars: Vars) -> Result<Self, Problems> {
        let config = Self::read(&mut vars);
        vars.finish()?;
        Ok(config)
    }

    fn read(vars: &mut Vars) -> Self {
        let env = vars.parsed("APP_ENV", "development");
        let listen = Listen::read(vars);
        Self {
            env,
            store: StoreConfig::read(vars),
            tokens: TokenConfig::read(vars, env),
            accounts: AccountConfig::read(vars),
            sockets: SocketConfig::read(vars),
            presence: PresenceConfig {
                grace: vars.duration("PRESENCE_GRACE", "5s"),
                audience: vars.parsed("PRESENCE_AUDIENCE", "everyone"),
            },
            typing_timeout: vars.duration("TYPING_TIMEOUT", "6s"),
            orders: OrderConfig::read(vars),
            drivers: DriverConfig::read(vars, env),
            rates: Rates::read(vars),
            cors: CorsOrigins::read(vars, env),
            log: LogConfig {
                format: vars.parsed("LOG_FORMAT", "text"),
                level: vars.text("LOG_LEVEL", "info"),
            },
            shutdown_timeout: vars.duration("SHUTDOWN_TIMEOUT", "10s"),
            listen,
        }
    }
}

impl Listen {
    fn read(vars: &mut Vars) -> Self {
        let ports = vars.list("PORT", "3000");
        if ports.is_empty() {
            vars.reject("PORT", "must name at least one port");
        }
        let default_url = format!("http://localhost:{}", ports.first().unwrap_or(&3000));
        Self {
            host: vars.parsed("HOST", "::"),
            ports,
            trusted_proxies: vars.list("TRUSTED_PROXIES", ""),
            public_url: vars.optional("PUBLIC_URL").unwrap_or(default_url),
        }
    }
}

impl StoreConfig {
    fn read(vars: &mut Vars) -> Self {
        let uri = vars.optional("MONGODB_URI");
        if uri.as_deref().is_some_and(|uri| !uri.starts_with("mongodb")) {
            vars.reject("MONGODB_URI", "must start with mongodb:// or mongodb+srv://");
        }
        Self {
            mongodb_uri: uri.map(SecretString::from),
            data_dir: vars.text("DATA_DIR", "./data").into(),
        }
    }
}

impl TokenConfig {
    fn read(vars: &mut Vars, env: AppEnv) -> Self {
        let secret = vars.optional("JWT_SECRET").map(SecretString::from);
        if env == AppEnv::Production {
            match &secret {
                None => vars.reject("JWT_SECRET", "must be set in production"),
                Some(text) => check_production_secret(vars, text.expose_secret()),
            }
        }
        let access_ttl = vars.duration("JWT_EXPIRES_IN", "7d");
        Self {
            secret,
            access_ttl,
            // A login session is forgotten with its last refresh token.
            refresh_ttl: vars.duration("REFRESH_EXPIRES_IN", "30d").max(access_ttl),
            reset_ttl: vars.duration("RESET_EXPIRES_IN", "1h"),
        }
    }
}

fn check_production_secret(vars: &mut Vars, secret: &str) {
    if secret.len() < 32 {
        vars.reject("JWT_SECRET", "must have at least 32 bytes in production");
    }
    if SAMPLE_SECRETS.contains(&secret) {
        vars.reject("JWT_SECRET", "is a sample value from an example; choose your own");
    }
}

#[cfg(test)]
mod tests;
