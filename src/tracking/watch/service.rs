//! The rules of watching a driver: who may, and how often watchers are told.

use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use quick_cache::sync::Cache;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::schedule::Schedule;
use super::wire::{DriverToken, LOCATION, LocationDriver, OFFLINE, Watched};
use crate::auth::model::Account;
use crate::auth::requests::LogIn;
use crate::auth::service::Auth;
use crate::caller::{CheckToken, Role};
use crate::config::DriverConfig;
use crate::drivers::model::Fix;
use crate::drivers::requests::DriverRef;
use crate::drivers::service::{DriverWatch, Drivers};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::limits::Limits;
use crate::orders::service::Orders;
use crate::realtime::hub::{Audience, Hub};
use crate::realtime::session::Session;

/// Drivers whose names are remembered.
const REMEMBERED: usize = 100_000;
/// Audiences that one socket may be in.
const MOST_AUDIENCES: usize = 1000;

/// The sockets that watch a driver.
pub(super) const fn watchers(driver: UserId) -> Audience {
    Audience::of("watched driver", driver.bytes())
}

/// What the service stands on.
pub struct Parts {
    /// Accounts, for names.
    pub auth: Arc<Auth>,
    /// Where drivers are.
    pub drivers: Arc<Drivers>,
    /// Who has a part in what they are at.
    pub orders: Arc<Orders>,
    /// The way to everybody.
    pub hub: Arc<Hub>,
    /// Limits.
    pub limits: Arc<Limits>,
    /// Who may watch, and how often watchers are told.
    pub config: DriverConfig,
}

/// Watching drivers.
pub struct Watching {
    pub(super) parts: Parts,
    names: Cache<UserId, Arc<Watched>>,
    schedule: Mutex<Schedule>,
    /// Wakes the task that tells when something is due earlier than before.
    earlier: Notify,
    pub(super) this: Weak<Self>,
}

impl Watching {
    /// Nobody watches yet.
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            parts,
            names: Cache::new(REMEMBERED),
            schedule: Mutex::default(),
            earlier: Notify::new(),
            this: this.clone(),
        })
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().expect("no panic under this lock")
    }

    /// Lets a driver in by name and password; the token holds for `DRIVER_TOKEN_TTL`.
    ///
    /// # Errors
    /// `unauthenticated` for a wrong name or password, `forbidden` for who is no driver.
    pub async fn log_in(&self, claim: LogIn) -> Result<DriverToken> {
        let must_drive = |account: &Account| match account.role {
            Role::Driver => Ok(()),
            _ => Err(Error::forbidden("Only drivers log in here")),
        };
        let ttl = self.parts.config.token_ttl;
        let logged_in = self.parts.auth.login_for(claim, ttl, must_drive).await?;
        let user = logged_in.user;
        let driver = LocationDriver {
            name: user.name.unwrap_or_else(|| user.username.clone()),
            id: user.username.clone(),
            username: user.username,
            image: user.image,
        };
        Ok(DriverToken { token: logged_in.token, driver })
    }

    /// Whether a token of the same account came again over a socket that is in already.
    ///
    /// # Errors
    /// Those of the token check; `forbidden` for somebody else's.
    pub async fn authenticate_again(&self, session: &Session, token: &str) -> Result<()> {
        let caller = self.parts.auth.check_token(token).await?;
        if caller.user == session.caller.user {
            Ok(())
        } else {
            Err(Error::forbidden("This socket is another account's: open a new one"))
        }
    }

    /// Where drivers are noted.
    pub const fn drivers(&self) -> &Arc<Drivers> {
        &self.parts.drivers
    }

    /// Lets a socket watch a driver: it hears at once where the driver is, or that the driver is
    /// offline, and from here on whenever that changes, and every so often.
    ///
    /// # Errors
    /// `not_found` when there is no such driver, `forbidden` where the policy says so,
    /// `validation_failed` when the socket watches too many, `rate_limited`.
    pub async fn watch(&self, session: &Arc<Session>, driver: &DriverRef) -> Result<()> {
        self.parts.limits.rest_writes.check(&session.caller.user)?;
        let driver = self.parts.drivers.driver(driver).await?.id;
        self.must_be_allowed(session.caller, driver).await?;
        let audience = watchers(driver);
        if !session.is_in(audience) && session.audience_count() >= MOST_AUDIENCES {
            return Err(Error::invalid("driverId", "is one too many: unwatch some first"));
        }
        let watched = self.watched(driver).await?;
        let hub = &self.parts.hub;
        hub.join(session, audience);
        // An order may have ended in between.
        if let Err(error) = self.must_be_allowed(session.caller, driver).await {
            hub.leave(session, audience);
            return Err(error);
        }
        // Scheduled while nobody moves the driver, who would else find no schedule to mend.
        let tell = |fix: Option<&Fix>| {
            let live = fix.filter(|fix| self.is_live(fix));
            match live {
                Some(fix) => hub.send(session, &LOCATION, &watched.at(fix)),
                None => hub.send(session, &OFFLINE, &watched.offline(fix)),
            }
            let mut schedule = self.schedule();
            if !schedule.has(driver) {
                schedule.set(driver, self.next(live.is_some()), live.is_some());
                self.earlier.notify_one();
            }
        };
        self.parts.drivers.look(driver, tell).await
    }

    /// Ends what [`Watching::watch`] began.
    ///
    /// # Errors
    /// `not_found` when there is no such driver.
    pub async fn unwatch(&self, session: &Session, driver: &DriverRef) -> Result<()> {
        let driver = self.parts.drivers.driver(driver).await?.id;
        self.parts.hub.leave(session, watchers(driver));
        Ok(())
    }

    async fn watched(&self, driver: UserId) -> Result<Arc<Watched>> {
        if let Some(watched) = self.names.get(&driver) {
            return Ok(watched);
        }
        let account = self.parts.drivers.driver(&DriverRef::Id(driver)).await?;
        let username: Arc<str> = account.username.as_str().into();
        let name = account.name.as_deref().map_or_else(|| username.clone(), Arc::from);
        let watched = Arc::new(Watched { driver, username, name });
        self.names.insert(driver, watched.clone());
        Ok(watched)
    }

    fn is_live(&self, fix: &Fix) -> bool {
        // By the server's clock: a phone's may be minutes slow.
        fix.received_at + self.parts.config.offline_after > self.parts.hub.clock().now()
    }

    fn next(&self, is_live: bool) -> Instant {
        let config = &self.parts.config;
        Instant::now() + if is_live { config.watch_interval } else { config.watch_offline_interval }
    }

    /// Tells watchers again and again, until the server stops.
    pub fn keep_telling(&self) {
        let this = self.this.clone();
        tokio::spawn(async move {
            loop {
                let Some(watching) = this.upgrade() else { return };
                if watching.parts.hub.is_draining() {
                    return;
                }
                let next = watching.schedule().next();
                let at_most = Instant::now() + Duration::from_secs(1);
                let until = next.map_or(at_most, |next| next.min(at_most));
                tokio::select! {
                    () = sleep_until(until) => {}
                    () = watching.earlier.notified() => continue,
                }
                watching.tell_due().await;
            }
        });
    }

    async fn tell_due(&self) {
        let now = Instant::now();
        loop {
            let due = self.schedule().due(now);
            let Some(driver) = due else { return };
            if let Err(error) = self.tell_again(driver).await {
                tracing::warn!(%error, %driver, "watchers of a driver were not told");
                self.schedule().set(driver, self.next(true), true);
            }
        }
    }

    async fn tell_again(&self, driver: UserId) -> Result<()> {
        let to = [watchers(driver)];
        let hub = &self.parts.hub;
        if hub.count(to[0]) == 0 {
            self.schedule().remove(driver);
            // Who has begun to watch in between found it scheduled.
            if hub.count(to[0]) == 0 {
                return Ok(());
            }
        }
        let watched = self.watched(driver).await?;
        let tell = |fix: Option<&Fix>| {
            let live = fix.filter(|fix| self.is_live(fix));
            match live {
                Some(fix) => hub.emit(&to, &LOCATION, &watched.at(fix)),
                None => hub.emit(&to, &OFFLINE, &watched.offline(fix)),
            }
            self.schedule().set(driver, self.next(live.is_some()), live.is_some());
        };
        self.parts.drivers.look(driver, tell).await
    }
}

impl DriverWatch for Watching {
    fn erased(&self, driver: UserId) {
        self.names.remove(&driver);
    }

    fn moved(&self, driver: UserId, fix: &Fix) {
        let audience = watchers(driver);
        if self.parts.hub.count(audience) == 0 {
            return;
        }
        // Known since the first watcher came.
        let Some(watched) = self.names.get(&driver).filter(|_| self.is_live(fix)) else { return };
        self.parts.hub.emit(&[audience], &LOCATION, &watched.at(fix));
        let mut schedule = self.schedule();
        if schedule.has(driver) && !schedule.is_live(driver) {
            schedule.set(driver, self.next(true), true);
            self.earlier.notify_one();
        }
    }
}
