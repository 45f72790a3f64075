//! The rules of drivers: who is offered orders, and where they are.

mod availability;
mod positions;

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use quick_cache::sync::Cache;

use super::model::{DRIVERS, Fix, Nearby, driver_socket};
use super::pool::Pool;
pub use super::pool::{Moment, Roster};
use super::requests::DriverRef;
use super::store::DriverStore;
use super::v1::{DriverProfile, OnlineState};
use super::wire::{
    ADMIN_SOCKET, CONNECTED, Connected, DRIVER_SOCKET, DriverView, NearbyDriver, NearbyDrivers,
    OwnState, Position,
};
use crate::auth::model::Account;
use crate::auth::service::Auth;
use crate::caller::{Caller, Role};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::geo::Point;
use crate::ids::UserId;
use crate::limits::Limits;
use crate::realtime::hub::Hub;
use crate::realtime::relay::Command;
use crate::realtime::session::Session;
use crate::store::group::GroupCommit;

use positions::Last;

/// Drivers whose last positions are remembered; the least used are forgotten first.
const REMEMBERED: usize = 100_000;
/// Positions and changes of availability written in one go, at most.
const BATCH: usize = 1000;
/// The same that may wait to be written; more are told to come back.
const WAITING: usize = 20_000;
/// Drivers that one look around shows.
const MOST_NEARBY: u32 = 100;

/// Somebody who must know what drivers do; told by [`Drivers`].
#[async_trait]
pub trait DriverWatch: Send + Sync {
    /// A driver can be offered orders from here on: connected, with a position, or because the
    /// driver asked for it; then since when sockets of the driver hear of new ones.
    async fn available(&self, _driver: UserId, _asked: Option<Moment>) {}
    /// A driver cannot be offered orders any more: went away, or asked for it.
    async fn unavailable(&self, _driver: UserId) {}
    /// A driver is somewhere else. Quick, no waiting.
    fn moved(&self, _driver: UserId, _fix: &Fix) {}
    /// A driver's account is erased: what is remembered of them goes. Quick, no waiting.
    fn erased(&self, _driver: UserId) {}
}

/// What the service stands on.
pub struct Parts {
    /// Positions and availability.
    pub store: Arc<dyn DriverStore>,
    /// Accounts, for names and numbers.
    pub auth: Arc<Auth>,
    /// The way to everybody.
    pub hub: Arc<Hub>,
    /// Limits.
    pub limits: Arc<Limits>,
    /// How long a driver whose last socket was lost still counts as connected.
    pub grace: Duration,
    /// How old a position may be to count.
    pub max_age: Duration,
    /// How long the history of positions is kept.
    pub retention: Duration,
}

/// Drivers.
pub struct Drivers {
    store: Arc<dyn DriverStore>,
    auth: Arc<Auth>,
    hub: Arc<Hub>,
    limits: Arc<Limits>,
    clock: Clock,
    grace: Duration,
    max_age: Duration,
    retention: Duration,
    pool: Arc<Pool>,
    last: Cache<UserId, Arc<Last>>,
    fixes: GroupCommit<(UserId, Fix), ()>,
    availability: GroupCommit<UserId, ()>,
    watchers: OnceLock<Vec<Arc<dyn DriverWatch>>>,
    this: Weak<Self>,
}

impl Drivers {
    /// The drivers among the accounts of `parts.auth`.
    pub fn new(parts: Parts) -> Arc<Self> {
        let pool = Arc::new(Pool::default());
        Arc::new_cyclic(|this| Self {
            fixes: positions::writer(&parts.store),
            availability: availability::writer(&parts.store, &pool),
            clock: parts.hub.clock().clone(),
            store: parts.store,
            auth: parts.auth,
            hub: parts.hub,
            limits: parts.limits,
            grace: parts.grace,
            max_age: parts.max_age,
            retention: parts.retention,
            pool,
            last: Cache::new(REMEMBERED),
            watchers: OnceLock::new(),
            this: this.clone(),
        })
    }

    /// Sets, once, who is told what drivers do.
    pub fn watch(&self, watchers: Vec<Arc<dyn DriverWatch>>) {
        if self.watchers.set(watchers).is_err() {
            tracing::error!("the watchers of drivers were set twice");
        }
    }

    fn watchers(&self) -> impl Iterator<Item = &Arc<dyn DriverWatch>> {
        self.watchers.get().into_iter().flatten()
    }

    /// Writes what was accepted, and takes no more.
    pub async fn close(&self) {
        self.fixes.close().await;
        self.availability.close().await;
    }

    /// The account of a driver.
    ///
    /// # Errors
    /// `not_found` when there is no such driver.
    pub async fn driver(&self, named: &DriverRef) -> Result<Arc<Account>> {
        let account = match named {
            DriverRef::Id(id) => self.auth.account(*id).await?,
            DriverRef::Number(number) => self.auth.account_of_driver(*number).await?,
            DriverRef::Username(key) => self.auth.account_named(key).await?,
        };
        let driver = account.filter(|one| one.role == Role::Driver && !one.is_erased());
        driver.ok_or_else(|| Error::not_found("There is no such driver"))
    }

    /// Counts an event that changes something against the caller's limit, as REST requests are.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn count(&self, caller: Caller) -> Result<()> {
        self.limits.rest_writes.check(&caller.user).map(drop)
    }

    /// What the clock says.
    pub fn now(&self) -> crate::clock::Timestamp {
        self.clock.now()
    }

    /// Whether a driver is connected and offered new orders.
    pub fn is_available(&self, driver: UserId) -> bool {
        self.pool.is_available(driver)
    }

    /// What a driver is told of themself.
    ///
    /// # Errors
    /// `forbidden` for who is no driver.
    pub async fn own_state(&self, caller: Caller) -> Result<OwnState> {
        must_drive(caller)?;
        let account = self.driver(&DriverRef::Id(caller.user)).await?;
        let fix = self.last_fix(caller.user).await?;
        Ok(OwnState {
            driver: DriverView::from(account.as_ref()),
            available: self.pool.is_available(caller.user),
            position: fix.as_ref().map(Position::from),
        })
    }

    /// A driver, as the driver app shows them.
    ///
    /// # Errors
    /// `not_found` when there is no such driver.
    pub async fn profile(&self, driver: UserId) -> Result<DriverProfile> {
        let account = self.driver(&DriverRef::Id(driver)).await?;
        Ok(DriverProfile::new(&account, self.is_available(driver)))
    }

    /// Says whether new orders are to be offered to a driver, as the driver app shows it.
    ///
    /// # Errors
    /// `not_found` when there is no such driver.
    pub async fn set_online(&self, driver: UserId, online: bool) -> Result<OnlineState> {
        let account = self.driver(&DriverRef::Id(driver)).await?;
        self.set_availability_of(driver, online).await?;
        Ok(OnlineState {
            driver_id: account.driver_number,
            status: online.into(),
            connected: !self.sessions(driver).is_empty(),
        })
    }

    /// The drivers around a place: to admins all and by name, to others where the available ones are.
    pub async fn nearby(&self, caller: Caller, to: Point, radius: f64) -> Result<NearbyDrivers> {
        let is_admin = caller.role == Role::Admin;
        let near = Nearby {
            to,
            radius: Some(radius),
            since: self.clock.now() - self.max_age,
            available: !is_admin,
            except: Vec::new(),
            limit: MOST_NEARBY,
        };
        let mut near = self.store.nearest(&near).await?;
        // The stored availability outlives a crash.
        near.retain(|near| is_admin || self.is_available(near.driver));
        let drivers = try_join_all(near.iter().map(async |near| {
            let mut shown = NearbyDriver::anonymous(near);
            if is_admin {
                let account = self.auth.account(near.driver).await?;
                shown.driver = account.as_deref().map(DriverView::from);
                shown.available = Some(self.is_available(near.driver));
            }
            Ok::<_, Error>(shown)
        }))
        .await?;
        Ok(NearbyDrivers { count: drivers.len(), drivers })
    }

    /// Drivers who were available when it was last noted, with a position that counts, the
    /// nearest first.
    pub async fn nearest(&self, to: Point, except: Vec<UserId>, limit: u32) -> Result<Vec<UserId>> {
        let since = self.clock.now() - self.max_age;
        let nearby = Nearby { to, radius: None, since, available: true, except, limit };
        let near = self.store.nearest(&nearby).await?;
        Ok(near.into_iter().map(|near| near.driver).collect())
    }

    /// Tells drivers something, or does what else is quick, while none of their sockets comes to hear
    /// of offers.
    pub fn hold_still<T>(&self, act: impl FnOnce(&mut Roster) -> T) -> T {
        act(&mut self.pool.lock())
    }

    /// Since when a driver's socket hears of offers, if the driver was available when it came.
    pub fn hears_since(&self, session: &Session) -> Option<Moment> {
        self.pool.lock().hears_since(session.no)
    }

    /// Tells a raw socket that it is connected, before it hears anything else.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn greet(&self, session: &Arc<Session>) -> Result<()> {
        let account = self.auth.account(session.caller.user).await?;
        let driver_id = account.and_then(|account| account.driver_number);
        let connected = Connected { driver_id, server_time: self.clock.now() };
        self.hub.send_first(session, &CONNECTED, &connected);
        Ok(())
    }

    /// Closes the other raw sockets of a driver, wherever they are: the newest stays.
    pub fn replace_sockets(&self, session: &Session) {
        let of = driver_socket(session.caller.user);
        self.hub.command(Command::ReplaceSockets { of, newest: session.no });
    }

    /// A driver's sockets, where orders are.
    pub fn sessions(&self, driver: UserId) -> Vec<Arc<Session>> {
        self.hub.sessions_in(driver.audience(), DRIVERS)
    }
}

/// That the caller is a driver.
///
/// # Errors
/// `forbidden` for others.
pub fn must_drive(caller: Caller) -> Result<()> {
    if caller.role == Role::Driver {
        Ok(())
    } else {
        Err(Error::forbidden("Only drivers can do this"))
    }
}

/// Whether a socket is where orders are.
pub fn carries_orders(session: &Session) -> bool {
    matches!(session.namespace, "/" | "/orders" | DRIVER_SOCKET | ADMIN_SOCKET)
}
