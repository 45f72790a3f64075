//! The version of each domain's schema, and the steps from one to the next.

use std::future::Future;
use std::pin::Pin;

use mongodb::Database;
use mongodb::bson::doc;
use serde::{Deserialize, Serialize};

use super::Mongo;

/// What a step does. Steps may run twice, also at once on two nodes: they must be repeatable.
type Apply = fn(Database) -> Pin<Box<dyn Future<Output = mongodb::error::Result<()>> + Send>>;

/// One step of a domain's schema. Steps are applied in order and only ever appended.
#[derive(Clone, Copy)]
pub struct MongoMigration {
    /// The domain's folder name.
    pub domain: &'static str,
    /// 1, 2, 3 … within the domain.
    pub version: i64,
    /// What the step does; repeatable.
    pub apply: Apply,
}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A newer version of the program has been here.
    #[error(
        "the database has version {stored} of the {domain} schema, this program knows only \
         {known}: run a newer version"
    )]
    Newer {
        /// Whose schema.
        domain: String,
        /// In the database.
        stored: i64,
        /// In this program.
        known: i64,
    },
    /// An older version of the program was here last, and nothing is to be changed.
    #[error(
        "the database has version {stored} of the {domain} schema, this program has {known}: start \
         a server of this version on it once"
    )]
    Older {
        /// Whose schema.
        domain: &'static str,
        /// In the database.
        stored: i64,
        /// In this program.
        known: i64,
    },
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(String),
}

impl From<mongodb::error::Error> for MigrateError {
    fn from(error: mongodb::error::Error) -> Self {
        Self::Database(error.kind.to_string())
    }
}

#[derive(Serialize, Deserialize)]
struct SchemaVersion {
    #[serde(rename = "_id")]
    domain: String,
    version: i64,
}

impl Mongo {
    /// Applies the steps that this database has not seen. Unbounded in time: an index over many
    /// documents takes what it takes.
    ///
    /// # Errors
    /// The database is newer than this program (nothing is changed then), or fails.
    pub async fn migrate(&self, steps: &[MongoMigration]) -> Result<(), MigrateError> {
        let mut pending = self.pending(steps).await?;
        pending.sort_by_key(|step| step.version);
        for step in pending {
            (step.apply)(self.database().clone()).await?;
            self.note_version(step).await?;
            tracing::info!(domain = step.domain, version = step.version, "schema brought up");
        }
        Ok(())
    }

    /// That every schema is at its last step.
    ///
    /// # Errors
    /// It is not, or the database fails.
    pub async fn must_be(&self, steps: &[MongoMigration]) -> Result<(), MigrateError> {
        let Some(step) = self.pending(steps).await?.pop() else { return Ok(()) };
        let (domain, known) = (step.domain, step.version);
        Err(MigrateError::Older { domain, stored: self.schema_version(domain).await?, known })
    }

    /// The steps that this database has not seen.
    async fn pending<'a>(
        &self,
        steps: &'a [MongoMigration],
    ) -> Result<Vec<&'a MongoMigration>, MigrateError> {
        let mut pending = Vec::new();
        for step in steps {
            let stored = self.schema_version(step.domain).await?;
            let domain = steps.iter().filter(|other| other.domain == step.domain);
            let known = domain.map(|other| other.version).max().unwrap_or_default();
            if stored > known {
                let domain = step.domain.to_owned();
                return Err(MigrateError::Newer { domain, stored, known });
            }
            if stored < step.version {
                pending.push(step);
            }
        }
        Ok(pending)
    }

    async fn schema_version(&self, domain: &str) -> Result<i64, MigrateError> {
        let versions = self.collection::<SchemaVersion>("schema_versions");
        let stored = versions.find_one(doc! { "_id": domain }).await?;
        Ok(stored.map_or(0, |found| found.version))
    }

    async fn note_version(&self, step: &MongoMigration) -> Result<(), MigrateError> {
        self.collection::<SchemaVersion>("schema_versions")
            .update_one(doc! { "_id": step.domain }, doc! { "$max": { "version": step.version } })
            .upsert(true)
            .await?;
        Ok(())
    }
}
