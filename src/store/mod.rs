//! Database handles: MongoDB and the embedded SQLite. They know no domain; each domain has its
//! own store trait with an implementation on either handle.

pub mod embedded;
pub mod group;
pub mod mongo;

/// One step of a domain's schema. Steps are applied in order, once, and only ever appended.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The domain's folder name.
    pub domain: &'static str,
    /// 1, 2, 3 … within the domain.
    pub version: i64,
    /// SQL, applied in one transaction. MongoDB's steps live beside its store implementations.
    pub sql: &'static str,
}

/// The database that was chosen.
#[derive(Clone)]
pub enum Stores {
    /// SQLite in `DATA_DIR`, for one node.
    Embedded(embedded::Embedded),
    /// MongoDB.
    Mongo(mongo::Mongo),
}

impl Stores {
    /// What start-up and health call it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embedded(_) => "embedded",
            Self::Mongo(_) => "mongodb",
        }
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// `unavailable` when it does not.
    pub async fn ping(&self) -> crate::error::Result<()> {
        match self {
            Self::Embedded(db) => db.ping().await,
            Self::Mongo(db) => db.ping().await,
        }
    }

    /// Writes what is queued and lets go of the database.
    pub async fn close(&self) {
        match self {
            Self::Embedded(db) => db.close().await,
            Self::Mongo(_) => {}
        }
    }
}
