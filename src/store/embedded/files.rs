//! The files of the embedded store: their directory, the lock that keeps a second process out,
//! and connections with the settings that make a commit durable.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// Only tools such as a backup can hold the file; the server's own writes queue before it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// More than one connection uses, so that each statement is prepared once.
const CACHED_STATEMENTS: usize = 64;

/// Why the database could not be opened, in words for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is missing and cannot be made.
    #[error("cannot create the directory {path}: {source}; check DATA_DIR and its permissions")]
    Directory {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {path}: {source}; check DATA_DIR, its permissions and its file system")]
    Lock {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process has it open.
    #[error(
        "the database {path} is in use by another process: stop that one, give this one a \
         DATA_DIR of its own, or use MongoDB (MONGODB_URI) for several processes"
    )]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// There is none, and none is to be made.
    #[error("there is no database at {path}; check DATA_DIR")]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// An older program wrote it, and it is not to be changed.
    #[error(
        "the database {path} is not of this version of the program ({domain} is at {found}, this \
         one has {known}): start a server of this version on it once"
    )]
    Older {
        /// Which.
        path: PathBuf,
        /// Whose schema is older.
        domain: &'static str,
        /// The version in the file.
        found: i64,
        /// The version that this program has.
        known: i64,
    },
    /// The file is there but SQLite cannot use it.
    #[error("cannot open the database {path}: {source}")]
    Database {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file system cannot hold a write-ahead log.
    #[error(
        "the file system of {path} cannot hold a write-ahead log: use a local disk as DATA_DIR"
    )]
    NoWriteAheadLog {
        /// Which.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "the database {path} belongs to a newer version of this program ({domain} is at {found}, \
         this one knows {known}): start the newer version, or restore a backup"
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Whose schema is newer.
        domain: String,
        /// The version in the file.
        found: i64,
        /// The newest version this program knows, 0 for a domain it does not know.
        known: i64,
    },
    /// A step of a schema failed; nothing of it was applied.
    #[error("cannot bring {domain} of the database {path} to version {version}: {source}")]
    Migration {
        /// Which.
        path: PathBuf,
        /// Whose schema.
        domain: &'static str,
        /// Which step.
        version: i64,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The program's own list of steps has a hole.
    #[error("the program has no migration of {domain} from {found} to {version}: report this")]
    MissingStep {
        /// Whose schema.
        domain: &'static str,
        /// The version in the file.
        found: i64,
        /// The next step that the program has.
        version: i64,
    },
}

impl OpenError {
    pub(super) fn database(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |source| Self::Database { path: path.to_owned(), source }
    }
}

/// A file beside the database: closing any handle of the database file itself would drop SQLite's
/// locks.
fn lock_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    path.into()
}

/// Whether a process has taken the database.
pub(super) fn is_locked(database: &Path) -> io::Result<bool> {
    match File::open(lock_of(database)) {
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(problem)) => Err(problem),
        },
        Err(problem) if problem.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// Takes the database for this process, as long as the file returned is open. The system gives
/// it free when the process dies, however it dies.
pub(super) fn lock(database: &Path) -> Result<File, OpenError> {
    if let Some(directory) = database.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory)
            .map_err(|source| OpenError::Directory { path: directory.to_owned(), source })?;
    }
    let path = lock_of(database);
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    let file = opened.map_err(|source| OpenError::Lock { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => owners_only(database).map(|()| file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: database.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Lock { path, source }),
    }
}

/// Creates the database file for its owner alone: it holds password hashes. SQLite gives the files
/// beside it the same permissions.
fn owners_only(database: &Path) -> Result<(), OpenError> {
    match private_file(database) {
        Ok(()) => Ok(()),
        Err(source) if source.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(OpenError::Directory { path: database.to_owned(), source }),
    }
}

/// Creates an empty file that its owner alone can read.
pub(super) fn private_file(path: &Path) -> io::Result<()> {
    File::options().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

/// The one connection that writes: a commit is on disk when it returns, and what is removed is
/// overwritten in the file.
pub(super) fn writing_connection(path: &Path) -> Result<Connection, OpenError> {
    let failed = OpenError::database(path);
    let connection = Connection::open(path).map_err(&failed)?;
    prepare(&connection).map_err(&failed)?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(&failed)?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog { path: path.to_owned() });
    }
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -32768;
             PRAGMA wal_autocheckpoint = 8192;
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(&failed)?;
    Ok(connection)
}

/// A connection that can only read.
pub(super) fn reading_connection(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.busy_timeout(BUSY_TIMEOUT)
}
