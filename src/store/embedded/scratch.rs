//! A database in a directory of its own, for tests; the directory goes with it.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Embedded;
use crate::store::Migration;

/// An open database and its directory.
pub(crate) struct Scratch {
    db: Embedded,
    _directory: Directory,
}

impl Scratch {
    /// A new database with these tables.
    pub(crate) fn new(migrations: &[Migration]) -> Self {
        let directory = Directory::new();
        Self { db: Embedded::open(&directory.file(), migrations).unwrap(), _directory: directory }
    }

    /// How SQLite finds the rows of a statement, in its words.
    pub(crate) async fn plan(&self, sql: impl AsRef<str>) -> String {
        let explained = format!("EXPLAIN QUERY PLAN {}", sql.as_ref());
        let steps = self.db.read(move |db| {
            let mut statement = db.prepare(&explained)?;
            let steps = statement.raw_query().mapped(|row| row.get::<_, String>(3));
            steps.collect::<rusqlite::Result<Vec<_>>>()
        });
        steps.await.unwrap().join("; ")
    }
}

impl Deref for Scratch {
    type Target = Embedded;

    fn deref(&self) -> &Embedded {
        &self.db
    }
}

/// A directory that is removed when dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("waggle-test-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// Where its database is.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("deep").join("waggle.db")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
