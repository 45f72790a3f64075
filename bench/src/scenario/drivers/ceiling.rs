//! A few drivers who say where they are as fast as the server takes it: how many positions a second are stored.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep, sleep_until};

use super::crew::Crew;
use super::driver::{Driver, ping};
use super::fleet::{Fleet, Plan};
use super::track::Track;
use super::trail;
use crate::cli::Ceiling as Options;
use crate::client::{Purpose, encode};
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::messages::DRAIN_TIMEOUT;
use crate::scenario::{Bench, Window, is_rate};
use crate::server::Span;

/// Between two positions of a driver, by its own clock: so that none has the time of another.
const STEP: Duration = Duration::from_millis(1);
/// For so long each driver has said one position, and no more: with it the server looks up what it has to know of a
/// driver, which it does not do for each of a burst once it knows.
const OPENING: Duration = Duration::from_secs(2);
/// After a burst of which the server did not take all.
const AFTER_OVERLOAD: Duration = Duration::from_millis(50);

/// What happened in the measured window, and what it cost.
struct Measured {
    span: Span,
    accepted: f64,
    /// From the last pong until the writer had all; none if it did not get there.
    behind: Option<Duration>,
}

/// Connects drivers, lets them send, verifies what is stored.
pub async fn run(bench: &Bench, options: &Options) -> Result<Report> {
    let &Options { drivers, burst, rate, seconds, warmup } = options;
    ensure!(
        drivers > 0 && burst > 0 && seconds > 0,
        "drivers, burst and seconds must be at least 1"
    );
    ensure!(rate.is_none_or(is_rate), "the rate must be from 0.1 to 1,000,000 a second");
    let every = rate.map(|rate| Duration::from_secs_f64((drivers as u64 * burst) as f64 / rate));
    let admin = bench.admin().await?;
    let accounts = bench.accounts.take_drivers(drivers).await?;
    let crew = Crew::connect(bench, &accounts, move |driver| live(driver, burst, every)).await?;
    let fleet = Arc::clone(&crew.fleet);
    let window = Window::after(Duration::from_secs(warmup) + OPENING, seconds);
    fleet.measure(window);
    let plan = Plan::new(window.from - Duration::from_secs(warmup), window.to, STEP, drivers);
    let before = bench.server.sample().await?;
    fleet.plan.send_replace(Some(plan));
    let (span, accepted) = watch(bench, &fleet, window).await?;
    crew.await_settled(Instant::now()).await;
    let taken = fleet.sent() - fleet.not_taken();
    let behind = trail::await_stored(bench, before, taken).await?;

    let mut report = describe(options);
    Measured { span, accepted, behind }.fill(&mut report, bench.threads);
    report.latencies("burst to pong", &fleet.pong);
    report.figure("positions not taken, whole run", fleet.not_taken() as f64, "");
    trail::verify(bench, &admin, &fleet, &plan, &mut report).await?;
    crew.dismiss(&mut report).await?;
    Ok(report)
}

fn describe(options: &Options) -> Report {
    let Options { drivers, burst, seconds, .. } = options;
    let settings = format!("{drivers} drivers, bursts of {burst}");
    match options.rate {
        None => Report::new("drivers, ceiling", format!("{settings}, {seconds} s")),
        Some(rate) => Report::new(
            "drivers, ceiling, paced",
            format!("{settings}, {rate} positions/s, {seconds} s"),
        ),
    }
}

/// The life of a driver.
async fn live(mut driver: Driver, burst: u64, every: Option<Duration>) -> Result<()> {
    let plan = driver.await_plan().await?;
    let track = plan.track(driver.index);
    driver.locate_many(&frames(&track, 1, 1), 1).await?;
    let every = every.unwrap_or_default();
    let mut due = plan.begin + every.mul_f64(driver.index as f64 / plan.drivers as f64);
    let mut next = 2;
    while due.max(Instant::now()) < plan.end {
        driver.listen_until(sleep_until(due)).await?;
        due += every;
        let taken = driver.locate_many(&frames(&track, next, burst), burst).await?;
        next += burst;
        if taken < burst {
            driver.listen_until(sleep(AFTER_OVERLOAD)).await?;
        }
    }
    driver.settle().await?;
    driver.stay().await
}

/// So many positions, and a ping.
fn frames(track: &Track, first: u64, count: u64) -> Vec<u8> {
    let updates = (first..first + count).map(|number| track.update(number));
    let mut frames: Vec<u8> =
        updates.flat_map(|update| encode(Purpose::Text, update.as_bytes())).collect();
    frames.extend(ping());
    frames
}

/// Reads the server at both ends of the window.
async fn watch(bench: &Bench, fleet: &Arc<Fleet>, window: Window) -> Result<(Span, f64)> {
    let shown = Arc::clone(fleet);
    let _progress =
        Progress::start("sending", move || format!("{} accepted", shown.accepted.get()));
    sleep_until(window.from).await;
    let (from, before) = (bench.server.sample().await?, fleet.accepted.get());
    sleep_until(window.to).await;
    let (to, after) = (bench.server.sample().await?, fleet.accepted.get());
    Ok((Span { from, to }, (after - before) as f64))
}

impl Measured {
    fn fill(&self, report: &mut Report, threads: usize) {
        let Self { span, accepted, behind } = self;
        let stored = span.located().map(|(_, stored)| stored);
        report.figure("positions accepted", accepted / span.seconds(), "/s");
        report.figure("positions stored", stored.map(|of| of / span.seconds()), "/s");
        report.figure(
            "positions per CPU-second",
            span.server_cpu().map(|cpu| accepted / cpu),
            "/server-CPU-s",
        );
        let each = |cpu: f64| cpu * 1e6 / accepted;
        report.figure("server CPU per position", span.server_cpu().map(each), "µs");
        report.figure("mongod CPU per position", span.mongod_cpu().map(each), "µs");
        report.figure("generator CPU per position", each(span.generator_cpu()), "µs");
        let groups = span.located().filter(|&(_, stored)| stored > 0.0);
        report.figure("positions per write", groups.map(|(writes, of)| of / writes), "");
        let seconds = behind.map(|behind| behind.as_secs_f64());
        report.figure("stored after the last pong", seconds, "s");
        report.processor(span, threads);
        if behind.is_none() {
            report.mismatch(format!(
                "not all positions were stored {DRAIN_TIMEOUT:?} after the last"
            ));
        }
        report.note("target: 20,000 positions/s on the embedded store, 10,000 on MongoDB");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_ends_with_its_ping() {
        let track = Track { driver: 0, first: 0, step: 1 };
        let frames = frames(&track, 5, 3);
        let text = String::from_utf8_lossy(&frames);
        let parts: Vec<_> = text.match_indices("location_update").collect();
        assert_eq!(parts.len(), 3);
        assert!(text.ends_with(r#"{"type":"ping"}"#));
        for at in [".004Z", ".005Z", ".006Z"] {
            assert!(text.contains(at), "{at} in {text}");
        }
    }
}
