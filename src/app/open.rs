//! Opens what a server stands on: the store, and the secret that tokens are signed with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use crate::config::{Config, Secrets};
use crate::store::embedded::{self, Embedded};
use crate::store::mongo::{ConnectError, MigrateError, Mongo, MongoMigration};
use crate::store::{Migration, Stores};
use crate::{auth, chat, drivers, orders, presence, privacy, rooms};

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

/// The schema of every domain on SQLite: what [`Embedded::open`] is given.
pub fn embedded_migrations() -> Vec<Migration> {
    [
        auth::store::embedded::MIGRATIONS,
        presence::store::embedded::MIGRATIONS,
        chat::store::embedded::MIGRATIONS,
        rooms::store::embedded::MIGRATIONS,
        drivers::store::embedded::MIGRATIONS,
        orders::store::embedded::MIGRATIONS,
        privacy::store::embedded::MIGRATIONS,
    ]
    .concat()
}

/// The same on MongoDB: what [`Mongo::migrate`] is given.
pub fn mongo_migrations() -> Vec<MongoMigration> {
    [
        auth::store::mongo::MIGRATIONS,
        presence::store::mongo::MIGRATIONS,
        chat::store::mongo::MIGRATIONS,
        rooms::store::mongo::MIGRATIONS,
        drivers::store::mongo::MIGRATIONS,
        orders::store::mongo::MIGRATIONS,
        privacy::store::mongo::MIGRATIONS,
    ]
    .concat()
}

/// That there is a store, where one would else be made: a tool makes none.
pub(super) fn must_be_there(config: &Config) -> Result<(), OpenError> {
    let path = database(config);
    if config.store.mongodb_uri.is_none() && !path.is_file() {
        return Err(embedded::OpenError::Missing { path }.into());
    }
    Ok(())
}

/// The store beside a server that may use it, as it is.
pub(super) async fn stores_beside(config: &Config) -> Result<Stores, OpenError> {
    let Some(uri) = &config.store.mongodb_uri else {
        let beside = Embedded::beside(&database(config), &embedded_migrations())?;
        return Ok(Stores::Embedded(beside));
    };
    let mongo = Mongo::connect(uri.expose_secret()).await?;
    mongo.must_be(&mongo_migrations()).await?;
    Ok(Stores::Mongo(mongo))
}

pub(super) async fn stores(config: &Config) -> Result<Stores, OpenError> {
    let Some(uri) = &config.store.mongodb_uri else {
        let path = database(config);
        return Ok(Stores::Embedded(Embedded::open(&path, &embedded_migrations())?));
    };
    let mongo = Mongo::connect(uri.expose_secret()).await?;
    if !mongo.is_replica_set() {
        tracing::warn!(
            "MongoDB runs alone, not as a replica set: acknowledged writes are on its disk only, \
             and several waggle nodes cannot use it"
        );
    }
    mongo.migrate(&mongo_migrations()).await?;
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
