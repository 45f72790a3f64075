//! Messages in rooms, each to all members: in a closed loop or at a rate. [`join`] is about entering one.

mod delivery;
mod field;
pub mod join;
mod member;
mod room;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::sleep_until;

use self::field::Field;
use self::member::{Gathering, Plan};
use super::{Bench, Window, is_rate};
use crate::cli::Room as Options;
use crate::progress::Progress;
use crate::report::Report;
use crate::server::Span;

/// How long the senders may take after the end of the window: one acknowledgement at most.
const GRACE: Duration = Duration::from_secs(60);

/// What happened in the measured window, and what it cost.
struct Measured {
    span: Span,
    acked: f64,
    delivered: f64,
}

/// Fills the rooms, lets some members send, verifies what all of them heard.
pub async fn run(bench: &Bench, options: &Options) -> Result<Report> {
    let &Options { rooms, members, seconds, warmup, rate, .. } = options;
    let senders = options.senders_per_room();
    ensure!(
        rooms > 0 && members > 0 && seconds > 0,
        "rooms, members and seconds must be at least 1"
    );
    ensure!((1..=members).contains(&senders), "from 1 to all members of a room can be senders");
    ensure!(rate.is_none_or(is_rate), "the rate must be from 0.1 to 1,000,000 a second");
    let field = Field::prepare(bench, options).await?;
    let window = Window::after(Duration::from_secs(warmup) + Duration::from_millis(100), seconds);
    field.gathering.tally.measure(&[window]);
    let begin = window.from - Duration::from_secs(warmup);
    let each = rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
    let intervals = each.map(|each| (each * field.senders, each));
    field.begin(Plan { begin, end: window.to, intervals });
    let measured = watch(bench, &field.gathering, window).await?;
    field.await_senders(window.to + GRACE).await?;
    field.await_deliveries().await;

    let mut report = describe(options);
    measured.fill(&mut report, bench.threads);
    measured.compare(&mut report, rate);
    field.gathering.tally.phases().iter().for_each(|phase| phase.describe(&mut report));
    field.verify(bench, &mut report).await?;
    Ok(report)
}

/// Reads the server at both ends of the window.
async fn watch(bench: &Bench, gathering: &Arc<Gathering>, window: Window) -> Result<Measured> {
    let tally = &gathering.tally;
    let shown = Arc::clone(tally);
    let _progress = Progress::start("sending", move || {
        format!("{} acknowledged, {} delivered", shown.acked.get(), shown.received.get())
    });
    let counts = || (tally.acked.get() as f64, tally.received.get() as f64);
    sleep_until(window.from).await;
    let (from, before) = (bench.server.sample().await?, counts());
    sleep_until(window.to).await;
    let (to, after) = (bench.server.sample().await?, counts());
    let (acked, delivered) = (after.0 - before.0, after.1 - before.1);
    Ok(Measured { span: Span { from, to }, acked, delivered })
}

fn describe(options: &Options) -> Report {
    let Options { rooms, members, seconds, .. } = options;
    let senders = options.senders_per_room();
    let settings = format!("{rooms} × {members} members, {senders} senders in each room");
    match options.rate {
        None => Report::new("room, closed loop", format!("{settings}, {seconds} s")),
        Some(rate) => {
            Report::new("room, open loop", format!("{settings}, {rate} messages/s, {seconds} s"))
        }
    }
}

impl Measured {
    /// Notes where the server fell behind the rate it was offered.
    fn compare(&self, report: &mut Report, rate: Option<f64>) {
        let reached = self.acked / self.span.seconds();
        if let Some(rate) = rate.filter(|rate| reached < 0.95 * rate) {
            report.note(format!("fell behind: {reached:.0} of {rate} messages/s"));
        }
    }

    fn fill(&self, report: &mut Report, threads: usize) {
        let Self { span, acked, delivered } = self;
        let micros_each = |cpu: f64, of: f64| cpu * 1e6 / of;
        let server = span.server_cpu();
        report.figure("durable messages", acked / span.seconds(), "/s");
        report.figure("deliveries", delivered / span.seconds(), "/s");
        report.figure(
            "deliveries per CPU-second",
            server.map(|cpu| delivered / cpu),
            "/server-CPU-s",
        );
        report.figure("server CPU per message", server.map(|cpu| micros_each(cpu, *acked)), "µs");
        let mongod = span.mongod_cpu().map(|cpu| micros_each(cpu, *acked));
        report.figure("mongod CPU per message", mongod, "µs");
        let generator = micros_each(span.generator_cpu(), *delivered);
        report.figure("generator CPU per delivery", generator, "µs");
        report.writing(span);
        report.processor(span, threads);
    }
}
