//! What happens to orders when an account is erased: they stay, without what was somebody's own.

use super::{Orders, TRIES};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::orders::model::{Order, OrderPage, Status, Whose};

/// Orders looked at in one go.
const SLICE: i64 = 1000;
/// Orders that have not ended and are named.
const MOST_NAMED: u32 = 20;

impl Orders {
    /// The numbers of some orders of a user that have not ended.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn open_of(&self, user: UserId) -> Result<Vec<i64>> {
        let mut open = Vec::new();
        for status in Status::ALL.into_iter().filter(|status| !status.is_final()) {
            let whose = Whose::Of(user);
            let page = OrderPage { whose, status: Some(status), before: None, limit: MOST_NAMED };
            open.extend(self.store.orders(&page).await?.iter().map(|order| order.number));
        }
        Ok(open)
    }

    /// Takes from all orders what is this user's own. Of those that have not ended and are the
    /// user's, it is still needed: they stay as they are, and their numbers are given. Repeatable.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn erase(&self, user: UserId) -> Result<Vec<i64>> {
        let newest = OrderPage { whose: Whose::Everybodys, status: None, before: None, limit: 1 };
        let last = self.store.orders(&newest).await?.first().map_or(0, |order| order.number);
        let mut open = Vec::new();
        for first in (1..=last).step_by(SLICE as usize) {
            for order in self.store.with_part(user, first, first + SLICE - 1).await? {
                if self.redact(order.clone(), user).await?.is_none() {
                    open.push(order.number);
                }
            }
        }
        Ok(open)
    }

    /// `None` where that has to wait for the end of the order.
    async fn redact(&self, mut order: Order, user: UserId) -> Result<Option<()>> {
        for _ in 0..TRIES {
            if order.is_of(user) && !order.status.is_final() {
                return Ok(None);
            }
            let without = order.without(user);
            if without == order || self.store.redact(&without).await? {
                self.recent.remove(&order.id);
                return Ok(Some(()));
            }
            let Some(now) = self.store.order(order.id).await? else { return Ok(Some(())) };
            order = now;
        }
        Err(Error::unavailable("Too much happens to the order"))
    }
}
