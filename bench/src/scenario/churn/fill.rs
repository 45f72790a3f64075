//! Messages before anybody comes and goes: so many that the server's caches hold what they may. What grows after that has
//! no end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::line::Line;
use super::visit::send_to;
use super::world::World;
use crate::progress::Progress;

/// Between two messages of one user: a little more than the limit asks for, 30 in 10 s.
const BEAT: Duration = Duration::from_millis(350);

/// Has the users write so many messages, each to the next one.
pub async fn fill(world: &Arc<World>, count: u64) -> Result<()> {
    let left = Arc::new(AtomicU64::new(count));
    let shown = Arc::clone(&left);
    let _progress = Progress::start("filling", move || {
        format!("{} of {count} messages", count - shown.load(Ordering::Relaxed))
    });
    let mut writers: JoinSet<_> = (0..world.user_count())
        .map(|number| write(Arc::clone(world), number, Arc::clone(&left)))
        .collect();
    while let Some(ended) = writers.join_next().await {
        ended.context("a writer")?.context("filling")?;
    }
    Ok(())
}

/// One user writes as long as messages are left.
async fn write(world: Arc<World>, number: usize, left: Arc<AtomicU64>) -> Result<()> {
    let (_, dialer) = &world.dialers[0];
    let mut line = Line::connect(dialer, &world.user(number).token, false).await?;
    let other = (number + 1) % world.user_count();
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let take = |left: u64| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        beats.tick().await;
        send_to(&world, &mut line, number, other).await?;
    }
    line.close().await
}
