//! The nearest of many drivers: how long it takes to be told of them, asked over REST by an admin. What the store alone
//! takes is measured in its own tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Bench;
use crate::accounts::{Account, Accounts, IN_FLIGHT};
use crate::cli::Nearest as Options;
use crate::latency::Latencies;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::Span;

/// So many are told of at most.
const MOST: usize = 100;
/// Between an answer and the next question.
const GAP: Duration = Duration::from_millis(2);
/// Questions before those that are measured.
const WARMUP: usize = 20;
/// Where the drivers are: some 55 km from south to north, and 34 from west to east.
const SOUTH_WEST: (f64, f64) = (52.25, 13.15);
const EXTENT: f64 = 0.5;
const EARTH_RADIUS: f64 = 6_371_008.8;
/// Two ways to compute a distance may differ by so much: a part of it, and metres.
const TOLERANCE: (f64, f64) = (0.002, 2.0);

/// Degrees north and east.
type Place = (f64, f64);

#[derive(Deserialize)]
struct Nearby {
    drivers: Vec<Near>,
}

#[derive(Deserialize)]
struct Near {
    distance: f64,
}

/// What was measured, over all questions.
struct Measured {
    span: Span,
    latencies: Latencies,
    /// Drivers in all answers.
    found: usize,
    faults: Vec<String>,
}

/// Registers drivers, has them say where they are, and asks.
pub async fn run(bench: &Bench, options: &Options) -> Result<Report> {
    let &Options { drivers, count, radius } = options;
    ensure!(drivers > 0 && count > 0 && radius > 0, "drivers, count and radius must be at least 1");
    let admin = bench.admin().await?;
    let accounts = bench.accounts.take_drivers(drivers).await?;
    let places: Vec<_> = (0..drivers as u64).map(place).collect();
    let begun = Instant::now();
    locate(&bench.accounts, &accounts, &places).await?;
    let located = drivers as f64 / begun.elapsed().as_secs_f64();

    let measured = measure(bench, &admin, &places, options).await?;
    let mut report = Report::new("nearest", format!("{count} of {drivers} drivers, {radius} m"));
    measured.fill(&mut report, count, bench.threads);
    report.figure("positions stored", located, "/s");
    Ok(report)
}

async fn measure(
    bench: &Bench,
    admin: &Account,
    places: &[Place],
    options: &Options,
) -> Result<Measured> {
    let (latencies, mut faults, mut found) = (Latencies::new(), Vec::new(), 0);
    let mut from = bench.server.sample().await?;
    for number in 0..WARMUP + options.count {
        if number == WARMUP {
            from = bench.server.sample().await?;
        }
        sleep(GAP).await;
        let centre = place((places.len() + number) as u64);
        let (latency, distances) = ask(&bench.accounts, admin, centre, options.radius).await?;
        if number >= WARMUP {
            latencies.record(latency);
            found += distances.len();
        }
        faults.extend(compare(&distances, &expected(places, centre, options.radius)));
    }
    let span = Span { from, to: bench.server.sample().await? };
    Ok(Measured { span, latencies, found, faults })
}

impl Measured {
    fn fill(&self, report: &mut Report, count: usize, threads: usize) {
        let Self { span, latencies, found, faults } = self;
        report.latencies("answer", latencies);
        report.figure("drivers in an answer", *found as f64 / count as f64, "");
        let each = |cpu: f64| cpu * 1e3 / count as f64;
        report.figure("server CPU per question", span.server_cpu().map(each), "ms");
        report.figure("mongod CPU per question", span.mongod_cpu().map(each), "ms");
        report.processor(span, threads);
        if let Some(first) = faults.first() {
            let wrong = faults.len();
            report.mismatch(format!("{wrong} answers were wrong; the first: {first}"));
        }
    }
}

/// Has the drivers say where they are.
async fn locate(accounts: &Accounts, drivers: &[Arc<Account>], places: &[Place]) -> Result<()> {
    let (total, located) = (drivers.len(), Arc::new(AtomicUsize::new(0)));
    let shown = Arc::clone(&located);
    let _progress = Progress::start("locating", move || {
        format!("{} of {total}", shown.load(Ordering::Relaxed))
    });
    let requests = stream::iter(drivers.iter().zip(places)).map(|(driver, place)| {
        let located = &located;
        async move {
            let body = json!({ "latitude": place.0, "longitude": place.1 });
            accounts.post::<Value>(driver, "/api/drivers/me/location", &body).await?;
            located.fetch_add(1, Ordering::Relaxed);
            Ok::<_, anyhow::Error>(())
        }
    });
    requests.buffer_unordered(IN_FLIGHT).try_collect().await.context("saying where a driver is")
}

/// Asks who is near, and gives the time until the answer and the distances in it.
async fn ask(
    accounts: &Accounts,
    admin: &Account,
    (lat, lng): Place,
    radius: u32,
) -> Result<(Duration, Vec<f64>)> {
    let path = format!("/api/drivers/nearby?lat={lat}&lng={lng}&radius={radius}");
    let begun = Instant::now();
    let Nearby { drivers } = accounts.get(admin, &path).await?;
    Ok((begun.elapsed(), drivers.iter().map(|near| near.distance).collect()))
}

/// The place with this number: the same in every run, and anywhere in the extent.
fn place(number: u64) -> Place {
    // The steps of SplitMix64.
    let scattered = |seed: u64| {
        let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (north, east) = (scattered(2 * number + 1), scattered(2 * number + 2));
    (SOUTH_WEST.0 + EXTENT * north, SOUTH_WEST.1 + EXTENT * east)
}

/// The distances that an answer must have.
fn expected(places: &[Place], centre: Place, radius: u32) -> Vec<f64> {
    let mut distances: Vec<_> = places.iter().map(|&place| distance(place, centre)).collect();
    distances.retain(|&metres| metres <= f64::from(radius));
    distances.sort_by(f64::total_cmp);
    distances.truncate(MOST);
    distances
}

/// What is wrong with the distances in an answer.
fn compare(found: &[f64], expected: &[f64]) -> Option<String> {
    let is_near = |(found, expected): (&f64, &f64)| {
        (found - expected).abs() <= TOLERANCE.0 * expected + TOLERANCE.1
    };
    // One at the very edge may be in or out.
    let is_edge = found.len().abs_diff(expected.len()) <= 1 && expected.len() < MOST;
    if found.len() != expected.len() && !is_edge {
        return Some(format!("{} drivers instead of {}", found.len(), expected.len()));
    }
    let at = found.iter().zip(expected).position(|pair| !is_near(pair))?;
    Some(format!("driver {at} is at {} m instead of {:.0}", found[at], expected[at]))
}

/// Metres between two places on a sphere.
fn distance(from: Place, to: Place) -> f64 {
    let (north, east) = ((to.0 - from.0).to_radians() / 2.0, (to.1 - from.1).to_radians() / 2.0);
    let across = from.0.to_radians().cos() * to.0.to_radians().cos() * east.sin().powi(2);
    2.0 * EARTH_RADIUS * (north.sin().powi(2) + across).sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_map() {
        let metres = distance((52.5163, 13.3777), (52.5208, 13.4094));
        assert!((2_190.0..2_215.0).contains(&metres), "{metres}");
    }

    #[test]
    fn places_are_all_over_the_extent() {
        let places: Vec<_> = (0..1_000).map(place).collect();
        let centre = (SOUTH_WEST.0 + EXTENT / 2.0, SOUTH_WEST.1 + EXTENT / 2.0);
        let north = places.iter().filter(|place| place.0 > centre.0).count();
        let east = places.iter().filter(|place| place.1 > centre.1).count();
        assert!((450..550).contains(&north) && (450..550).contains(&east), "{north} {east}");
        assert_eq!(expected(&places, centre, 50_000).len(), MOST);
    }

    #[test]
    fn wrong_answers_are_found() {
        assert_eq!(compare(&[10.0, 20.0], &[10.4, 20.4]), None);
        assert!(compare(&[10.0, 30.0], &[10.4, 20.4]).is_some());
        assert!(compare(&[], &[10.4, 20.4]).is_some());
        assert_eq!(compare(&[10.0], &[10.4, 4_999.9]), None, "at the edge");
    }
}
