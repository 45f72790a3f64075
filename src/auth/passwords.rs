//! Password hashing: off the async threads, at most as many at once as there are cores, and the
//! same work for an account that does not exist.

use std::sync::Arc;
use std::sync::OnceLock;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

use crate::credentials::Password;
use crate::error::{Error, Result};

/// Logins and registrations that may wait for a core; more are told to come back.
const WAITING: usize = 64;

/// Hashes and checks passwords with bcrypt.
pub(super) struct Passwords {
    cost: u32,
    cores: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Checked when there is no account, so that the answer takes as long.
    nobody: Arc<OnceLock<String>>,
}

impl Passwords {
    pub(super) fn new(cost: u32) -> Self {
        let cores = available_parallelism().map_or(2, usize::from);
        Self {
            cost,
            cores: Arc::new(Semaphore::new(cores)),
            queue: Arc::new(Semaphore::new(WAITING + cores)),
            nobody: Arc::default(),
        }
    }

    pub(super) async fn hash(&self, password: Password) -> Result<String> {
        let cost = self.cost;
        let hash =
            self.on_a_core(move || bcrypt::non_truncating_hash(password.expose(), cost)).await?;
        hash.map_err(Error::internal)
    }

    /// Whether `password` belongs to `hash`; never, when there is none.
    pub(super) async fn matches(&self, password: String, hash: Option<String>) -> Result<bool> {
        let (cost, nobody) = (self.cost, self.nobody.clone());
        self.on_a_core(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| nobody.get_or_init(|| unguessable(cost)).clone());
            bcrypt::non_truncating_verify(password, &hash).unwrap_or(false) && known
        })
        .await
    }

    /// The place and the core are held by the work itself: a caller that goes away frees neither.
    async fn on_a_core<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let busy = |_| Error::unavailable("Too many logins at once");
        let place = self.queue.clone().try_acquire_owned().map_err(busy)?;
        let core = self.cores.clone().acquire_owned().await.map_err(Error::internal)?;
        let worked = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((place, core));
            done
        });
        worked.await.map_err(Error::internal)
    }
}

fn unguessable(cost: u32) -> String {
    let random = format!("{:032x}", rand::random::<u128>());
    bcrypt::non_truncating_hash(random, cost).unwrap_or_default()
}
