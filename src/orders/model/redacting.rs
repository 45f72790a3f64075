//! What of an order is somebody's own: it is given out to them alone, and goes when their account
//! is erased. The rest is kept: it is what accounts are made of.

use super::{Contents, Order};
use crate::ids::UserId;

impl Order {
    /// The order without what is this user's own. Of who placed it: where it was fetched and
    /// brought, note, contact, key, and every reason that anybody gave; of others the reasons
    /// that they gave. Items, amounts, times, steps and ids stay.
    #[must_use]
    pub fn without(&self, user: UserId) -> Self {
        let is_customer = self.customer == user;
        let mut order = if is_customer { self.without_places() } else { self.clone() };
        order.keep_reasons_of(|giver| !is_customer && giver != user);
        order
    }

    /// The order without what is others' own.
    #[must_use]
    pub fn seen_by(&self, user: UserId) -> Self {
        if self.customer == user {
            return self.clone();
        }
        let mut order = self.without_places();
        order.keep_reasons_of(|giver| giver == user);
        order
    }

    fn without_places(&self) -> Self {
        let mut order = self.clone();
        let Contents { pickup, dropoff, note, contact, .. } = &mut order.contents;
        (*pickup, *dropoff, *note, *contact) = (None, None, None, None);
        order.client_order_id = None;
        order
    }

    fn keep_reasons_of(&mut self, keep: impl Fn(UserId) -> bool) {
        for rejection in &mut self.rejections {
            rejection.reason.take_if(|_| !keep(rejection.driver));
        }
        for entry in &mut self.history {
            entry.reason.take_if(|_| !keep(entry.by));
        }
    }

    /// Whether a user has a part in it: placed, prepares or brings it.
    pub fn is_of(&self, user: UserId) -> bool {
        self.customer == user || self.restaurant == Some(user) || self.driver == Some(user)
    }
}
