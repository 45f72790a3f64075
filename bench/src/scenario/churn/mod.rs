//! Users who come by all doors, chat, and vanish in all ways, for as long as one likes: does the server forget them? Every
//! while a line tells what it holds; in the end its memory is compared, and every message that it acknowledged looked up.

mod dice;
mod fill;
mod ledger;
mod line;
mod vanish;
mod visit;
mod watch;
mod world;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};

use super::{Bench, is_rate};
use crate::cli::Churn;
use crate::report::Report;
use watch::Watch;
use world::World;

/// Visits under way at the same time.
const AT_ONCE: usize = 300;
/// How long the last visits may take to end.
const LAST_VISITS: Duration = Duration::from_secs(120);
/// After everybody has gone, before the server must have forgotten them: more than ping interval and timeout.
const FORGET: Duration = Duration::from_secs(60);
/// Between two new users, and between two new rooms.
const NEW_USER: Duration = Duration::from_secs(10);
const NEW_ROOM: Duration = Duration::from_secs(60);

/// Lets people come and go, verifies, compares.
pub async fn run(bench: &mut Bench, churn: &Churn) -> Result<Report> {
    ensure!(is_rate(churn.rate), "the rate must be from 0.1 to 1,000,000 a second");
    ensure!(churn.users > 1 && churn.drivers > 0, "there must be two users and a driver");
    ensure!(churn.every > 0 && churn.seconds >= 4 * churn.every, "four lines at least must fit");
    let world = Arc::new(World::prepare(bench, churn.users, churn.drivers).await?);
    fill::fill(&world, churn.fill).await?;
    let mut watch = Watch::new(bench).await?;
    let visits = live(bench, churn, &world, &mut watch).await?;
    world.leave.cancel();
    await_visits(visits).await?;
    sleep(FORGET).await;
    watch.line(bench, &world).await?;

    let mut report = Report::new(
        "churn",
        format!(
            "{} visits/s for {} s, {} users and {} messages at first",
            churn.rate, churn.seconds, churn.users, churn.fill
        ),
    );
    watch.fill(&mut report, churn.bound);
    world.tally.fill(&mut report);
    world.ledger.verify(bench, &world, &mut report).await?;
    Ok(report)
}

/// Begins visits at the rate, and all the rest that happens now and then.
async fn live(
    bench: &Bench,
    churn: &Churn,
    world: &Arc<World>,
    watch: &mut Watch,
) -> Result<JoinSet<()>> {
    let (gate, mut visits) = (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new());
    let every = |time| {
        let mut ticks = interval(time);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    };
    let mut arrivals = every(Duration::from_secs_f64(1.0 / churn.rate));
    let (mut users, mut rooms) = (every(NEW_USER), every(NEW_ROOM));
    let mut lines = every(Duration::from_secs(churn.every));
    lines.tick().await;
    let end = Instant::now() + Duration::from_secs(churn.seconds);
    while Instant::now() < end {
        tokio::select! {
            _ = arrivals.tick() => match Arc::clone(&gate).try_acquire_owned() {
                Ok(permit) => {
                    let world = Arc::clone(world);
                    visits.spawn(async move {
                        visit::visit(&world).await;
                        drop(permit);
                    });
                }
                Err(_) => world.tally.crowded.add(),
            },
            _ = users.tick() => world.add_user(bench).await?,
            _ = rooms.tick() => world.add_room(bench).await?,
            _ = lines.tick() => watch.line(bench, world).await?,
            Some(ended) = visits.join_next() => ended.context("a visit")?,
        }
    }
    Ok(visits)
}

async fn await_visits(mut visits: JoinSet<()>) -> Result<()> {
    let deadline = Instant::now() + LAST_VISITS;
    while let Some(ended) = timeout_at(deadline, visits.join_next())
        .await
        .map_err(|_| anyhow!("the last visits did not end within {LAST_VISITS:?}"))?
    {
        ended.context("a visit")?;
    }
    Ok(())
}
