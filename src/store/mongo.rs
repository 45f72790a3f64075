//! The MongoDB handle: connecting, what every write promises, and the version of the schema.
//!
//! Not here: documents. Each domain's store knows its own.

pub(crate) mod fields;
pub(crate) mod geo;
pub(crate) mod index;
mod migrate;
pub(crate) mod operation;
mod options;

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::options::{ReadConcern, WriteConcern};
use mongodb::{Client, Collection, Database};
use tokio::time::Instant;

pub use self::migrate::{MigrateError, MongoMigration};
use self::operation::{bounded, run};
use crate::error::Result;

/// How long the first connection is tried.
const FIRST_CONNECTION: Duration = Duration::from_secs(30);
/// Between two tries.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URI cannot be read.
    #[error("the MongoDB URI is not valid: {0}")]
    Uri(String),
    /// The server refuses the user.
    #[error("MongoDB refuses the connection: {0}")]
    Refused(String),
    /// Nobody answered for 30 s.
    #[error("MongoDB does not answer: {0}")]
    Unreachable(String),
}

/// A database on a MongoDB server or replica set. Clones share one connection pool.
#[derive(Debug, Clone)]
pub struct Mongo {
    database: Database,
    replica_set: bool,
}

impl Mongo {
    /// Connects to the database that `uri` names, else to `waggle`. A server that does not
    /// answer is tried again for 30 s.
    ///
    /// # Errors
    /// The URI is not valid, the server refuses the user, or nobody answers.
    pub async fn connect(uri: &str) -> Result<Self, ConnectError> {
        let options = options::parse(uri).await?;
        operation::run_at_once(options.max_pool_size.unwrap_or(operation::CONNECTIONS));
        let client =
            Client::with_options(options).map_err(|error| options::uri_error(uri, &error))?;
        let database = client.database(
            client.default_database().as_ref().map_or(options::DEFAULT_DATABASE, Database::name),
        );
        let hello = await_hello(&database).await?;
        Ok(Self { database, replica_set: hello.contains_key("setName") })
    }

    /// The database. Its writes wait for a majority and the journal.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Whether the server is a member of a replica set, which change streams need.
    pub fn is_replica_set(&self) -> bool {
        self.replica_set
    }

    /// Asks whether the server answers.
    ///
    /// # Errors
    /// `unavailable` when it does not.
    pub async fn ping(&self) -> Result<()> {
        let database = self.database.clone();
        run(async move { database.run_command(doc! { "ping": 1 }).await }).await?;
        Ok(())
    }

    /// A collection, whose writes are durable when they return.
    pub(crate) fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.database.collection(name)
    }

    /// What a read must ask for to see only what no failover can take back. A server without
    /// replicas knows no such thing.
    pub(crate) fn committed(&self) -> ReadConcern {
        if self.replica_set { ReadConcern::majority() } else { ReadConcern::local() }
    }
}

/// What every write waits for: the journals of a majority.
pub(crate) fn durable() -> WriteConcern {
    let mut concern = WriteConcern::majority();
    concern.journal = Some(true);
    concern
}

async fn await_hello(database: &Database) -> Result<Document, ConnectError> {
    let deadline = Instant::now() + FIRST_CONNECTION;
    for attempt in 1.. {
        let asked = database.clone();
        let answer =
            bounded(operation::LIMIT, async move { asked.run_command(doc! { "hello": 1 }).await });
        match answer.await {
            Ok(hello) => return Ok(hello),
            Err(error) if !operation::is_outage(&error) => {
                return Err(ConnectError::Refused(error.kind.to_string()));
            }
            Err(error) if Instant::now() + RETRY_PAUSE >= deadline => {
                return Err(ConnectError::Unreachable(error.kind.to_string()));
            }
            Err(error) => tracing::warn!(attempt, cause = %error.kind, "MongoDB does not answer"),
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    unreachable!("attempts end at the deadline")
}
