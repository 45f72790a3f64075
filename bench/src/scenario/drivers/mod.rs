//! Drivers on their raw sockets: a fleet at work, many who are idle, and a few who send as fast as can be.

mod admin;
mod assignments;
mod audience;
mod ceiling;
mod crew;
mod driver;
mod fleet;
mod heard;
mod idle;
mod steady;
mod track;
mod trail;

use anyhow::{Context, Result};

use super::Bench;
use crate::cli::Drivers;
use crate::report::Report;

/// Runs what the command line asks for.
pub async fn run(bench: &mut Bench, drivers: &Drivers) -> Result<Report> {
    match drivers {
        Drivers::Steady(options) => steady::run(bench, options).await.context("steady"),
        Drivers::Idle(options) => idle::run(bench, options).await.context("idle"),
        Drivers::Ceiling(options) => ceiling::run(bench, options).await.context("ceiling"),
    }
}
