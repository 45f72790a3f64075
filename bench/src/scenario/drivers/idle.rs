//! Drivers who do nothing: what each costs in memory, and whether it stays.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep};

use super::crew::{Crew, rss};
use super::driver::Driver;
use super::fleet::Plan;
use crate::cli::Idle as Options;
use crate::progress::Progress;
use crate::report::Report;
use crate::scenario::Bench;
use crate::server::{Sample, Span};

/// The moments at which the server was read.
struct Moments {
    settled: Sample,
    idle: Sample,
    pinged: Sample,
}

/// Registers drivers, starts the server anew, connects, holds, closes.
pub async fn run(bench: &mut Bench, options: &Options) -> Result<Report> {
    let &Options { connections, settle, idle } = options;
    ensure!(connections > 0, "connections must be at least 1");
    let accounts = bench.accounts.take_drivers(connections).await?;
    let fresh = bench.server.restart().await?;
    let crew = Crew::connect(bench, &accounts, live).await?;
    let moments = {
        let _progress = Progress::start("holding", || "idle".to_owned());
        sleep(Duration::from_secs(settle)).await;
        let settled = bench.server.sample().await?;
        sleep(Duration::from_secs(idle)).await;
        let idle = bench.server.sample().await?;
        let now = Instant::now();
        let plan = Plan::new(now, now, Duration::from_millis(1), connections);
        crew.fleet.plan.send_replace(Some(plan));
        crew.await_settled(now).await;
        Moments { settled, idle, pinged: bench.server.sample().await? }
    };
    let mut report = Report::new("drivers, idle", format!("{connections} connections"));
    crew.describe(&mut report);
    moments.fill(&mut report, &crew, connections);
    report.note("target: 16 KiB per connection");
    if !fresh {
        report.note("the server ran already: what it had grown to before hides memory");
    }
    crew.dismiss(&mut report).await?;
    report.figure("RSS after closing", rss(&bench.server.sample().await?), "KiB");
    Ok(report)
}

/// The life of a driver: nothing, one ping, nothing.
async fn live(mut driver: Driver) -> Result<()> {
    driver.await_plan().await?;
    driver.settle().await?;
    driver.stay().await
}

impl Moments {
    fn fill(&self, report: &mut Report, crew: &Crew, connections: usize) {
        let before = rss(&crew.connecting.from);
        let per = |sample: &Sample| Some((rss(sample)? - before?) / connections as f64);
        report.figure("RSS before", before, "KiB");
        report.figure("RSS held", rss(&self.settled), "KiB");
        report.figure("RSS per connection", per(&self.settled), "KiB");
        report.figure("the same after idling", per(&self.idle), "KiB");
        report.figure("the same after a ping of each", per(&self.pinged), "KiB");
        let idle = Span { from: self.settled, to: self.idle };
        let cpu = idle.server_cpu().unwrap_or(0.0) / idle.seconds();
        report.figure("idle CPU", 100.0 * cpu, "% of a core");
    }
}
