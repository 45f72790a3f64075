//! Erasures on MongoDB.

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, DateTime, doc};
use mongodb::{Collection, Database};
use serde::{Deserialize, Serialize};

use super::ErasureStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::ids::UserId;
use crate::privacy::model::Erasure;
use crate::store::mongo::index::index;
use crate::store::mongo::operation::run;
use crate::store::mongo::{Mongo, MongoMigration};

const ERASURES: &str = "erasures";

/// The steps of the erasures' schema.
pub const MIGRATIONS: &[MongoMigration] = &[MongoMigration {
    domain: "privacy",
    version: 1,
    apply: |database| Box::pin(create_indexes(database)),
}];

async fn create_indexes(database: Database) -> mongodb::error::Result<()> {
    let indexes = ["finishedAt", "requestedAt"].map(|field| index(field, doc! { field: 1 }));
    database.collection::<ErasureRow>(ERASURES).create_indexes(indexes).await.map(drop)
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErasureRow {
    #[serde(rename = "_id")]
    user: ObjectId,
    requested_at: DateTime,
    /// `null` until then, so that an index leads to what is unfinished.
    finished_at: Option<DateTime>,
}

impl From<ErasureRow> for Erasure {
    fn from(row: ErasureRow) -> Self {
        Self {
            user: row.user.into(),
            requested_at: row.requested_at.into(),
            finished_at: row.finished_at.map(Timestamp::from),
        }
    }
}

/// [`ErasureStore`] on MongoDB.
#[derive(Debug, Clone)]
pub struct MongoErasureStore {
    erasures: Collection<ErasureRow>,
}

impl MongoErasureStore {
    /// The store in this database, whose schema must be up to date ([`MIGRATIONS`]).
    pub fn new(db: &Mongo) -> Self {
        Self { erasures: db.collection(ERASURES) }
    }
}

#[async_trait]
impl ErasureStore for MongoErasureStore {
    async fn request(&self, user: UserId, now: Timestamp) -> Result<()> {
        let erasures = self.erasures.clone();
        let wanted = doc! { "$set": { "requestedAt": now, "finishedAt": Bson::Null } };
        run(async move { erasures.update_one(doc! { "_id": user }, wanted).upsert(true).await })
            .await
            .map(drop)
    }

    async fn finish(&self, request: &Erasure, now: Timestamp) -> Result<()> {
        let erasures = self.erasures.clone();
        let this = doc! { "_id": request.user, "requestedAt": request.requested_at };
        let done = doc! { "$set": { "finishedAt": now } };
        run(async move { erasures.update_one(this, done).await }).await.map(drop)
    }

    async fn erasure(&self, user: UserId) -> Result<Option<Erasure>> {
        let erasures = self.erasures.clone();
        let found = run(async move { erasures.find_one(doc! { "_id": user }).await }).await?;
        Ok(found.map(Erasure::from))
    }

    async fn erasures(&self, since: Timestamp) -> Result<Vec<Erasure>> {
        let erasures = self.erasures.clone();
        let these =
            doc! { "$or": [{ "finishedAt": Bson::Null }, { "requestedAt": { "$gt": since } }] };
        let rows: Vec<ErasureRow> =
            run(async move { erasures.find(these).await?.try_collect().await }).await?;
        Ok(rows.into_iter().map(Erasure::from).collect())
    }
}
