//! The server under test: where it answers, and what it has used at a moment.

mod child;
mod metrics;
mod process;

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;

use crate::cli::Target;
pub use child::ADMIN;
use child::Started;
pub use metrics::Page;
use metrics::{WriterCounts, Writers};
pub use process::Handles;
use process::{Usage, handles, machine_cpu, usage};

/// The longest a request for the counters may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection that nothing is asked over is kept: less than the server's `HEADER_TIMEOUT` of 10 s, or a
/// request would meet its end.
const POOL_IDLE: Duration = Duration::from_secs(4);

/// A client of HTTP whose requests take no longer than this.
pub fn http_client(longest: Duration) -> reqwest::Result<reqwest::Client> {
    let client = reqwest::Client::builder().timeout(longest).pool_idle_timeout(POOL_IDLE);
    client.no_proxy().build()
}

/// A running server, with the processes whose use is read.
pub struct Server {
    pub url: String,
    pid: Option<u32>,
    mongod_pid: Option<u32>,
    started: Option<Started>,
    http: reqwest::Client,
}

/// What was used up to a moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub at: Instant,
    pub server: Option<Usage>,
    mongod: Option<Usage>,
    generator: Usage,
    /// Of all processes.
    machine: Duration,
    writers: Option<Writers>,
}

/// What was used between two moments.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub from: Sample,
    pub to: Sample,
}

impl Server {
    /// Starts the server, or takes the one that runs.
    pub async fn open(target: &Target) -> Result<Self> {
        let http = http_client(REQUEST_TIMEOUT)?;
        let started = match &target.server {
            Some(binary) => Some(Started::start(binary, target, &http).await?),
            None => None,
        };
        let (url, pid) = match &started {
            Some(started) => (started.url(), Some(started.pid()?)),
            None => (target.url.trim_end_matches('/').to_owned(), target.server_pid),
        };
        let server = Self { url, pid, mongod_pid: target.mongod_pid, started, http };
        server.sample().await.context("reading the server for the first time")?;
        Ok(server)
    }

    /// Reads what was used so far.
    pub async fn sample(&self) -> Result<Sample> {
        let writers = self.page().await?.map(|page| page.writers());
        Ok(Sample {
            at: Instant::now(),
            server: self.pid.map(usage).transpose()?,
            mongod: self.mongod_pid.map(usage).transpose()?,
            generator: usage(std::process::id())?,
            machine: machine_cpu()?,
            writers,
        })
    }

    /// Reads its metrics.
    pub async fn page(&self) -> Result<Option<Page>> {
        Page::read(&self.http, &self.url)
            .await
            .with_context(|| format!("reading {}/metrics: is the server running?", self.url))
    }

    /// How many files and threads its process has.
    pub fn handles(&self) -> Result<Option<Handles>> {
        self.pid.map(handles).transpose()
    }

    /// Prints what a started server logged last.
    pub fn explain_failure(&self) {
        if let Some(started) = &self.started {
            started.show_log();
        }
    }

    /// Ends a started server and starts it again on its data, so that nothing is in its memory that earlier work left
    /// there. Tells whether it did: one that runs already is left alone.
    pub async fn restart(&mut self) -> Result<bool> {
        let Some(started) = &mut self.started else { return Ok(false) };
        started.restart(&self.http).await.context("starting the server again")?;
        self.pid = Some(started.pid()?);
        Ok(true)
    }

    /// Ends a started server.
    pub async fn stop(&mut self) -> Result<()> {
        match self.started.take() {
            Some(mut started) => started.stop().await,
            None => Ok(()),
        }
    }
}

impl Span {
    /// Its length.
    pub fn seconds(&self) -> f64 {
        (self.to.at - self.from.at).as_secs_f64()
    }

    /// CPU seconds of the server.
    pub fn server_cpu(&self) -> Option<f64> {
        cpu(self.from.server?, self.to.server?)
    }

    /// CPU seconds of the database.
    pub fn mongod_cpu(&self) -> Option<f64> {
        cpu(self.from.mongod?, self.to.mongod?)
    }

    /// CPU seconds of this generator.
    pub fn generator_cpu(&self) -> f64 {
        cpu(self.from.generator, self.to.generator).unwrap_or_default()
    }

    /// CPU seconds of everything else on the machine, the database included where its process is not known.
    pub fn other_cpu(&self) -> f64 {
        let all = self.to.machine.saturating_sub(self.from.machine).as_secs_f64();
        let ours = self.server_cpu().unwrap_or_default() + self.mongod_cpu().unwrap_or_default();
        (all - ours - self.generator_cpu()).max(0.0)
    }

    /// Groups that the message writer committed, and messages in them.
    pub fn written(&self) -> Option<(f64, f64)> {
        Some(grown(self.from.writers?.messages, self.to.writers?.messages))
    }

    /// Groups that the writer of positions committed, and positions in them.
    pub fn located(&self) -> Option<(f64, f64)> {
        Some(grown(self.from.writers?.locations, self.to.writers?.locations))
    }
}

fn grown(from: WriterCounts, to: WriterCounts) -> (f64, f64) {
    (to.commits - from.commits, to.items - from.items)
}

/// None where the clock of the kernel is too coarse to have seen any.
fn cpu(from: Usage, to: Usage) -> Option<f64> {
    let spent = to.cpu.saturating_sub(from.cpu).as_secs_f64();
    (spent > 0.0).then_some(spent)
}
