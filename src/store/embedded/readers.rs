//! The connections that read: as many as there are cores, each used by one closure at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::files::{OpenError, reading_connection};
use super::{closed, failure};
use crate::error::{Error, Result};

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    /// One permit per connection; closed with the store.
    permits: Arc<Semaphore>,
    count: u32,
}

impl Readers {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        let connections: rusqlite::Result<Vec<_>> =
            (0..cores).map(|_| reading_connection(path)).collect();
        let connections = connections.map_err(OpenError::database(path))?;
        Ok(Self {
            idle: Arc::new(Mutex::new(connections)),
            permits: Arc::new(Semaphore::new(cores)),
            count: cores as u32,
        })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let idle = Arc::clone(&self.idle);
        let work = tokio::task::spawn_blocking(move || {
            // Both belong to the work, which goes on when the caller stops waiting. The
            // connection goes back first, also when `f` panics.
            let _permit = permit;
            let lent = Lent::from(idle);
            let connection = lent.connection.as_ref().ok_or_else(closed)?;
            f(connection).map_err(|problem| failure(&problem))
        });
        work.await.unwrap_or_else(|problem| Err(Error::internal(problem)))
    }

    /// Waits for the reads under way and closes the connections.
    pub(super) async fn close(&self) {
        // An error means that they are closed already.
        if let Ok(_all) = self.permits.acquire_many(self.count).await {
            self.permits.close();
            let connections = std::mem::take(&mut *lock(&self.idle));
            // Closing touches files.
            let _ = tokio::task::spawn_blocking(move || drop(connections)).await;
        }
    }
}

/// A connection out of the pool, put back when dropped.
struct Lent {
    connection: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl From<Arc<Mutex<Vec<Connection>>>> for Lent {
    fn from(idle: Arc<Mutex<Vec<Connection>>>) -> Self {
        let connection = lock(&idle).pop();
        Self { connection, idle }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        lock(&self.idle).extend(self.connection.take());
    }
}

fn lock(idle: &Mutex<Vec<Connection>>) -> std::sync::MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
