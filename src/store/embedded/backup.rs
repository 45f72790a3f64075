//! A copy of the database as of one moment, made while a server uses it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::files::reading_connection;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no database where one should be.
    #[error("there is no database at {0}; check DATA_DIR")]
    Missing(PathBuf),
    /// The copy would take the place of something.
    #[error("{0} is there already; name a file that is not")]
    Exists(PathBuf),
    /// SQLite could not read the one, or write the other.
    #[error("cannot copy {from} to {to}: {cause}")]
    Copy {
        /// The database.
        from: PathBuf,
        /// Where to.
        to: PathBuf,
        /// What SQLite says.
        cause: rusqlite::Error,
    },
    /// The copy could not be put in its place.
    #[error("cannot write {path}: {cause}")]
    File {
        /// Where.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// Copies the database at `from` to the new file `to`, whole and compact: everything that was
/// durable when it began, in one read transaction, which holds nobody up. On disk when it returns
/// its size in bytes; before that `to` is not there. For its owner alone, as the database is.
///
/// # Errors
/// [`BackupError`]; nothing is left of a copy that failed.
pub fn back_up(from: &Path, to: &Path) -> Result<u64, BackupError> {
    if !from.is_file() {
        return Err(BackupError::Missing(from.to_owned()));
    }
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let copied = copy(from, &unfinished).and_then(|()| put_in_place(&unfinished, to));
    if copied.is_err() {
        // What cannot be removed either is named by the error of the copy.
        fs::remove_file(&unfinished).ok();
    }
    copied
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let wrong = |cause| BackupError::File { path: to.to_owned(), cause };
    // An empty file, so that SQLite does not make one that others can read.
    super::files::private_file(to).map_err(wrong)?;
    let connection = reading_connection(from);
    let copied = connection.and_then(|connection| {
        connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map(drop)
    });
    copied.map_err(|cause| BackupError::Copy { from: from.to_owned(), to: to.to_owned(), cause })
}

fn put_in_place(unfinished: &Path, to: &Path) -> Result<u64, BackupError> {
    let placed = || {
        let file = File::open(unfinished)?;
        file.sync_all()?;
        fs::rename(unfinished, to)?;
        let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(file.metadata()?.len())
    };
    placed().map_err(|cause| BackupError::File { path: to.to_owned(), cause })
}
