//! The load generator of waggle: it opens Socket.IO clients by the thousand against a running server, or one that it
//! starts itself, and prints what the server did and what that cost in CPU and memory.
//!
//! - [`cli`]: the command line
//! - [`client`]: one Socket.IO client over WebSocket
//! - [`accounts`]: the users that the clients sign in as
//! - [`server`]: the server under test: its process, its counters, its CPU and memory
//! - [`scenario`]: what is measured
//! - [`latency`], [`progress`], [`report`]: how it is shown
//!
//! Exit codes: 0, all well; 1, the figures stand but messages were lost, repeated or refused; 2, no figures.
#![forbid(unsafe_code)]

mod accounts;
mod cli;
mod client;
mod latency;
mod limits;
mod progress;
mod report;
mod scenario;
mod server;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Cli;
use crate::report::Results;
use crate::scenario::Bench;

fn main() -> ExitCode {
    let mut cli = Cli::parse();
    cli.target.keep_limits = cli.scenario.keeps_limits();
    match runtime(cli.threads).and_then(|runtime| runtime.block_on(run(cli))) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(mismatches) => {
            eprintln!("FAILED: {mismatches} mismatch(es), listed under their scenario");
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn runtime(threads: usize) -> Result<Runtime> {
    let mut builder =
        if threads > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().context("starting the runtime")
}

/// Runs the scenarios asked for and answers how many mismatches they found. A server started here is ended in any case.
async fn run(cli: Cli) -> Result<usize> {
    limits::raise_open_files(cli.scenario.sockets())?;
    let mut bench = until_interrupted(Bench::open(&cli)).await?;
    let mut results = Results::new(bench.describe());
    let ran = until_interrupted(scenario::run(&mut bench, &cli.scenario, &mut results)).await;
    if ran.is_err() {
        bench.server.explain_failure();
    }
    let stopped = bench.server.stop().await;
    if let Some(path) = &cli.json {
        results.write(path)?;
    }
    ran.and(stopped).map(|()| results.mismatches())
}

async fn until_interrupted<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminate.recv() => bail!("terminated"),
    }
}
