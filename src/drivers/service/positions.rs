//! Where drivers are: every position is told at once and stored in bulk; a late one never moves a
//! driver back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::{FutureExt, TryFutureExt};

use super::{BATCH, Drivers, WAITING, must_drive};
use crate::caller::Caller;
use crate::drivers::model::{Fix, Report, Trail};
use crate::drivers::store::DriverStore;
use crate::error::Result;
use crate::ids::UserId;
use crate::store::group::GroupCommit;

/// How long positions that nobody waits for are gathered before they are written. A crash loses
/// those, and what is just being written: no more than the last second (CONTRACT §8).
const GATHER: Duration = Duration::from_millis(250);
/// How often history that is too old is removed.
const BETWEEN_REMOVALS: Duration = Duration::from_secs(3600);

/// The last position of a driver.
pub(super) type Last = Mutex<Option<Fix>>;

/// A driver can be found, from a position on.
struct Begin {
    before: Option<Fix>,
    fix: Fix,
}

fn locked(last: &Last) -> MutexGuard<'_, Option<Fix>> {
    last.lock().expect("no panic under this lock")
}

/// The one writer of positions.
pub(super) fn writer(store: &Arc<dyn DriverStore>) -> GroupCommit<(UserId, Fix), ()> {
    let store = store.clone();
    let write = move |fixes: Vec<(UserId, Fix)>| {
        let store = store.clone();
        async move {
            let saved = store.save_fixes(&fixes).await;
            let results = vec![saved; fixes.len()];
            (fixes, results)
        }
        .boxed()
    };
    GroupCommit::spawn_gathering("locations", BATCH, WAITING, GATHER, write)
}

impl Drivers {
    /// Notes where the caller is. Told to those who follow the driver at once; durable when this
    /// returns.
    ///
    /// # Errors
    /// `forbidden` for who is no driver, `rate_limited`, `unavailable`.
    pub async fn update_location(&self, caller: Caller, report: Report) -> Result<()> {
        self.report(caller, report, true).await
    }

    /// The same, but durable only within a second after it returns.
    ///
    /// # Errors
    /// `forbidden` for who is no driver, `rate_limited`, `unavailable` when it will not be stored.
    pub async fn report_location(&self, caller: Caller, report: Report) -> Result<()> {
        self.report(caller, report, false).await
    }

    async fn report(&self, caller: Caller, report: Report, waits: bool) -> Result<()> {
        let driver = self.may_report(caller)?;
        let last = self.last(driver).await?;
        let (fix, begin, stored) = {
            let mut last = locked(&last);
            let fix = report.after(last.as_ref());
            let begin = self.begin(*last, fix);
            // What is not even taken is told to nobody.
            let stored = if waits || begin.is_some() {
                Some(self.fixes.take((driver, fix))?)
            } else {
                self.fixes.offer((driver, fix))?;
                None
            };
            self.move_to(driver, &mut last, fix);
            (fix, begin, stored)
        };
        let Some(stored) = stored else { return Ok(()) };
        match self.begun(driver, &last, begin, stored.await).await {
            Err(_) if !waits => self.fixes.offer((driver, fix)),
            settled => settled,
        }
    }

    /// Notes where the caller was while the phone was offline, in any order; the latest of these
    /// positions is where the caller is, unless a later one is known. Durable when this returns:
    /// how many there were of different times; of several of the same time the first counts.
    ///
    /// # Errors
    /// `forbidden` for who is no driver; `unavailable` when some were not stored.
    pub async fn upload_locations(&self, caller: Caller, fixes: Vec<Fix>) -> Result<usize> {
        must_drive(caller)?;
        let driver = caller.user;
        let mut distinct = BTreeMap::new();
        for fix in fixes {
            distinct.entry(fix.at).or_insert(fix);
        }
        let Some(latest) = distinct.values().next_back().copied() else { return Ok(0) };
        let last = self.last(driver).await?;
        let (begin, stored) = {
            let mut last = locked(&last);
            let begin = self.begin(*last, latest);
            let taken = distinct.values().map(|fix| self.fixes.take((driver, *fix)));
            let stored = taken.collect::<Result<Vec<_>>>()?;
            self.move_to(driver, &mut last, latest);
            (begin, try_join_all(stored).map_ok(drop))
        };
        self.begun(driver, &last, begin, stored.await).await?;
        Ok(distinct.len())
    }

    fn may_report(&self, caller: Caller) -> Result<UserId> {
        must_drive(caller)?;
        self.limits.locations.check(&caller.user)?;
        Ok(caller.user)
    }

    /// Moves a driver there, unless a later position is known.
    fn move_to(&self, driver: UserId, last: &mut Option<Fix>, fix: Fix) {
        if last.is_none_or(|before| fix.replaces(&before)) {
            *last = Some(fix);
            self.watchers().for_each(|watcher| watcher.moved(driver, &fix));
        }
    }

    /// What begins with a position that counts, where the one before does not.
    fn begin(&self, before: Option<Fix>, fix: Fix) -> Option<Begin> {
        let counted = before.is_some_and(|before| self.counts(&before));
        (!counted && self.counts(&fix)).then_some(Begin { before, fix })
    }

    /// With the first position of a driver that counts, says that they can be offered orders: once
    /// it is stored, as drivers are looked for in the store. Where it was not, the next is the first.
    async fn begun(
        &self,
        driver: UserId,
        last: &Last,
        begin: Option<Begin>,
        stored: Result<()>,
    ) -> Result<()> {
        let Some(Begin { before, fix }) = begin else { return stored };
        if stored.is_err() {
            let mut last = locked(last);
            if *last == Some(fix) {
                *last = before;
            }
        } else if self.is_available(driver) {
            for watcher in self.watchers() {
                watcher.available(driver, None).await;
            }
        }
        stored
    }

    async fn last(&self, driver: UserId) -> Result<Arc<Last>> {
        let load = async { Ok(Arc::new(Mutex::new(self.store.last_fix(driver).await?))) };
        self.last.get_or_insert_async(&driver, load).await
    }

    /// The last position of a driver.
    pub async fn last_fix(&self, driver: UserId) -> Result<Option<Fix>> {
        let last = self.last(driver).await?;
        let fix = *locked(&last);
        Ok(fix)
    }

    /// Looks at the last position of a driver. No later one is told to anybody meanwhile, so that
    /// what is told of this one does not come after what is told of that.
    pub async fn look<T>(&self, driver: UserId, see: impl FnOnce(Option<&Fix>) -> T) -> Result<T> {
        let last = self.last(driver).await?;
        let fix = locked(&last);
        Ok(see(fix.as_ref()))
    }

    /// The last positions of some drivers.
    pub async fn last_fixes(&self, drivers: &[UserId]) -> Result<Vec<(UserId, Fix)>> {
        self.store.last_fixes(drivers).await
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

    /// Forgets where a driver is and was. Repeatable.
    ///
    /// # Errors
    /// Those of the store; what is removed stays so.
    pub async fn erase(&self, driver: UserId) -> Result<()> {
        self.store.forget(driver).await?;
        self.last.remove(&driver);
        self.watchers().for_each(|watcher| watcher.erased(driver));
        Ok(())
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

#[cfg(test)]
mod tests;
