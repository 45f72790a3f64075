//! A server that the generator starts itself: a free port, a temporary data directory, limits that never bite.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::cli::{Store, Target};

/// How long the server may take to become ready, and to end.
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// How much of the log is shown after a failure.
const LOG_LINES: usize = 15;

/// Settings of a measured server.
const SETTINGS: [(&str, &str); 6] = [
    ("JWT_SECRET", "a-secret-of-the-benchmark-only-0123456789"),
    ("RUST_LOG", "warn"),
    ("RATE_LIMIT_REGISTRATIONS", "off"),
    ("LOCATION_MAX_AGE", "1h"),
    ("ADMIN_EMAIL", ADMIN.0),
    ("ADMIN_PASSWORD", ADMIN.1),
];

/// And of one whose limits are not what is measured: they stay in the path of each event, too high to be reached.
const NO_LIMITS: [(&str, &str); 9] = [
    ("BCRYPT_COST", "4"),
    ("RATE_LIMIT_SENDS", "1000000/1s"),
    ("RATE_LIMIT_TYPING", "1000000/1s"),
    ("RATE_LIMIT_CONNECTS", "1000000/1s"),
    ("RATE_LIMIT_JOINS", "off"),
    ("RATE_LIMIT_LOGINS", "off"),
    ("RATE_LIMIT_REST_WRITES", "off"),
    ("RATE_LIMIT_ORDERS", "off"),
    ("RATE_LIMIT_LOCATIONS", "off"),
];

/// Address and password of the admin of a measured server.
pub const ADMIN: (&str, &str) = ("admin@bench.invalid", "correct horse battery");

/// Variables of the caller's shell that would choose another store or port.
const FOREIGN: [&str; 3] = ["MONGODB_URI", "MONGO_URL", "PORT"];

/// A running server that ends with this value.
pub struct Started {
    child: Child,
    port: u16,
    directory: TempDir,
    binary: PathBuf,
    target: Target,
}

impl Started {
    /// Starts `binary` and waits until it is ready.
    pub async fn start(binary: &Path, target: &Target, http: &reqwest::Client) -> Result<Self> {
        let binary = fs::canonicalize(binary)
            .with_context(|| format!("no server at {}", binary.display()))?;
        let directory = data_directory(target)?;
        let port = free_port()?;
        let child = command(&binary, target, directory.path(), port)?
            .spawn()
            .with_context(|| format!("starting {}", binary.display()))?;
        let mut started = Self { child, port, directory, binary, target: target.clone() };
        if let Err(error) = started.wait_until_ready(http).await {
            started.show_log();
            return Err(error);
        }
        Ok(started)
    }

    /// Ends it and starts it again, on the same port and data.
    pub async fn restart(&mut self, http: &reqwest::Client) -> Result<()> {
        self.stop().await?;
        let mut command = command(&self.binary, &self.target, self.directory.path(), self.port)?;
        self.child = command.spawn().context("spawning")?;
        self.wait_until_ready(http).await
    }

    /// Its process.
    pub fn pid(&self) -> Result<u32> {
        self.child.id().context("the server has already ended")
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Prints the end of its log.
    pub fn show_log(&self) {
        let log = fs::read_to_string(log_path(self.directory.path())).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
            eprintln!("server: {line}");
        }
    }

    /// Asks it to end, and insists after a while.
    pub async fn stop(&mut self) -> Result<()> {
        let pid =
            i32::try_from(self.pid()?).ok().and_then(Pid::from_raw).context("not a process id")?;
        kill_process(pid, Signal::TERM).context("ending the server")?;
        match timeout(STOP_TIMEOUT, self.child.wait()).await {
            Ok(status) => {
                let status = status.context("waiting for the server")?;
                if !status.success() {
                    eprintln!("warning: the server ended with {status}");
                }
            }
            Err(_) => {
                eprintln!(
                    "warning: the server did not end within {STOP_TIMEOUT:?} of SIGTERM, and was killed"
                );
                self.child.kill().await.context("killing the server")?;
            }
        }
        Ok(())
    }

    async fn wait_until_ready(&mut self, http: &reqwest::Client) -> Result<()> {
        let (url, deadline) =
            (format!("{}/health/ready", self.url()), Instant::now() + START_TIMEOUT);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it was ready");
            }
            if http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        bail!("the server was not ready at {url} within {START_TIMEOUT:?}")
    }
}

fn command(binary: &Path, target: &Target, directory: &Path, port: u16) -> Result<Command> {
    let log = File::create(log_path(directory)).context("creating the log")?;
    let mut command = match &target.server_cores {
        None => Command::new(binary),
        Some(cores) => {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", cores]).arg(binary);
            pinned
        }
    };
    for name in FOREIGN {
        command.env_remove(name);
    }
    // In its own directory, so that no `.env` of a checkout is read.
    command.current_dir(directory).envs(SETTINGS);
    if !target.keep_limits {
        command.envs(NO_LIMITS);
    }
    command.env("PORT", port.to_string()).env("DATA_DIR", directory.join("data"));
    if target.store == Store::Mongo {
        command.env(
            "MONGODB_URI",
            target.mongodb_uri.as_ref().context("--store mongo needs --mongodb-uri")?,
        );
    }
    for setting in &target.environment {
        let (name, value) =
            setting.split_once('=').with_context(|| format!("--env {setting}: not NAME=VALUE"))?;
        command.env(name, value);
    }
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
    Ok(command)
}

fn data_directory(target: &Target) -> Result<TempDir> {
    let parent = target.data_in.clone().unwrap_or_else(std::env::temp_dir);
    let directory = tempfile::Builder::new().prefix("waggle-bench-").tempdir_in(&parent);
    let directory =
        directory.with_context(|| format!("creating a directory in {}", parent.display()))?;
    if target.store == Store::Embedded && is_in_memory(directory.path())? {
        eprintln!(
            "warning: {} is in memory, where durable costs nothing: use --data-in",
            parent.display()
        );
    }
    Ok(directory)
}

fn is_in_memory(path: &Path) -> Result<bool> {
    const TMPFS: i64 = 0x0102_1994;
    Ok(rustix::fs::statfs(path)?.f_type == TMPFS)
}

fn free_port() -> Result<u16> {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .context("finding a port")?;
    ensure!(port.port() != 0, "the system gave no port");
    Ok(port.port())
}

fn log_path(directory: &Path) -> PathBuf {
    directory.join("server.log")
}
