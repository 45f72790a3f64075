//! Who is offered orders: connected drivers who want them. Who comes back after the grace of
//! presence does; what a driver has said otherwise holds until then.

use std::sync::Arc;

use futures_util::FutureExt;

use super::{BATCH, Drivers, WAITING, carries_orders, must_drive};
use crate::caller::{Caller, Role};
use crate::drivers::model::{AVAILABLE_DRIVERS, DRIVERS, driver_socket, offers_to};
use crate::drivers::pool::Pool;
use crate::drivers::store::DriverStore;
use crate::drivers::wire::DRIVER_SOCKET;
use crate::error::Result;
use crate::ids::UserId;
use crate::realtime::hub::Lifecycle;
use crate::realtime::session::Session;
use crate::store::group::GroupCommit;

/// Writes who is available at the moment of the write, so that it does not matter in which order
/// changes arrive.
pub(super) fn writer(store: &Arc<dyn DriverStore>, pool: &Arc<Pool>) -> GroupCommit<UserId, ()> {
    let (store, pool) = (store.clone(), pool.clone());
    GroupCommit::spawn("availability", BATCH, WAITING, move |drivers: Vec<UserId>| {
        let (store, pool) = (store.clone(), pool.clone());
        async move {
            let state: Vec<_> =
                drivers.iter().map(|driver| (*driver, pool.is_available(*driver))).collect();
            let saved = store.save_availability(&state).await;
            drivers.iter().map(|_| saved.clone()).collect()
        }
        .boxed()
    })
}

impl Drivers {
    /// Says whether new orders are to be offered to the caller. Holds while connected.
    ///
    /// # Errors
    /// `forbidden` for who is no driver.
    pub async fn set_availability(&self, caller: Caller, available: bool) -> Result<()> {
        must_drive(caller)?;
        self.set_availability_of(caller.user, available).await
    }

    /// As [`Drivers::set_availability`], of a driver whom somebody else may speak for.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn set_availability_of(&self, driver: UserId, available: bool) -> Result<()> {
        let since = {
            let mut pool = self.pool.lock();
            if !pool.set(driver, available) {
                return Ok(());
            }
            match available {
                true => self.hub.join_all(driver.audience(), DRIVERS, AVAILABLE_DRIVERS),
                false => self.hub.leave_all(driver.audience(), AVAILABLE_DRIVERS),
            };
            pool.moment()
        };
        let saved = self.availability.submit(driver).await;
        for watcher in self.watchers() {
            match available {
                true => watcher.available(driver, Some(since)).await,
                false => watcher.unavailable(driver).await,
            }
        }
        saved
    }

    /// Notes that the last socket of a driver is gone, if it is.
    fn last_lost(&self, driver: UserId) -> Option<u64> {
        let mut pool = self.pool.lock();
        if self.sessions(driver).is_empty() { pool.lose(driver) } else { None }
    }

    async fn departed(&self, driver: UserId) {
        self.note_availability(driver).await;
        for watcher in self.watchers() {
            watcher.unavailable(driver).await;
        }
    }

    fn arrived(&self, driver: UserId) {
        let this = self.this.clone();
        tokio::spawn(async move {
            let Some(drivers) = this.upgrade() else { return };
            drivers.note_availability(driver).await;
            for watcher in drivers.watchers() {
                watcher.available(driver, None).await;
            }
        });
    }

    async fn note_availability(&self, driver: UserId) {
        if let Err(error) = self.availability.submit(driver).await {
            tracing::warn!(%error, %driver, "a driver's availability could not be saved");
        }
    }
}

impl Lifecycle for Drivers {
    fn opened(&self, session: &Arc<Session>) {
        if session.caller.role != Role::Driver || !carries_orders(session) {
            return;
        }
        let driver = session.caller.user;
        let was_away = {
            let mut pool = self.pool.lock();
            let (available, was_away) = pool.arrive(driver);
            self.hub.join(session, DRIVERS);
            self.hub.join(session, offers_to(driver));
            if session.namespace == DRIVER_SOCKET {
                self.hub.join(session, driver_socket(driver));
            }
            if available {
                self.hub.join(session, AVAILABLE_DRIVERS);
                pool.hears(session.no);
            }
            was_away
        };
        if was_away {
            self.arrived(driver);
        }
    }

    fn closed(&self, session: &Arc<Session>) {
        let driver = session.caller.user;
        if session.caller.role != Role::Driver || !carries_orders(session) {
            return;
        }
        self.pool.lock().forget(session.no);
        let Some(moves) = self.last_lost(driver) else { return };
        // It begins now, not when the task does.
        let (this, grace) = (self.this.clone(), tokio::time::sleep(self.grace));
        tokio::spawn(async move {
            grace.await;
            if let Some(drivers) = this.upgrade().filter(|it| it.pool.lock().depart(driver, moves))
            {
                drivers.departed(driver).await;
            }
        });
    }
}
