//! A fleet at work: every driver says where it is every few seconds, some are watched, and now and then one is assigned
//! an order. How soon it hears of it, what that costs, and whether every position is stored.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep_until};

use super::admin;
use super::audience::{Audience, Sight};
use super::crew::{Crew, await_until, rss};
use super::driver::Driver;
use super::fleet::{Fleet, Plan};
use super::trail;
use crate::cli::Steady as Options;
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::messages::DRAIN_TIMEOUT;
use crate::scenario::{Bench, Window, is_rate};
use crate::server::Span;

/// The last pings begin so long after the end, and are spread over so long, so that they delay no order.
const BEFORE_SETTLING: Duration = Duration::from_secs(1);
const SETTLING: Duration = Duration::from_secs(2);

/// What happened in the measured window, and what it cost.
struct Measured {
    span: Span,
    sent: f64,
    told: f64,
}

/// Connects drivers and watchers, lets them work, verifies what they heard and what is stored.
pub async fn run(bench: &Bench, options: &Options) -> Result<Report> {
    let &Options { drivers, watchers, every, orders, seconds, .. } = options;
    ensure!(drivers > 0 && seconds > 0, "drivers and seconds must be at least 1");
    ensure!(
        orders == 0.0 || is_rate(orders),
        "orders must be 0, or from 0.1 to 1,000,000 a second"
    );
    let admin = bench.admin().await?;
    let accounts = bench.accounts.take_drivers(drivers).await?;
    let watching = bench.accounts.take(watchers).await?;
    let crew = Crew::connect(bench, &accounts, live).await?;
    let fleet = Arc::clone(&crew.fleet);
    let audience = Audience::connect(bench, &watching, &accounts, &fleet).await?;

    let window = Window::after(options.warmup() + Duration::from_millis(100), seconds);
    fleet.measure(window);
    let plan = Plan::new(window.from - options.warmup(), window.to, every, drivers);
    let before = bench.server.sample().await?;
    fleet.plan.send_replace(Some(plan));
    let (measured, ()) = tokio::join!(
        watch(bench, &fleet, &audience.sight, window),
        admin::assign(bench, &admin, &fleet, &plan, orders)
    );
    let measured = measured?;
    await_end(&crew, &audience, &plan).await;
    trail::await_stored(bench, before, fleet.sent() - fleet.not_taken()).await?;

    let mut report = describe(options);
    crew.describe(&mut report);
    measured.fill(&mut report, bench.threads);
    report.latencies("order_assigned", &fleet.assigned);
    report.latencies("order answered", &fleet.answered);
    report.latencies("position at a watcher", &audience.sight.latencies);
    if fleet.not_taken() > 0 {
        report.mismatch(format!("{} positions were not taken", fleet.not_taken()));
    }
    trail::verify(bench, &admin, &fleet, &plan, &mut report).await?;
    admin::verify(bench, &accounts, &fleet, &mut report).await;
    crew.dismiss(&mut report).await?;
    audience.dismiss(&mut report).await?;
    Ok(report)
}

/// The life of a driver.
async fn live(mut driver: Driver) -> Result<()> {
    let plan = driver.await_plan().await?;
    let track = plan.track(driver.index);
    let mut number = 1;
    while plan.due(driver.index, number) < plan.end {
        driver.listen_until(sleep_until(plan.due(driver.index, number))).await?;
        driver.locate(&track.update(number)).await?;
        number += 1;
    }
    let turn = SETTLING.mul_f64(driver.index as f64 / plan.drivers as f64);
    driver.listen_until(sleep_until(plan.end + BEFORE_SETTLING + turn)).await?;
    driver.settle().await?;
    driver.stay().await
}

/// Reads the server at both ends of the window.
async fn watch(
    bench: &Bench,
    fleet: &Arc<Fleet>,
    sight: &Arc<Sight>,
    window: Window,
) -> Result<Measured> {
    let shown = (Arc::clone(fleet), Arc::clone(sight));
    let _progress = Progress::start("driving", move || {
        let (sent, told) = (shown.0.sent(), shown.1.positions.get());
        format!("{sent} positions sent, {told} told to watchers")
    });
    let counts = || (fleet.sent() as f64, (sight.positions.get() + sight.repeats.get()) as f64);
    sleep_until(window.from).await;
    let (from, before) = (bench.server.sample().await?, counts());
    sleep_until(window.to).await;
    let (to, after) = (bench.server.sample().await?, counts());
    let (sent, told) = (after.0 - before.0, after.1 - before.1);
    Ok(Measured { span: Span { from, to }, sent, told })
}

/// Waits for the last pongs, orders and positions, or gives up.
async fn await_end(crew: &Crew, audience: &Audience, plan: &Plan) {
    let assignments = &crew.fleet.assignments;
    crew.await_settled(plan.end + BEFORE_SETTLING + SETTLING).await;
    let opened = assignments.entries().len();
    await_until(Instant::now() + DRAIN_TIMEOUT, || assignments.settled() >= opened).await;
    audience.await_positions().await;
}

fn describe(options: &Options) -> Report {
    let Options { drivers, watchers, every, orders, seconds, .. } = options;
    let mut report = Report::new(
        "drivers, steady",
        format!(
            "{drivers} drivers every {every:?}, {watchers} watchers, {orders} orders/s, {seconds} s"
        ),
    );
    report.note("target, 10,000 drivers every 10 s: order_assigned p99 within 50 ms, server CPU under 40 % of a core");
    report
}

impl Measured {
    fn fill(&self, report: &mut Report, threads: usize) {
        let Self { span, sent, told } = self;
        report.figure("positions sent", sent / span.seconds(), "/s");
        let stored = span.located().map(|(_, stored)| stored / span.seconds());
        report.figure("positions stored", stored, "/s");
        report.figure("positions told to watchers", told / span.seconds(), "/s");
        let each = |cpu: f64| cpu * 1e6 / sent;
        report.figure("server CPU per position", span.server_cpu().map(each), "µs");
        report.figure("mongod CPU per position", span.mongod_cpu().map(each), "µs");
        report.processor(span, threads);
        report.figure("RSS", rss(&span.to), "KiB");
    }
}
