//! Positions on a store that shows what it is given.

use std::collections::HashMap;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;
use crate::auth::mail::Mailer;
use crate::auth::service::{Auth, Parts as AuthParts};
use crate::auth::store::embedded::{EmbeddedAuthStore, MIGRATIONS as ACCOUNTS};
use crate::caller::Role;
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Secrets, SocketParser, Vars};
use crate::drivers::model::{Near, Nearby};
use crate::drivers::service::{DriverWatch, Moment, Parts};
use crate::error::{Code, Error};
use crate::geo::Point;
use crate::ids::LoginId;
use crate::limits::Limits;
use crate::presence::service::Presence;
use crate::presence::store::embedded::EmbeddedPresenceStore;
use crate::realtime::hub::Hub;
use crate::realtime::relay::local::Local;
use crate::store::embedded::scratch::Scratch;

const NOW: Timestamp = Timestamp::from_millis(1_747_758_600_000);

type Batch = (u64, Vec<(UserId, Fix)>);

/// Keeps last positions, and shows each batch and when it came, in tens of milliseconds.
struct Shown {
    last: Mutex<HashMap<UserId, Fix>>,
    failure: Mutex<Option<Error>>,
    batches: mpsc::UnboundedSender<Batch>,
    started: Instant,
}

#[async_trait]
impl DriverStore for Shown {
    async fn save_fixes(&self, fixes: &[(UserId, Fix)]) -> Result<()> {
        if let Some(error) = self.failure.lock().unwrap().clone() {
            return Err(error);
        }
        let now = self.started.elapsed().as_millis() as u64 / 10;
        self.batches.send((now, fixes.to_vec())).unwrap();
        Ok(())
    }

    async fn last_fix(&self, driver: UserId) -> Result<Option<Fix>> {
        tokio::task::yield_now().await;
        match self.failure.lock().unwrap().clone() {
            Some(error) => Err(error),
            None => Ok(self.last.lock().unwrap().get(&driver).copied()),
        }
    }

    async fn save_availability(&self, _: &[(UserId, bool)]) -> Result<()> {
        unreachable!("nobody comes or goes")
    }

    async fn last_fixes(&self, _: &[UserId]) -> Result<Vec<(UserId, Fix)>> {
        unreachable!("nobody asks for several")
    }

    async fn nearest(&self, _: &Nearby) -> Result<Vec<Near>> {
        unreachable!("nobody looks around")
    }

    async fn trail(&self, _: &Trail) -> Result<Vec<Fix>> {
        unreachable!("nobody looks back")
    }

    async fn forget(&self, _: UserId) -> Result<()> {
        unreachable!("nobody is erased")
    }

    async fn keep_history(&self, _: Duration, _: Timestamp) -> Result<()> {
        unreachable!("nothing is removed")
    }
}

/// What those are told who follow drivers.
#[derive(Debug, PartialEq)]
enum Told {
    Moved(UserId, Fix),
    Available(UserId),
}

#[async_trait]
impl DriverWatch for mpsc::UnboundedSender<Told> {
    async fn available(&self, driver: UserId, asked: Option<Moment>) {
        assert!(asked.is_none());
        self.send(Told::Available(driver)).unwrap();
    }

    fn moved(&self, driver: UserId, fix: &Fix) {
        self.send(Told::Moved(driver, *fix)).unwrap();
    }
}

struct World {
    drivers: Arc<Drivers>,
    store: Arc<Shown>,
    batches: mpsc::UnboundedReceiver<Batch>,
    told: mpsc::UnboundedReceiver<Told>,
    _db: Scratch,
}

/// Two positions in ten seconds are allowed, and count for a minute.
fn world() -> World {
    let vars = [("RATE_LIMIT_LOCATIONS", "2/10s")];
    let config = Config::from_vars(Vars::from_pairs(&vars)).unwrap();
    let clock = Clock::manual(NOW);
    let hub = Hub::new(Box::new(Local), SocketParser::Common, &clock);
    let limits = Arc::new(Limits::new(&config.rates, &clock));
    let db = Scratch::new(ACCOUNTS);
    let presence = Arc::new(EmbeddedPresenceStore::new(db.clone()));
    let parts = AuthParts {
        store: Arc::new(EmbeddedAuthStore::new(db.clone())),
        hub: hub.clone(),
        presence: Presence::new(presence, &hub, config.presence.clone()),
        limits: limits.clone(),
        mailer: Mailer::Nowhere,
        secrets: Secrets { current: "x".repeat(32).into(), previous: Vec::new() },
    };
    let (shown, batches) = mpsc::unbounded_channel();
    let store = Arc::new(Shown {
        last: Mutex::default(),
        failure: Mutex::default(),
        batches: shown,
        started: Instant::now(),
    });
    let drivers = Drivers::new(Parts {
        store: store.clone(),
        auth: Auth::new(parts, &config),
        hub,
        limits,
        grace: Duration::ZERO,
        max_age: Duration::from_secs(60),
        retention: Duration::from_secs(60),
    });
    let (tell, told) = mpsc::unbounded_channel();
    drivers.watch(vec![Arc::new(tell)]);
    World { drivers, store, batches, told, _db: db }
}

impl World {
    /// All that was told since this was last asked.
    fn told(&mut self) -> Vec<Told> {
        std::iter::from_fn(|| self.told.try_recv().ok()).collect()
    }

    /// The drivers had a position that still counts.
    fn counts_already<const N: usize>(&self, drivers: [Caller; N]) {
        let known = drivers.map(|driver| (driver.user, fix(50)));
        self.store.last.lock().unwrap().extend(known);
    }

    fn fail(&self, failure: Option<Error>) {
        *self.store.failure.lock().unwrap() = failure;
    }
}

fn somebody(role: Role) -> Caller {
    let (user, login) = (UserId::generate(NOW), LoginId::generate(NOW));
    Caller { user, role, login, expires_at: NOW + Duration::from_secs(900) }
}

/// The report of a position of so many seconds ago, by a phone that knows the time.
fn dated(seconds: u64) -> Report {
    Report { fix: fix(seconds), is_dated: true }
}

/// A position of so many seconds ago.
fn fix(seconds: u64) -> Fix {
    let at = NOW - Duration::from_secs(seconds);
    let point = Point::from_stored(seconds as f64, 0.0);
    Fix { point, accuracy: None, heading: None, speed: None, battery: None, at, received_at: NOW }
}

#[tokio::test(start_paused = true)]
async fn what_is_reported_is_told_at_once_and_stored_in_bulk() {
    let mut test = world();
    let [one, other] = [(); 2].map(|()| somebody(Role::Driver));
    test.counts_already([one, other]);
    for (driver, seconds) in [(one, 2), (other, 1), (one, 3)] {
        test.drivers.report_location(driver, dated(seconds)).await.unwrap();
    }
    let (ones, others) = ((one.user, fix(2)), (other.user, fix(1)));
    assert_eq!(test.told(), [Told::Moved(ones.0, ones.1), Told::Moved(others.0, others.1)]);
    assert_eq!(test.drivers.last_fix(one.user).await, Ok(Some(fix(2))));
    assert!(test.batches.try_recv().is_err());
    let all = vec![ones, others, (one.user, fix(3))];
    assert_eq!(test.batches.recv().await, Some((25, all)));
}

#[tokio::test(start_paused = true)]
async fn positions_without_a_time_are_told_apart_by_their_order() {
    let mut test = world();
    let driver = somebody(Role::Driver);
    let of_now = |lat| Fix { point: Point::from_stored(lat, 0.0), ..fix(0) };
    let report = |lat| Report { fix: of_now(lat), is_dated: false };
    let later = |millis, fix| Fix { at: NOW + Duration::from_millis(millis), ..fix };
    test.drivers.report_location(driver, report(1.0)).await.unwrap();
    test.drivers.update_location(driver, report(2.0)).await.unwrap();
    let both = [of_now(1.0), later(1, of_now(2.0))];
    assert_eq!(test.told(), both.map(|fix| Told::Moved(driver.user, fix)));
    let stored: Vec<_> = std::iter::from_fn(|| test.batches.try_recv().ok()).collect();
    let stored: Vec<_> = stored.into_iter().flat_map(|(_, batch)| batch).collect();
    assert_eq!(stored, both.map(|fix| (driver.user, fix)));

    // One that has a time keeps it: said twice it is one, and late it is late.
    assert_eq!(dated(0).after(Some(&both[1])), fix(0));
    // A phone that was far ahead of a clock since put back holds nothing up.
    let ahead = later(60_001, fix(0));
    assert_eq!(report(1.0).after(Some(&ahead)), of_now(1.0));
    assert_eq!(report(1.0).after(None), of_now(1.0));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_store_waits_for_nothing_else() {
    let mut test = world();
    let driver = somebody(Role::Driver);
    test.counts_already([driver]);
    test.drivers.report_location(driver, dated(2)).await.unwrap();
    test.drivers.update_location(driver, dated(1)).await.unwrap();
    let (at, mut batch) = test.batches.try_recv().unwrap();
    batch.sort_by_key(|(_, fix)| fix.at);
    assert_eq!((at, batch), (0, vec![(driver.user, fix(2)), (driver.user, fix(1))]));
}

#[tokio::test(start_paused = true)]
async fn drivers_report_as_often_as_they_may() {
    let mut test = world();
    let (driver, customer) = (somebody(Role::Driver), somebody(Role::User));
    let code = |refused: Result<()>| refused.unwrap_err().code;
    assert_eq!(code(test.drivers.report_location(customer, dated(1)).await), Code::Forbidden);
    let refused = test.drivers.upload_locations(customer, vec![fix(1)]).await;
    assert_eq!(code(refused.map(drop)), Code::Forbidden);
    test.drivers.report_location(driver, dated(3)).await.unwrap();
    test.drivers.update_location(driver, dated(2)).await.unwrap();
    test.told();
    assert_eq!(code(test.drivers.report_location(driver, dated(1)).await), Code::RateLimited);
    assert_eq!(code(test.drivers.update_location(driver, dated(1)).await), Code::RateLimited);
    assert!(test.told().is_empty());
    let points = (10..400).map(fix).collect();
    assert_eq!(test.drivers.upload_locations(driver, points).await, Ok(390));
}

#[tokio::test(start_paused = true)]
async fn an_upload_fills_the_trail_and_only_its_latest_point_moves_the_driver() {
    let mut test = world();
    let driver = somebody(Role::Driver);
    let same = Fix { point: fix(9).point, ..fix(1) };
    let points = vec![fix(5), fix(1), fix(7), same, fix(5)];
    assert_eq!(test.drivers.upload_locations(driver, points).await, Ok(3));
    assert_eq!(test.told(), [Told::Moved(driver.user, fix(1))]);
    let all: Vec<_> = [7, 5, 1].map(|seconds| (driver.user, fix(seconds))).into();
    assert_eq!(test.batches.try_recv(), Ok((0, all)));

    assert_eq!(test.drivers.upload_locations(driver, vec![fix(2), fix(3)]).await, Ok(2));
    assert_eq!(test.drivers.last_fix(driver.user).await, Ok(Some(fix(1))));
    assert!(test.told().is_empty());
    let late: Vec<_> = [3, 2].map(|seconds| (driver.user, fix(seconds))).into();
    assert_eq!(test.batches.try_recv(), Ok((0, late)));

    assert_eq!(test.drivers.upload_locations(driver, Vec::new()).await, Ok(0));
    assert!(test.batches.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_first_position_that_counts_makes_a_connected_driver_available() {
    let mut test = world();
    let [reports, uploads] = [(); 2].map(|()| somebody(Role::Driver));
    for driver in [reports, uploads] {
        test.drivers.pool.lock().arrive(driver.user);
    }
    test.drivers.report_location(reports, dated(61)).await.unwrap();
    assert_eq!(test.told(), [Told::Moved(reports.user, fix(61))]);
    test.drivers.report_location(reports, dated(59)).await.unwrap();
    // Whoever looks for them now finds them in the store.
    let stored = test.batches.try_recv().unwrap().1;
    assert!(stored.contains(&(reports.user, fix(59))), "{stored:?}");
    let expected = [Told::Moved(reports.user, fix(59)), Told::Available(reports.user)];
    assert_eq!(test.told(), expected);
    test.drivers.upload_locations(uploads, vec![fix(8), fix(9)]).await.unwrap();
    test.drivers.upload_locations(uploads, vec![fix(7)]).await.unwrap();
    let expected = [
        Told::Moved(uploads.user, fix(8)),
        Told::Available(uploads.user),
        Told::Moved(uploads.user, fix(7)),
    ];
    assert_eq!(test.told(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_driver_can_be_offered_orders_once_a_position_is_stored() {
    let mut test = world();
    let [waits, reports] = [(); 2].map(|()| somebody(Role::Driver));
    for driver in [waits, reports] {
        test.drivers.pool.lock().arrive(driver.user);
        assert_eq!(test.drivers.last_fix(driver.user).await, Ok(None));
    }
    let away = Error::unavailable("away");
    test.fail(Some(away.clone()));
    assert_eq!(test.drivers.update_location(waits, dated(9)).await, Err(away));
    test.drivers.report_location(reports, dated(9)).await.unwrap();
    let moved = [waits, reports].map(|driver| Told::Moved(driver.user, fix(9)));
    assert_eq!(test.told(), moved);
    assert_eq!(test.drivers.last_fix(waits.user).await, Ok(None));

    test.fail(None);
    // What was accepted is tried again.
    let again = test.batches.recv().await.unwrap().1;
    assert_eq!(again, [(reports.user, fix(9))]);
    for driver in [waits, reports] {
        test.drivers.update_location(driver, dated(8)).await.unwrap();
        let expected = [Told::Moved(driver.user, fix(8)), Told::Available(driver.user)];
        assert_eq!(test.told(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_not_be_stored_is_told_to_nobody() {
    let mut test = world();
    let driver = somebody(Role::Driver);
    test.counts_already([driver]);
    test.drivers.fixes.close().await;
    let code = |refused: Result<()>| refused.unwrap_err().code;
    assert_eq!(code(test.drivers.update_location(driver, dated(2)).await), Code::Unavailable);
    assert_eq!(code(test.drivers.report_location(driver, dated(1)).await), Code::Unavailable);
    let uploaded = test.drivers.upload_locations(driver, vec![fix(1)]).await;
    assert_eq!(code(uploaded.map(drop)), Code::Unavailable);
    assert!(test.told().is_empty());
    assert_eq!(test.drivers.last_fix(driver.user).await, Ok(Some(fix(50))));
}

#[tokio::test(start_paused = true)]
async fn while_the_last_position_cannot_be_read_nothing_is_half_done() {
    let mut test = world();
    let driver = somebody(Role::Driver);
    test.store.last.lock().unwrap().insert(driver.user, fix(5));
    let away = Error::unavailable("away");
    test.fail(Some(away.clone()));
    // The second waits for what the first loads.
    let (reported, uploaded) = tokio::join!(
        test.drivers.report_location(driver, dated(1)),
        test.drivers.upload_locations(driver, vec![fix(2), fix(3)]),
    );
    assert_eq!((reported, uploaded), (Err(away.clone()), Err(away)));
    assert!(test.told().is_empty());

    test.fail(None);
    test.drivers.update_location(driver, dated(6)).await.unwrap();
    assert!(test.told().is_empty());
    assert_eq!(test.batches.recv().await, Some((0, vec![(driver.user, fix(6))])));
    assert_eq!(test.drivers.last_fix(driver.user).await, Ok(Some(fix(5))));
}
