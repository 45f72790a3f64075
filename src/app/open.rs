//! Opens what a server stands on: the store, and the secret that tokens are signed with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::config::{Config, Secrets};
use crate::store::embedded::{self, Embedded};
use crate::store::mongo::{ConnectError, MigrateError, Mongo};
use crate::store::{Stores, mongo};
use crate::{auth, chat, drivers, orders, presence, rooms};

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite.
    #[error(transparent)]
    Embedded(#[from] embedded::OpenError),
    /// MongoDB cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// MongoDB holds something this version cannot use.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The generated secret.
    #[error(
        "the secret in {path} cannot be read or written: {cause}; set JWT_SECRET or another DATA_DIR"
    )]
    Secret {
        /// Where.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

pub(super) async fn stores(config: &Config) -> Result<Stores, OpenError> {
    let Some(uri) = &config.store.mongodb_uri else {
        let path = database(config);
        let steps = [
            auth::store::embedded::MIGRATIONS,
            presence::store::embedded::MIGRATIONS,
            chat::store::embedded::MIGRATIONS,
            rooms::store::embedded::MIGRATIONS,
            drivers::store::embedded::MIGRATIONS,
            orders::store::embedded::MIGRATIONS,
        ];
        return Ok(Stores::Embedded(Embedded::open(&path, &steps.concat())?));
    };
    let mongo = Mongo::connect(uri.expose_secret()).await?;
    if !mongo.is_replica_set() {
        tracing::warn!(
            "MongoDB runs alone, not as a replica set: acknowledged writes are on its disk only, \
             and several waggle nodes cannot use it"
        );
    }
    let steps: [&[mongo::MongoMigration]; 6] = [
        auth::store::mongo::MIGRATIONS,
        presence::store::mongo::MIGRATIONS,
        chat::store::mongo::MIGRATIONS,
        rooms::store::mongo::MIGRATIONS,
        drivers::store::mongo::MIGRATIONS,
        orders::store::mongo::MIGRATIONS,
    ];
    for domain in steps {
        mongo.migrate(domain).await?;
    }
    Ok(Stores::Mongo(mongo))
}

/// The file of the embedded store.
pub(super) fn database(config: &Config) -> PathBuf {
    config.store.data_dir.join("waggle.db")
}

/// The configured secrets, or one that is generated once and kept, so that `cargo run` needs none.
pub(super) fn secrets(config: &Config) -> Result<Secrets, OpenError> {
    let previous = config.tokens.previous_secrets.clone();
    Ok(Secrets { current: current_secret(config)?, previous })
}

fn current_secret(config: &Config) -> Result<SecretString, OpenError> {
    if let Some(secret) = &config.tokens.secret {
        if secret.expose_secret().len() < 32 {
            tracing::warn!("JWT_SECRET is shorter than 32 bytes; production refuses it");
        }
        return Ok(secret.clone());
    }
    let path = config.store.data_dir.join("jwt-secret");
    kept_secret(&path).map_err(|cause| OpenError::Secret { path, cause })
}

fn kept_secret(path: &PathBuf) -> io::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(kept) if kept.len() >= 32 => return Ok(kept.into()),
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too short")),
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => {}
        Err(problem) => return Err(problem),
    }
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let secret = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    // Whole or not at all, also when the process ends in between.
    let unfinished = path.with_extension("new");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    tracing::info!("no JWT_SECRET: one was generated and is kept in DATA_DIR");
    Ok(secret.into())
}
