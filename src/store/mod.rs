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
