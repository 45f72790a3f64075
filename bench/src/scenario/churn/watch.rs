//! What the server holds, every while, and whether that stays bounded.

use anyhow::{Context, Result};
use tokio::time::Instant;

use super::world::World;
use crate::report::Report;
use crate::scenario::Bench;
use crate::server::{Sample, Span};

/// What is tolerated of files that are open after everybody has gone: the generator's own connections, and the store's.
const SPARE_FILES: usize = 20;

/// Looks at the server again and again.
pub struct Watch {
    begun: Instant,
    first: Look,
    looks: Vec<Look>,
    last: Sample,
}

/// What was seen at one moment.
#[derive(Debug, Clone, Copy)]
struct Look {
    rss_kib: u64,
    files: usize,
    sockets: f64,
}

impl Watch {
    /// Looks for the first time.
    pub async fn new(bench: &Bench) -> Result<Self> {
        let (first, last, _) = look(bench).await?;
        Ok(Self { begun: Instant::now(), first, looks: Vec::new(), last })
    }

    /// Looks, and prints a line.
    pub async fn line(&mut self, bench: &Bench, world: &World) -> Result<()> {
        let (seen, now, text) = look(bench).await?;
        let span = Span { from: self.last, to: now };
        let percent = |cpu: f64| 100.0 * cpu / span.seconds();
        println!(
            "{:>5} s  {text}; server CPU {:.1} %, generator {:.1} %; {}",
            self.begun.elapsed().as_secs(),
            percent(span.server_cpu().unwrap_or_default()),
            percent(span.generator_cpu()),
            world.tally.line()
        );
        self.last = now;
        self.looks.push(seen);
        Ok(())
    }

    /// Adds what was seen, and complains of what grew. The last look was after everybody had gone.
    pub fn fill(&self, report: &mut Report, bound: f64) {
        let Some((end, during)) = self.looks.split_last() else { return };
        let mib = |of: f64| of / 1_024.0;
        report.figure("RSS before", mib(self.first.rss_kib as f64), "MiB");
        let quarters = [1, 2, 3, 4].map(|number| mean_rss(quarter(during, number)));
        for (number, rss) in quarters.iter().enumerate() {
            report.figure(format!("RSS, mean of quarter {}", number + 1), rss.map(mib), "MiB");
        }
        let most = during.iter().map(|look| look.rss_kib).max();
        report.figure("RSS, most", most.map(|most| mib(most as f64)), "MiB");
        report.figure("RSS after all have gone", mib(end.rss_kib as f64), "MiB");
        let most = during.iter().map(|look| look.files).max();
        report.figure("open files, most", most.map(|most| most as f64), "");
        report.figure("open files before", self.first.files as f64, "");
        report.figure("open files after all have gone", end.files as f64, "");
        report.figure("sockets after all have gone", end.sockets, "");
        if let [_, Some(second), _, Some(last)] = quarters {
            let growth = 100.0 * (last / second - 1.0);
            report.figure("growth from quarter 2 to quarter 4", growth, "%");
            if growth > bound {
                report
                    .mismatch(format!("memory grew by {growth:.1} %, and {bound} % is the bound"));
            }
        }
        if end.sockets > 0.0 {
            report.mismatch(format!("{} sockets are counted after all have gone", end.sockets));
        }
        if end.files > self.first.files + SPARE_FILES {
            report.mismatch(format!(
                "{} files are open after all have gone, and {} were before",
                end.files, self.first.files
            ));
        }
    }
}

/// Looks at the server: what matters for the end, what CPU is reckoned from, and all in words.
async fn look(bench: &Bench) -> Result<(Look, Sample, String)> {
    let sample = bench.server.sample().await?;
    let usage = sample.server.context("churn needs --server, or --server-pid")?;
    let handles = bench.server.handles()?.context("churn needs --server, or --server-pid")?;
    let page = bench.server.page().await?.context("churn needs /metrics")?;
    let sockets = page.sum("waggle_sockets", "");
    let of = |name| page.sum(name, "");
    let text = format!(
        "RSS {:.1} MiB, files {}, threads {}, sockets {sockets}, waiting {}, events {}, refused {}, connects refused {}, \
         slow {}, stalled {}, thinned {}",
        usage.rss_kib as f64 / 1_024.0,
        handles.files,
        handles.threads,
        of("waggle_group_waiting"),
        of("waggle_events_total"),
        of("waggle_limits_struck_total"),
        of("waggle_refused_connects_total"),
        of("waggle_slow_cuts_total"),
        of("waggle_stalled_connections_total"),
        of("waggle_thinned_events_total"),
    );
    Ok((Look { rss_kib: usage.rss_kib, files: handles.files, sockets }, sample, text))
}

/// The looks of one quarter of the time, from 1 to 4.
fn quarter(looks: &[Look], number: usize) -> &[Look] {
    &looks[looks.len() * (number - 1) / 4..looks.len() * number / 4]
}

fn mean_rss(looks: &[Look]) -> Option<f64> {
    let all: u64 = looks.iter().map(|look| look.rss_kib).sum();
    (!looks.is_empty()).then(|| all as f64 / looks.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarters_share_all_looks() {
        let look = |rss_kib| Look { rss_kib, files: 0, sockets: 0.0 };
        let looks: Vec<_> = (0..10).map(look).collect();
        let sizes = [1, 2, 3, 4].map(|number| quarter(&looks, number).len());
        assert_eq!(sizes.iter().sum::<usize>(), 10, "{sizes:?}");
        assert_eq!(mean_rss(quarter(&looks, 1)), Some(0.5));
        assert_eq!(mean_rss(&[]), None);
    }
}
