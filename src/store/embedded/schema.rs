//! Brings the schemas of the domains up to date, each step in a transaction of its own.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::files::OpenError;
use crate::store::Migration;

/// Applies the steps that are missing, in the order given.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let mut versions = versions(connection).map_err(OpenError::database(path))?;
    refuse_newer(path, &versions, migrations)?;
    for step in migrations {
        let found = versions.entry(step.domain.to_owned()).or_insert(0);
        if step.version <= *found {
            continue;
        }
        if step.version != *found + 1 {
            let (domain, version) = (step.domain, step.version);
            return Err(OpenError::MissingStep { domain, found: *found, version });
        }
        apply(connection, step).map_err(|source| OpenError::Migration {
            path: path.to_owned(),
            domain: step.domain,
            version: step.version,
            source,
        })?;
        tracing::info!(domain = step.domain, version = step.version, "schema brought up to date");
        *found = step.version;
    }
    Ok(())
}

/// That every schema is at its last step.
pub(super) fn must_be(
    connection: &Connection,
    path: &Path,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    let versions = versions(connection).map_err(OpenError::database(path))?;
    refuse_newer(path, &versions, migrations)?;
    for step in migrations {
        let found = versions.get(step.domain).copied().unwrap_or(0);
        if step.version > found {
            let (path, domain) = (path.to_owned(), step.domain);
            return Err(OpenError::Older { path, domain, found, known: step.version });
        }
    }
    Ok(())
}

fn versions(connection: &Connection) -> rusqlite::Result<HashMap<String, i64>> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_versions (
             domain  TEXT PRIMARY KEY,
             version INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID",
    )?;
    let mut statement = connection.prepare("SELECT domain, version FROM schema_versions")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn refuse_newer(
    path: &Path,
    versions: &HashMap<String, i64>,
    migrations: &[Migration],
) -> Result<(), OpenError> {
    for (domain, &found) in versions {
        let steps = migrations.iter().filter(|step| step.domain == domain);
        let known = steps.map(|step| step.version).max().unwrap_or(0);
        if found > known {
            let (path, domain) = (path.to_owned(), domain.clone());
            return Err(OpenError::Newer { path, domain, found, known });
        }
    }
    Ok(())
}

fn apply(connection: &mut Connection, step: &Migration) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(step.sql)?;
    transaction.execute(
        "INSERT INTO schema_versions (domain, version) VALUES (?1, ?2)
         ON CONFLICT (domain) DO UPDATE SET version = excluded.version",
        params![step.domain, step.version],
    )?;
    transaction.commit()
}
