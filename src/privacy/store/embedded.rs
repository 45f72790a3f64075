//! Erasures on SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::ErasureStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;
use crate::privacy::model::Erasure;
use crate::store::Migration;
use crate::store::embedded::Embedded;

/// The table of erasures.
pub const MIGRATIONS: &[Migration] = &[Migration {
    domain: "privacy",
    version: 1,
    sql: "
        CREATE TABLE erasures (
            user         BLOB PRIMARY KEY,
            requested_at INTEGER NOT NULL,
            finished_at  INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX erasures_unfinished ON erasures (user) WHERE finished_at IS NULL;
        CREATE INDEX erasures_requested ON erasures (requested_at);",
}];

/// Erasures in the embedded database.
#[derive(Clone)]
pub struct EmbeddedErasureStore(Embedded);

impl EmbeddedErasureStore {
    /// On a database that was opened with [`MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl ErasureStore for EmbeddedErasureStore {
    async fn request(&self, user: UserId, now: Timestamp) -> Result<()> {
        self.0.write(move |db| request(db, user, now)).await
    }

    async fn finish(&self, request: &Erasure, now: Timestamp) -> Result<()> {
        let Erasure { user, requested_at, .. } = *request;
        self.0
            .write(move |db| {
                db.prepare_cached(
                    "UPDATE erasures SET finished_at = ?3 WHERE user = ?1 AND requested_at = ?2",
                )?
                .execute(params![user, requested_at, now])
                .map(drop)
            })
            .await?;
        self.0.empty_log().await
    }

    async fn erasure(&self, user: UserId) -> Result<Option<Erasure>> {
        self.0
            .read(move |db| {
                db.prepare_cached(
                    "SELECT user, requested_at, finished_at FROM erasures WHERE user = ?1",
                )?
                .query_row([user], from_row)
                .optional()
            })
            .await
    }

    async fn erasures(&self, since: Timestamp) -> Result<Vec<Erasure>> {
        self.0
            .read(move |db| {
                db.prepare_cached(
                    "SELECT user, requested_at, finished_at FROM erasures
                     WHERE finished_at IS NULL OR requested_at > ?1",
                )?
                .query_map([since], from_row)?
                .collect()
            })
            .await
    }
}

fn request(db: &Connection, user: UserId, now: Timestamp) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO erasures (user, requested_at) VALUES (?1, ?2)
         ON CONFLICT (user) DO UPDATE SET requested_at = ?2, finished_at = NULL",
    )?
    .execute(params![user, now])
    .map(drop)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Erasure> {
    Ok(Erasure { user: row.get(0)?, requested_at: row.get(1)?, finished_at: row.get(2)? })
}
