//! Configuration from the environment and `.env`, validated whole: every problem is found before
//! any is reported, and each is reported by the name of its variable (CONTRACT §9, §10).
//!
//! A struct per concern; the large ones are in files of their own. `vars.rs` reads single values.
//! `.env.example` lists every variable, and a test holds it to this file.

mod accounts;
mod drivers;
mod listen;
mod orders;
mod rates;
mod sockets;
mod tokens;
mod traces;
mod values;
mod vars;

use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

pub use accounts::{AccountConfig, FirstAdmin, SmtpConfig};
pub use drivers::DriverConfig;
pub use listen::{Listen, OperationsPort, TlsConfig};
pub use orders::{Currency, OrderConfig};
pub use rates::Rates;
pub use sockets::SocketConfig;
pub use tokens::{Secrets, TokenConfig};
pub use traces::{OtlpEndpoint, SampleRatio, TraceConfig};
pub use values::{
    AddressRange, AppEnv, CorsOrigins, DispatchMode, LogFormat, LogLevel, PresenceAudience, Rate,
    SocketParser, WatchPolicy,
};
pub use vars::{Problems, Vars};

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
    /// After how long the text of a message is deleted; never without (`MESSAGE_RETENTION`).
    pub message_retention: Option<Duration>,
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
    /// The export of traces.
    pub traces: TraceConfig,
    /// How long a graceful stop may take (`SHUTDOWN_TIMEOUT`).
    pub shutdown_timeout: Duration,
}

/// Where data is kept.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `MONGODB_URI`; the embedded store is used without it.
    pub mongodb_uri: Option<SecretString>,
    /// `DATA_DIR`: the embedded store, and a generated secret in development.
    pub data_dir: PathBuf,
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
    /// `LOG_LEVEL`.
    pub level: LogLevel,
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
            message_retention: vars.duration_or_off("MESSAGE_RETENTION", "off"),
            orders: OrderConfig::read(vars),
            drivers: DriverConfig::read(vars, env),
            rates: Rates::read(vars),
            cors: CorsOrigins::read(vars, env),
            log: LogConfig {
                format: vars.parsed("LOG_FORMAT", "text"),
                level: vars.parsed("LOG_LEVEL", "info"),
            },
            traces: TraceConfig::read(vars),
            shutdown_timeout: vars.duration("SHUTDOWN_TIMEOUT", "10s"),
            listen,
        }
    }
}

impl StoreConfig {
    fn read(vars: &mut Vars) -> Self {
        let uri = vars.secret("MONGODB_URI", "MONGODB_URI_FILE");
        if uri.as_ref().is_some_and(|uri| !uri.expose_secret().starts_with("mongodb")) {
            vars.reject("MONGODB_URI", "must start with mongodb:// or mongodb+srv://");
        }
        Self { mongodb_uri: uri, data_dir: vars.text("DATA_DIR", "./data").into() }
    }
}

#[cfg(test)]
mod tests;
