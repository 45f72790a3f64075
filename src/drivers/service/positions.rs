//! Where drivers are: every position is told at once and stored in bulk; a late one never moves a
//! driver back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;

use super::{BATCH, Drivers, WAITING, must_drive};
use crate::caller::Caller;
use crate::drivers::model::{Fix, Trail};
use crate::drivers::store::DriverStore;
use crate::error::Result;
use crate::ids::UserId;
use crate::store::group::GroupCommit;

/// How often history that is too old is removed.
const BETWEEN_REMOVALS: Duration = Duration::from_secs(3600);

/// The last position of a driver.
pub(super) type Last = Mutex<Option<Fix>>;

/// The one writer of positions.
pub(super) fn writer(store: &Arc<dyn DriverStore>) -> GroupCommit<(UserId, Fix), ()> {
    let store = store.clone();
    GroupCommit::spawn("locations", BATCH, WAITING, move |fixes: Vec<(UserId, Fix)>| {
        let store = store.clone();
        async move {
            let saved = store.save_fixes(&fixes).await;
            fixes.iter().map(|_| saved.clone()).collect()
        }
        .boxed()
    })
}

impl Drivers {
    /// Notes where the caller is. Told to those who follow the driver at once; durable when this
    /// returns.
    ///
    /// # Errors
    /// `forbidden` for who is no driver, `rate_limited`.
    pub async fn update_location(&self, caller: Caller, fix: Fix) -> Result<()> {
        must_drive(caller)?;
        let driver = caller.user;
        self.limits.locations.check(&driver)?;
        let last = self.last(driver).await?;
        let before = {
            let mut last = last.lock().expect("no panic under this lock");
            let before = *last;
            if before.is_none_or(|before| before.at < fix.at) {
                *last = Some(fix);
                self.watchers().for_each(|watcher| watcher.moved(driver, &fix));
            }
            before
        };
        self.fixes.submit((driver, fix)).await?;
        let counted_before = before.is_some_and(|before| self.counts(&before));
        if !counted_before && self.counts(&fix) && self.is_available(driver) {
            for watcher in self.watchers() {
                watcher.available(driver, false).await;
            }
        }
        Ok(())
    }

    async fn last(&self, driver: UserId) -> Result<Arc<Last>> {
        let load = async { Ok(Arc::new(Mutex::new(self.store.last_fix(driver).await?))) };
        self.last.get_or_insert_async(&driver, load).await
    }

    /// The last position of a driver.
    pub async fn last_fix(&self, driver: UserId) -> Result<Option<Fix>> {
        let last = self.last(driver).await?;
        let fix = *last.lock().expect("no panic under this lock");
        Ok(fix)
    }

    /// Whether the last position of a driver is recent enough to count.
    pub async fn is_fresh(&self, driver: UserId) -> Result<bool> {
        Ok(self.last_fix(driver).await?.is_some_and(|fix| self.counts(&fix)))
    }

    /// Whether a position is recent enough to count.
    pub fn counts(&self, fix: &Fix) -> bool {
        fix.at + self.max_age > self.clock.now()
    }

    /// A stretch of the way that a driver went, the earliest first.
    pub async fn trail(&self, trail: &Trail) -> Result<Vec<Fix>> {
        self.store.trail(trail).await
    }

    /// Removes history that is too old, until the server stops.
    pub fn forget_old_history(&self) {
        let this = self.this.clone();
        tokio::spawn(async move {
            loop {
                let Some(drivers) = this.upgrade().filter(|drivers| !drivers.hub.is_draining())
                else {
                    return;
                };
                let now = drivers.clock.now();
                if let Err(error) = drivers.store.keep_history(drivers.retention, now).await {
                    tracing::warn!(%error, "old positions could not be removed");
                }
                drop(drivers);
                tokio::time::sleep(BETWEEN_REMOVALS).await;
            }
        });
    }
}
