//! One message at a time on an idle server: the latency that nobody else causes.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::timeout;

use super::messages::Field;
use super::{Bench, Window};
use crate::cli::Lone;
use crate::progress::Progress;
use crate::report::Report;

/// Messages before those measured.
const WARMUP: u64 = 20;
/// The longest a message may take on average before the scenario gives up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends them, one after the other.
pub async fn run(bench: &Bench, lone: &Lone) -> Result<Report> {
    let &Lone { count, gap } = lone;
    ensure!(count > 0, "count must be at least 1");
    let gap_time = Duration::from_millis(gap);
    let mut field = Field::prepare(bench, 1, 1).await?;
    let tally = field.tally.clone();
    let mut sender = field.senders.pop().context("the one sender")?;
    let longest =
        (gap_time + PATIENCE) * u32::try_from(count + WARMUP).context("count is too large")?;

    let _progress = Progress::start("lone", move || format!("{} acknowledged", tally.acked.get()));
    timeout(longest, sender.spaced(WARMUP, gap_time)).await.context("warming up")??;
    field.tally.measure(&[Window::after(Duration::ZERO, longest.as_secs() + 1)]);
    timeout(longest, sender.spaced(count, gap_time))
        .await
        .with_context(|| format!("longer than {longest:?}"))??;
    sender.finish().await?;

    let mut report = Report::new("lone", format!("{count} messages, {gap} ms apart"));
    field.tally.phases().iter().for_each(|phase| phase.describe(&mut report));
    field.verify(bench, &mut report).await?;
    Ok(report)
}
