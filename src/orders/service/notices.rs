//! What a driver must hear of an order, heard for certain (CONTRACT §8): a notice is stored with
//! the change that makes it, told to every socket of the driver where orders are, at once and
//! again at each connect, and forgotten when a socket that it was written to has shown life.
//!
//! A frame that a client sent before it got the notice proves nothing. So a raw socket is pinged
//! right behind a notice, and the answer to that ping is the proof; any other frame counts when it
//! comes [`CROSSING`] later, for clients that answer no ping.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::{Orders, actor};
use crate::auth::model::Account;
use crate::caller::{Caller, Role};
use crate::error::Result;
use crate::ids::{OrderId, UserId};
use crate::orders::model::{Notice, NoticeKind, Order};
use crate::orders::store::OrderStore;
use crate::orders::v1::{Assignment, Names, ORDER_ASSIGNED, ORDER_TAKEN, Taken};
use crate::realtime::hub::Sign;
use crate::realtime::session::{Session, SessionNo};
use crate::store::group::GroupCommit;

/// From here on a frame was sent by somebody who has got what was written so long before.
const CROSSING: Duration = Duration::from_secs(2);
/// Untold notices that a driver hears at one connect; what is left comes at the next.
const AT_CONNECT: u32 = 500;
/// Notices forgotten in one write, and those that may wait for it.
const BATCH: usize = 500;
const WAITING: usize = 20_000;

/// A notice that was told: whose, of which order, and which of its notices.
type Told = (UserId, OrderId, u32);

/// What was told to which socket.
pub(super) struct Notices {
    sockets: Mutex<HashMap<SessionNo, Telling>>,
    probes: AtomicU64,
    /// An item of none only waits for those before it.
    told: GroupCommit<Option<Told>, ()>,
}

/// What one socket was told.
#[derive(Default)]
struct Telling {
    /// The latest notice of each order, so that none is told twice and none after a later one.
    latest: HashMap<OrderId, u32>,
    /// Those that it may not have got.
    unproven: Vec<Unproven>,
}

struct Unproven {
    told: Told,
    probe: u64,
    /// When it was given to the socket.
    at: Instant,
}

impl Notices {
    pub(super) fn new(store: &Arc<dyn OrderStore>) -> Self {
        let store = store.clone();
        // Kept and tried again while the store is away; forgetting twice does no harm.
        let write = move |items: Vec<Option<Told>>| {
            let store = store.clone();
            async move {
                let told: Vec<Told> = items.iter().copied().flatten().collect();
                let forgotten = if told.is_empty() { Ok(()) } else { store.told(&told).await };
                let results = vec![forgotten; items.len()];
                (items, results)
            }
            .boxed()
        };
        let told = GroupCommit::spawn_gathering("told", BATCH, WAITING, Duration::ZERO, write);
        Self { sockets: Mutex::default(), probes: AtomicU64::new(1), told }
    }

    fn sockets(&self) -> MutexGuard<'_, HashMap<SessionNo, Telling>> {
        self.sockets.lock().expect("no panic under this lock")
    }

    pub(super) async fn close(&self) {
        self.told.close().await;
    }

    /// Forgets what was told to a socket that is gone.
    pub(super) fn gone(&self, session: &Session) {
        self.sockets().remove(&session.no);
    }
}

impl Orders {
    /// Tells a driver's socket that has just connected what the driver was not told yet.
    pub(super) async fn tell_untold(&self, session: &Arc<Session>) -> Result<()> {
        // What the socket before has proven may not be forgotten yet.
        if let Err(error) = self.notices.told.submit(None).await {
            tracing::debug!(%error, "notices may be told again");
        }
        for (order, notice) in self.store.untold(session.caller.user, AT_CONNECT).await? {
            self.notify(std::slice::from_ref(session), &order, notice).await?;
        }
        Ok(())
    }

    /// Tells a driver's sockets of what has just happened to an order.
    pub(super) async fn tell_notice(&self, order: &Order, notice: Notice) -> Result<()> {
        self.notify(&self.drivers.sessions(notice.driver), order, notice).await
    }

    async fn notify(&self, to: &[Arc<Session>], order: &Order, notice: Notice) -> Result<()> {
        if to.is_empty() {
            return Ok(());
        }
        match notice.kind {
            NoticeKind::Assigned => {
                let assignment = self.show_assignment(order).await?;
                to.iter().for_each(|session| {
                    self.tell_once(session, order.id, notice, || {
                        self.hub.send(session, &ORDER_ASSIGNED, &assignment);
                    });
                });
            }
            NoticeKind::Cancelled => {
                let taken = taken(order, notice);
                to.iter().for_each(|session| {
                    self.tell_once(session, order.id, notice, || {
                        self.hub.send(session, &ORDER_TAKEN, &taken);
                    });
                });
            }
        }
        Ok(())
    }

    /// Nothing between the look and the sending: what a socket is told stays in order.
    fn tell_once(
        &self,
        session: &Arc<Session>,
        order: OrderId,
        notice: Notice,
        send: impl FnOnce(),
    ) {
        let Notice { driver, no, .. } = notice;
        let mut sockets = self.notices.sockets();
        let telling = sockets.entry(session.no).or_default();
        if telling.latest.get(&order).is_some_and(|latest| *latest >= no) {
            return;
        }
        telling.latest.insert(order, no);
        send();
        let probe = self.notices.probes.fetch_add(1, Ordering::Relaxed);
        let told = (driver, order, no);
        telling.unproven.push(Unproven { told, probe, at: Instant::now() });
        session.await_sign(probe);
        if session.is_closed() {
            sockets.remove(&session.no);
        }
    }

    /// Notes what a sign of life proves to have arrived.
    pub(super) fn heard_sign(&self, session: &Session, sign: Sign) {
        // What is still held back has reached nobody.
        let Some(released) = session.released_at() else { return };
        let now = Instant::now();
        let mut sockets = self.notices.sockets();
        let Some(telling) = sockets.get_mut(&session.no) else { return };
        let is_proven = |one: &Unproven| match sign {
            Sign::Probe(probe) => probe >= one.probe,
            Sign::Frame => now >= one.at.max(released) + CROSSING,
        };
        telling.unproven.retain(|one| {
            // One that cannot be noted now is noted with the next sign.
            !(is_proven(one) && self.notices.told.offer(Some(one.told)).is_ok())
        });
        if telling.unproven.is_empty() {
            session.await_no_sign();
        }
    }

    /// An order as the driver app shows it to who is offered it: whom it is for, only who has a part
    /// in it learns.
    pub(super) async fn show_offered(&self, order: &Order) -> Result<Assignment> {
        Ok(Assignment {
            customer_name: None,
            customer_phone: None,
            ..self.show_assignment(order).await?
        })
    }

    /// An order as the driver app shows it to somebody.
    pub(super) async fn show_to(&self, caller: Caller, order: &Order) -> Result<Assignment> {
        if order.concerns(actor(caller)) {
            self.show_assignment(order).await
        } else {
            self.show_offered(order).await
        }
    }

    /// An order as the driver app shows it to who has a part in it.
    pub(super) async fn show_assignment(&self, order: &Order) -> Result<Assignment> {
        let restaurant = match order.restaurant {
            Some(restaurant) => self.auth.account(restaurant).await?,
            None => None,
        };
        // Of an order that the back office placed, the account is an admin's.
        let customer = self.auth.account(order.customer).await?;
        let customer =
            customer.filter(|account| account.role == Role::User && !account.is_erased());
        let name = |account: Arc<Account>| {
            account.name.clone().unwrap_or_else(|| account.username.clone())
        };
        let names = Names { restaurant: restaurant.map(name), customer: customer.map(name) };
        Ok(Assignment::new(order, names, self.driver_number(order).await?))
    }

    /// The number of an order's driver.
    pub(super) async fn driver_number(&self, order: &Order) -> Result<Option<i64>> {
        let Some(driver) = order.driver else { return Ok(None) };
        Ok(self.auth.account(driver).await?.and_then(|account| account.driver_number))
    }
}

/// Why a driver has an order no more: as the step says that took it.
fn taken(order: &Order, notice: Notice) -> Taken {
    let step = (notice.no as usize).checked_sub(1).and_then(|at| order.history.get(at));
    let reason = step.and_then(|step| step.reason.as_ref()).map(ToString::to_string);
    let by = step.map(|step| step.by);
    let reason = reason.unwrap_or_else(|| {
        let is_taken_back = step.is_some_and(|step| !step.status.is_final());
        match by {
            _ if is_taken_back => super::announcing::UNASSIGNED,
            Some(by) if by == order.customer => "Customer cancelled",
            Some(by) if Some(by) == order.restaurant => "Restaurant cancelled",
            _ => "Cancelled",
        }
        .to_owned()
    });
    Taken { order_id: order.number, id: order.id, reason }
}
