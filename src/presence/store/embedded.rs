//! When users were last seen, on SQLite.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::PresenceStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;
use crate::store::Migration;
use crate::store::embedded::Embedded;

/// The table of when users were last seen.
pub const MIGRATIONS: &[Migration] = &[Migration {
    domain: "presence",
    version: 1,
    sql: "
        CREATE TABLE last_seen (
            user BLOB PRIMARY KEY,
            at   INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;",
}];

/// When users were last seen, in the embedded database.
#[derive(Clone)]
pub struct EmbeddedPresenceStore(Embedded);

impl EmbeddedPresenceStore {
    /// On a database that was opened with [`MIGRATIONS`].
    pub fn new(db: Embedded) -> Self {
        Self(db)
    }
}

#[async_trait]
impl PresenceStore for EmbeddedPresenceStore {
    async fn save_last_seen(&self, seen: &[(UserId, Timestamp)]) -> Result<()> {
        if seen.is_empty() {
            return Ok(());
        }
        let seen = seen.to_vec();
        self.0.write(move |db| save(db, &seen)).await
    }

    async fn last_seen(&self, users: &[UserId]) -> Result<Vec<(UserId, Timestamp)>> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let users = users.to_vec();
        self.0.read(move |db| load(db, &users)).await
    }

    async fn forget(&self, user: UserId) -> Result<()> {
        self.0
            .write(move |db| {
                db.prepare_cached("DELETE FROM last_seen WHERE user = ?1")?.execute([user])
            })
            .await
            .map(drop)
    }
}

fn save(db: &Connection, seen: &[(UserId, Timestamp)]) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO last_seen (user, at) VALUES (?1, ?2)
         ON CONFLICT (user) DO UPDATE SET at = excluded.at WHERE excluded.at > at",
    )?;
    for (user, at) in seen {
        statement.execute(params![user, at])?;
    }
    Ok(())
}

fn load(db: &Connection, users: &[UserId]) -> rusqlite::Result<Vec<(UserId, Timestamp)>> {
    let mut statement = db.prepare_cached("SELECT at FROM last_seen WHERE user = ?1")?;
    let mut known = Vec::with_capacity(users.len());
    for user in users {
        let at: Option<Timestamp> = statement.query_row([user], |row| row.get(0)).optional()?;
        known.extend(at.map(|at| (*user, at)));
    }
    Ok(known)
}
