//! When users were last seen, on MongoDB.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, doc};
use mongodb::{Collection, Database};
use serde::{Deserialize, Serialize};

use super::PresenceStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;
use crate::store::mongo::operation::{Wait, run, update_each};
use crate::store::mongo::{Mongo, MongoMigration};

const LAST_SEEN: &str = "last_seen";

/// The steps of presence's schema. The ids are all the index it needs.
pub const MIGRATIONS: &[MongoMigration] =
    &[MongoMigration { domain: "presence", version: 1, apply: |_| Box::pin(async { Ok(()) }) }];

#[derive(Debug, Serialize, Deserialize)]
struct SeenRow {
    #[serde(rename = "_id")]
    user: ObjectId,
    at: DateTime,
}

/// [`PresenceStore`] on MongoDB.
#[derive(Debug, Clone)]
pub struct MongoPresenceStore {
    database: Database,
    seen: Collection<SeenRow>,
}

impl MongoPresenceStore {
    /// The store in this database, whose schema must be up to date ([`MIGRATIONS`]).
    pub fn new(db: &Mongo) -> Self {
        Self { database: db.database().clone(), seen: db.collection(LAST_SEEN) }
    }
}

#[async_trait]
impl PresenceStore for MongoPresenceStore {
    async fn save_last_seen(&self, seen: &[(UserId, Timestamp)]) -> Result<()> {
        if seen.is_empty() {
            return Ok(());
        }
        let later = |&(user, at): &(UserId, Timestamp)| {
            doc! { "q": { "_id": user }, "u": { "$max": { "at": at } }, "upsert": true }
        };
        let updates = seen.iter().map(later).collect();
        run(update_each(self.database.clone(), LAST_SEEN, updates, Wait::Durable)).await
    }

    async fn last_seen(&self, users: &[UserId]) -> Result<Vec<(UserId, Timestamp)>> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let filter = doc! { "_id": { "$in": users.to_vec() } };
        let seen = self.seen.clone();
        let rows: Vec<SeenRow> =
            run(async move { seen.find(filter).await?.try_collect().await }).await?;
        Ok(rows.into_iter().map(|row| (row.user.into(), row.at.into())).collect())
    }

    async fn forget(&self, user: UserId) -> Result<()> {
        let seen = self.seen.clone();
        run(async move { seen.delete_one(doc! { "_id": user }).await }).await.map(drop)
    }
}
