//! The figures of each scenario: a table on stdout, and JSON for other programs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

use crate::latency::Latencies;
use crate::server::Span;

/// All reports of one run.
#[derive(Serialize)]
pub struct Results {
    taken_at: String,
    setup: Value,
    scenarios: Vec<Report>,
}

/// What one scenario found.
#[derive(Serialize)]
pub struct Report {
    scenario: &'static str,
    settings: String,
    figures: Vec<Figure>,
    /// What must not be: each makes the run fail.
    mismatches: Vec<String>,
    notes: Vec<String>,
}

/// One figure; without a value where it could not be read.
#[derive(Serialize)]
struct Figure {
    name: String,
    value: Option<f64>,
    unit: &'static str,
}

impl Results {
    /// None yet.
    pub fn new(setup: Value) -> Self {
        Self {
            taken_at: jiff::Timestamp::now().strftime("%FT%TZ").to_string(),
            setup,
            scenarios: Vec::new(),
        }
    }

    /// Shows a report and keeps it.
    pub fn add(&mut self, report: Report) {
        report.print();
        self.scenarios.push(report);
    }

    /// How many mismatches there were, over all scenarios.
    pub fn mismatches(&self) -> usize {
        self.scenarios.iter().map(|report| report.mismatches.len()).sum()
    }

    /// Writes all of it as JSON.
    pub fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        fs::write(path, json + "\n").with_context(|| format!("writing {}", path.display()))
    }
}

impl Report {
    /// An empty report.
    pub fn new(scenario: &'static str, settings: String) -> Self {
        Self { scenario, settings, figures: Vec::new(), mismatches: Vec::new(), notes: Vec::new() }
    }

    /// Adds a figure.
    pub fn figure(
        &mut self,
        name: impl Into<String>,
        value: impl Into<Option<f64>>,
        unit: &'static str,
    ) {
        self.figures.push(Figure { name: name.into(), value: value.into(), unit });
    }

    /// Adds the quantiles of a histogram.
    pub fn latencies(&mut self, name: &str, latencies: &Latencies) {
        let summary = latencies.summary();
        self.figure(format!("{name} p50"), summary.map(|of| of.p50), "ms");
        self.figure(format!("{name} p95"), summary.map(|of| of.p95), "ms");
        self.figure(format!("{name} p99"), summary.map(|of| of.p99), "ms");
        self.figure(format!("{name} max"), summary.map(|of| of.max), "ms");
    }

    /// Adds how many messages each insert command wrote.
    pub fn writing(&mut self, span: &Span) {
        let written = span.written().filter(|&(_, items)| items > 0.0);
        self.figure(
            "insert commands per message",
            written.map(|(commits, items)| commits / items),
            "",
        );
        self.figure(
            "messages per insert command",
            written.map(|(commits, items)| items / commits),
            "",
        );
    }

    /// Adds how busy the processor was, and warns where the generator itself was the limit.
    pub fn processor(&mut self, span: &Span, threads: usize) {
        let percent = |cpu: f64| 100.0 * cpu / span.seconds();
        let generator = percent(span.generator_cpu());
        self.figure("server CPU", span.server_cpu().map(percent), "% of a core");
        self.figure("mongod CPU", span.mongod_cpu().map(percent), "% of a core");
        self.figure("generator CPU", generator, "% of a core");
        self.figure("other CPU", percent(span.other_cpu()), "% of a core");
        if generator > 90.0 * threads as f64 {
            self.note("the generator was at its limit: more --threads may show more");
        }
    }

    /// Records what must not be.
    pub fn mismatch(&mut self, what: impl Into<String>) {
        self.mismatches.push(what.into());
    }

    /// Adds a remark.
    pub fn note(&mut self, what: impl Into<String>) {
        self.notes.push(what.into());
    }

    fn print(&self) {
        let width = self.figures.iter().map(|figure| figure.name.len()).max().unwrap_or(0);
        println!("\n{}  ({})", self.scenario, self.settings);
        for Figure { name, value, unit } in &self.figures {
            let value = value.map_or_else(|| "n/a".to_owned(), readable);
            println!("  {name:<width$}  {value:>12}  {unit}");
        }
        for note in &self.notes {
            println!("  note: {note}");
        }
        for mismatch in &self.mismatches {
            println!("  !! MISMATCH: {mismatch}");
        }
    }
}

/// Three digits that matter, thousands apart.
fn readable(value: f64) -> String {
    let decimals = match value.abs() {
        size if size == 0.0 || size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 4,
    };
    let plain = format!("{value:.decimals$}");
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn figures_are_readable() {
        let shown = [0.0, 0.01234, 2.345, 42.42, 999.9, 15_021.4, 1_234_567.0].map(readable);
        assert_eq!(shown, ["0", "0.0123", "2.35", "42.4", "1,000", "15,021", "1,234,567"]);
    }
}
