//! Who may watch whom (`WATCH_POLICY`), looked at again whenever an order changes.

use std::time::Duration;

use super::service::{Watching, watchers};
use super::wire::LOCATION_SOCKET;
use crate::caller::{Caller, Role};
use crate::config::WatchPolicy;
use crate::error::{Error, ErrorBody, Result};
use crate::ids::UserId;
use crate::orders::model::Order;
use crate::orders::service::{OrderWatch, actor};
use crate::realtime::events::ServerEvent;

/// Orders looked through for one in which a watcher has a part.
const MOST_ORDERS: u32 = 100;
/// Seconds between looks for these orders while the store is away.
const RECHECKS: [u64; 4] = [1, 2, 4, 8];

impl Watching {
    /// That somebody may watch a driver.
    ///
    /// # Errors
    /// `forbidden`, and those of the store.
    pub(super) async fn must_be_allowed(&self, caller: Caller, driver: UserId) -> Result<()> {
        if self.may_watch(caller, driver, &[]) {
            return Ok(());
        }
        let orders = self.parts.orders.under_way(driver, MOST_ORDERS).await?;
        if self.may_watch(caller, driver, &orders) { Ok(()) } else { Err(not_a_party()) }
    }

    /// Whether somebody may watch a driver who is at these orders.
    fn may_watch(&self, caller: Caller, driver: UserId, orders: &[Order]) -> bool {
        let is_open = self.parts.config.watch_policy == WatchPolicy::Everyone;
        let is_party =
            |order: &Order| order.driver == Some(driver) && order.concerns(actor(caller));
        is_open
            || caller.role == Role::Admin
            || caller.user == driver
            || orders.iter().any(is_party)
    }

    /// Takes the dashboard away from those who may watch a driver no longer. Where that cannot be
    /// found out for long, from all who may not watch everybody.
    async fn recheck(&self, driver: UserId) {
        let audience = watchers(driver);
        if self.parts.hub.count(audience) == 0 {
            return;
        }
        let mut orders = self.parts.orders.under_way(driver, MOST_ORDERS).await;
        for pause in RECHECKS {
            if orders.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(pause)).await;
            orders = self.parts.orders.under_way(driver, MOST_ORDERS).await;
        }
        let orders = orders.unwrap_or_default();
        let error = not_a_party();
        for session in self.parts.hub.sessions_in(audience, audience) {
            // Another change of the order may have taken it away already.
            if !self.may_watch(session.caller, driver, &orders)
                && self.parts.hub.leave(&session, audience)
            {
                let event = ServerEvent::reliable("error", &[LOCATION_SOCKET]);
                self.parts.hub.send(&session, &event, &ErrorBody::from(&error));
            }
        }
    }
}

fn not_a_party() -> Error {
    Error::forbidden("Only those whose order the driver is at can watch them")
}

impl OrderWatch for Watching {
    fn changed(&self, before: &Order, order: &Order) {
        if self.parts.config.watch_policy == WatchPolicy::Everyone {
            return;
        }
        let another = order.driver.filter(|driver| before.driver != Some(*driver));
        for driver in [before.driver, another].into_iter().flatten() {
            let this = self.this.clone();
            tokio::spawn(async move {
                if let Some(watching) = this.upgrade() {
                    watching.recheck(driver).await;
                }
            });
        }
    }
}
