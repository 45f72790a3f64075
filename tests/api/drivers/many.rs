//! Fifty drivers whose connections are cut at random while admins give orders and take them away:
//! each driver hears of each of theirs, and of nobody else's.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::wire::{PING, PONG, TEXT, Wire};
use crate::support::{Person, Server};

const DRIVERS: usize = 50;
const ADMINS: usize = 4;
/// Orders, half of which are taken back.
const ORDERS: usize = 668;

/// A connection that lived so long after it answered a ping had its answer arrive.
const ARRIVED: Duration = Duration::from_secs(1);

/// What one driver has heard: each notice, with the number of the connection it came by.
#[derive(Default)]
struct Ear {
    heard: Vec<(usize, String, i64)>,
    /// Of each connection that lived for [`ARRIVED`] after it answered a ping: how many notices had
    /// come before that.
    proven: HashMap<usize, usize>,
}

/// Drives until told to stop: connects, answers pings, and is cut at random.
async fn drive(dan: Person, ear: Arc<Mutex<Ear>>, calm: Arc<AtomicBool>) {
    for connection in 0.. {
        let Ok(mut wire) = Wire::open(&dan.server, &dan.driver_path()).await else { continue };
        let life = Duration::from_millis(rand::rng().random_range(20..2000));
        let born = Instant::now();
        let (mut here, mut answers) = (0, Vec::new());
        loop {
            let arrived =
                answers.iter().rev().find(|(_, at): &&(usize, Instant)| at.elapsed() > ARRIVED);
            if let Some((count, _)) = arrived {
                ear.lock().unwrap().proven.insert(connection, *count);
            }
            let cut = !calm.load(Ordering::SeqCst) && born.elapsed() > life;
            if cut {
                wire.cut();
                break;
            }
            let read = tokio::time::timeout(Duration::from_millis(50), wire.read()).await;
            let Ok(frame) = read else { continue };
            match frame {
                Some((TEXT, text)) => {
                    let frame: Value = serde_json::from_slice(&text).unwrap();
                    let kind = frame["type"].as_str().unwrap().to_owned();
                    if kind == "order_assigned" || kind == "order_cancelled" {
                        here += 1;
                        let number = frame["data"]["order_id"].as_i64().unwrap();
                        ear.lock().unwrap().heard.push((connection, kind, number));
                    }
                }
                Some((PING, payload)) => {
                    if wire.write(PONG, &payload).await.is_ok() {
                        answers.push((here, Instant::now()));
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
    }
}

/// What happened to one order.
struct Fate {
    driver: usize,
    number: i64,
    cancelled: bool,
}

/// Gives orders to random drivers, and takes every other one back.
async fn administer(admin: Person, drivers: Arc<Vec<Person>>, orders: usize) -> Vec<Fate> {
    let mut fates = Vec::new();
    for _ in 0..orders {
        let driver = rand::rng().random_range(0..DRIVERS);
        let order = admin.create().await;
        admin.give(&order, &drivers[driver]).await;
        let number = order["order_id"].as_i64().unwrap();
        let cancelled = rand::rng().random_bool(0.5);
        if cancelled {
            let for_good = rand::rng().random_bool(0.5);
            match for_good {
                true => admin.call_off(&order, "Gone").await,
                false => {
                    admin.v1_on(&order, "unassign", &json!({})).await.bare(200);
                    // Or it is offered to every driver at every connect.
                    admin.call_off(&order, "Nobody's").await
                }
            };
        }
        fates.push(Fate { driver, number, cancelled });
    }
    fates
}

/// Whether a driver has heard how each of these orders ended.
fn has_heard(ear: &Ear, fates: &[&Fate]) -> bool {
    fates.iter().all(|fate| {
        let last = if fate.cancelled { "order_cancelled" } else { "order_assigned" };
        ear.heard.iter().any(|(_, kind, number)| kind == last && *number == fate.number)
    })
}

/// Holds what a driver has heard against what happened, and gives how much came again.
fn check(driver: usize, ear: &Ear, fates: &[&Fate]) -> usize {
    let mine: HashMap<i64, &Fate> = fates.iter().map(|fate| (fate.number, *fate)).collect();
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut before: HashMap<(&str, i64), (usize, usize)> = HashMap::new();
    let mut repeats = 0;
    for (connection, kind, number) in &ear.heard {
        let fate = mine.get(number).unwrap_or_else(|| panic!("{driver} heard of {number}: {kind}"));
        assert!(kind == "order_assigned" || fate.cancelled, "{number} was not cancelled");
        let is_over = before.contains_key(&("order_cancelled", *number));
        assert!(kind == "order_cancelled" || !is_over, "{number} assigned after it was cancelled");
        let place = places.entry(*connection).or_default();
        *place += 1;
        if let Some((earlier, place)) = before.insert((kind, *number), (*connection, *place)) {
            assert_ne!(earlier, *connection, "{number} twice on one connection: {kind}");
            let proven = ear.proven.get(&earlier).copied().unwrap_or_default();
            assert!(place > proven, "{driver} had {number} for certain: {kind}");
            repeats += 1;
        }
    }
    repeats
}

async fn drivers(server: &Server) -> Vec<Person> {
    let mut drivers = Vec::new();
    for number in 0..DRIVERS {
        drivers.push(server.driver(&format!("driver{number}")).await);
    }
    drivers
}

on_every_store! {
    #[set(ADMIN_EMAIL = "root@example.com", ADMIN_PASSWORD = "password123")]
    async fn each_driver_hears_of_each_own_order_whatever_is_cut(server) {
        let started = Instant::now();
        let admin = server.admin().await;
        let drivers = Arc::new(drivers(server).await);
        let calm = Arc::new(AtomicBool::new(false));
        let ears: Vec<Arc<Mutex<Ear>>> = drivers.iter().map(|_| Arc::default()).collect();
        let mut driving = JoinSet::new();
        for (driver, ear) in drivers.iter().zip(&ears) {
            driving.spawn(drive(driver.clone(), ear.clone(), calm.clone()));
        }
        let mut admins = JoinSet::new();
        for _ in 0..ADMINS {
            admins.spawn(administer(admin.clone(), drivers.clone(), ORDERS / ADMINS));
        }
        let fates: Vec<Fate> = admins.join_all().await.into_iter().flatten().collect();
        calm.store(true, Ordering::SeqCst);
        let of = |driver| fates.iter().filter(|fate| fate.driver == driver).collect::<Vec<_>>();
        let deadline = Instant::now() + crate::support::rest::PATIENCE;
        for (driver, ear) in ears.iter().enumerate() {
            while !has_heard(&ear.lock().unwrap(), &of(driver)) {
                assert!(Instant::now() < deadline, "driver {driver} has not heard everything");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        // Whatever else is sent would be here by now.
        tokio::time::sleep(Duration::from_millis(200)).await;
        driving.abort_all();
        let mut repeats = 0;
        let mut heard = 0;
        for (driver, ear) in ears.iter().enumerate() {
            let ear = ear.lock().unwrap();
            repeats += check(driver, &ear, &of(driver));
            heard += ear.heard.len();
        }
        let connections: usize = ears
            .iter()
            .map(|ear| {
                ear.lock().unwrap().heard.last().map_or(0, |(connection, _, _)| connection + 1)
            })
            .sum();
        println!(
            "{} orders, {heard} notices over {connections} connections, {repeats} again, {:?}",
            fates.len(),
            started.elapsed()
        );
        assert!(connections > 2 * DRIVERS, "nothing was cut: {connections}");
    }
}
