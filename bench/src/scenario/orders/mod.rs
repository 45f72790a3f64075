//! Orders from placing to delivery: a customer places one, every driver hears of it, one takes it and brings it. So many
//! are under way at once, or they are placed at a rate.

mod ear;
mod field;
mod heard;
mod ledger;
mod party;
mod stages;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::sleep_until;

use self::field::Field;
use self::party::{Gathering, Pace, Plan};
use super::{Bench, Window, is_rate};
use crate::cli::Orders as Options;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::Span;

/// How long the last orders may take after the end of the window.
const GRACE: Duration = Duration::from_secs(60);

/// What happened in the measured window, and what it cost.
struct Measured {
    span: Span,
    done: f64,
    delivered: f64,
}

/// Connects customers and drivers, lets them trade, verifies what all of them heard.
pub async fn run(bench: &Bench, options: &Options) -> Result<Report> {
    let &Options { customers, drivers, lifecycles, seconds, warmup, rate, sample } = options;
    ensure!(
        customers > 0 && drivers > 0 && lifecycles > 0 && seconds > 0,
        "customers, drivers, lifecycles and seconds must be at least 1"
    );
    ensure!(rate.is_none_or(is_rate), "the rate must be from 0.1 to 1,000,000 a second");
    let field = Field::prepare(bench, options).await?;
    let window = Window::after(Duration::from_secs(warmup) + Duration::from_millis(100), seconds);
    field.gathering.tally.measure(window);
    let begin = window.from - Duration::from_secs(warmup);
    let pace = match rate {
        None => Pace::Saturated(lifecycles),
        Some(rate) => Pace::Every(Duration::from_secs_f64(1.0 / rate)),
    };
    field.begin(Plan { begin, end: window.to, customers, pace });
    let measured = watch(bench, &field.gathering, window).await?;
    field.await_end(window.to + GRACE).await;

    let mut report = describe(options);
    measured.fill(&mut report, bench.threads);
    measured.compare(&mut report, rate);
    let tally = &field.gathering.tally;
    report.latencies("newOrder", &tally.new_order);
    report.latencies("placeOrder acknowledged", &tally.place);
    report.latencies("orderAccept acknowledged", &tally.accept);
    report.latencies("updateOrderStatus acknowledged", &tally.advance);
    report.latencies("placed to delivered", &tally.lifecycle);
    field.verify(bench, sample, &mut report).await?;
    Ok(report)
}

/// Reads the server at both ends of the window.
async fn watch(bench: &Bench, gathering: &Arc<Gathering>, window: Window) -> Result<Measured> {
    let shown = Arc::clone(gathering);
    let _progress = Progress::start("ordering", move || {
        format!("{} delivered, {} events", shown.tally.done.get(), shown.tally.received.get())
    });
    let tally = &gathering.tally;
    let counts = || (tally.done.get() as f64, tally.received.get() as f64);
    sleep_until(window.from).await;
    let (from, before) = (bench.server.sample().await?, counts());
    sleep_until(window.to).await;
    let (to, after) = (bench.server.sample().await?, counts());
    let (done, delivered) = (after.0 - before.0, after.1 - before.1);
    Ok(Measured { span: Span { from, to }, done, delivered })
}

fn describe(options: &Options) -> Report {
    let Options { customers, drivers, lifecycles, seconds, .. } = options;
    let settings = format!("{customers} customers, {drivers} drivers");
    match options.rate {
        None => Report::new(
            "orders, saturated",
            format!("{settings}, {lifecycles} orders at once, {seconds} s"),
        ),
        Some(rate) => {
            Report::new("orders, paced", format!("{settings}, {rate} orders/s, {seconds} s"))
        }
    }
}

impl Measured {
    /// Notes where the server fell behind the rate it was offered, and else what is hoped for.
    fn compare(&self, report: &mut Report, rate: Option<f64>) {
        let reached = self.done / self.span.seconds();
        match rate {
            None => report.note("target: 150 lifecycles/s on MongoDB, 300 on the embedded store"),
            Some(rate) if reached < 0.95 * rate => {
                report.note(format!("fell behind: {reached:.0} of {rate} orders/s"));
            }
            Some(_) => report.note("target: newOrder p99 within 20 ms at 30 orders/s"),
        }
    }

    fn fill(&self, report: &mut Report, threads: usize) {
        let Self { span, done, delivered } = self;
        let millis_each = |cpu: f64| cpu * 1e3 / done;
        let server = span.server_cpu();
        report.figure("lifecycles", done / span.seconds(), "/s");
        report.figure("deliveries", delivered / span.seconds(), "/s");
        let per_second = |of: f64| server.map(|cpu| of / cpu);
        report.figure("lifecycles per CPU-second", per_second(*done), "/server-CPU-s");
        report.figure("deliveries per CPU-second", per_second(*delivered), "/server-CPU-s");
        report.figure("server CPU per lifecycle", server.map(millis_each), "ms");
        report.figure("mongod CPU per lifecycle", span.mongod_cpu().map(millis_each), "ms");
        let generator = span.generator_cpu() * 1e6 / delivered;
        report.figure("generator CPU per delivery", generator, "µs");
        report.processor(span, threads);
    }
}
