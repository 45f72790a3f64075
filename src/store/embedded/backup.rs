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
    /// SQLite is told paths as text.
    #[error("{0} is no UTF-8; name another file")]
    Unnameable(PathBuf),
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
    let wrong = |cause| BackupError::File { path: to.to_owned(), cause };
    // Whole, so that SQLite does not take it for one of its URIs.
    let whole = std::path::absolute(to).map_err(wrong)?;
    let text = whole.to_str().ok_or_else(|| BackupError::Unnameable(to.to_owned()))?;
    // A name that no other backup to the same place has.
    let unfinished = format!("{text}.{:08x}.unfinished", rand::random::<u32>());
    // An empty file, so that SQLite does not make one that others can read.
    super::files::private_file(Path::new(&unfinished)).map_err(wrong)?;
    let copied = copy(from, &unfinished).and_then(|()| put_in_place(&unfinished, &whole));
    // What cannot be removed is a second name of the copy, or named by the error of the copy.
    fs::remove_file(&unfinished).ok();
    copied
}

fn copy(from: &Path, to: &str) -> Result<(), BackupError> {
    let connection = reading_connection(from);
    let copied =
        connection.and_then(|connection| connection.execute("VACUUM INTO ?1", [to]).map(drop));
    copied.map_err(|cause| BackupError::Copy { from: from.to_owned(), to: to.into(), cause })
}

fn put_in_place(unfinished: &str, to: &Path) -> Result<u64, BackupError> {
    let placed = || {
        let file = File::open(unfinished)?;
        file.sync_all()?;
        // Unlike `rename` it replaces nothing that came to be there meanwhile.
        fs::hard_link(unfinished, to)?;
        let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(file.metadata()?.len())
    };
    placed().map_err(|cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => BackupError::File { path: to.to_owned(), cause },
    })
}
