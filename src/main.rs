//! The server's process: reads its configuration, serves until a signal, and stops in order.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use waggle::app::{self, personal};
use waggle::config::Config;
use waggle::net::tls;
use waggle::telemetry;

/// Threads for blocking work besides those that read and hash: one writes, one counts what the
/// process uses, one reads certificates, and the rest look names up.
const SPARE_THREADS: usize = 20;

/// How long names that are still being looked up, and then the last lines of the log, hold up the
/// end, at most; a twentieth each of SHUTDOWN_TIMEOUT where that is less.
const LAST_THINGS: Duration = Duration::from_millis(200);

/// A realtime server for chat, rooms, presence, orders and drivers.
///
/// Configured by environment variables and `.env`; see `.env.example`.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Check the configuration, say what is wrong with it, and end.
    #[arg(long)]
    check_config: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Copy the embedded store to a new file, also while a server uses it.
    Backup {
        /// The file.
        path: PathBuf,
    },
    /// Write everything that is stored about a user as one JSON document, also while a server runs.
    ExportUser {
        /// Id, username or e-mail address.
        user: String,
        /// A new file; `-` for standard output.
        #[arg(default_value = "-")]
        path: PathBuf,
    },
    /// Erase what is stored about a user: who it was, what they wrote, where they were. Also while a
    /// server runs, whose sockets of the user end. Without --yes say what that would be.
    EraseUser {
        /// Id, username or e-mail address.
        user: String,
        /// Do it. There is no way back but a backup.
        #[arg(long)]
        yes: bool,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("waggle cannot start: {problems}");
            return ExitCode::from(2);
        }
    };
    if arguments.check_config {
        return check_files(&config);
    }
    match arguments.command {
        None => serve(&config).unwrap_or_else(|problem| {
            eprintln!("waggle cannot start: {problem}");
            ExitCode::FAILURE
        }),
        Some(Command::Backup { path }) => back_up(&config, &path),
        Some(Command::ExportUser { user, path }) => export_user(&config, &user, &path),
        Some(Command::EraseUser { user, yes }) => {
            let _telemetry = telemetry::start_logging(&config.log);
            erase_user(&config, &user, yes)
        }
    }
}

/// The last of a check. A start reads these files too, and fails with 1: they may come later.
fn check_files(config: &Config) -> ExitCode {
    if let Some(Err(problem)) = config.listen.tls.as_ref().map(tls::check) {
        eprintln!("waggle cannot start: {problem}");
        return ExitCode::from(2);
    }
    println!("the configuration is valid");
    ExitCode::SUCCESS
}

fn serve(config: &Config) -> Result<ExitCode, String> {
    let telemetry = telemetry::start(config)?;
    let traces = telemetry.patience(config.shutdown_timeout);
    let each = LAST_THINGS.min(config.shutdown_timeout / 20);
    let runtime = runtime().map_err(|problem| problem.to_string())?;
    let outcome = runtime.block_on(run(config, traces + 2 * each));
    runtime.shutdown_timeout(each);
    // The last, so that what has just ended is in them.
    telemetry.finish(traces, each);
    Ok(outcome)
}

fn back_up(config: &Config, path: &Path) -> ExitCode {
    match app::back_up(config, path) {
        Ok(size) => {
            println!("{} holds everything up to now, {size} bytes", path.display());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("no backup was made: {problem}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn export_user(config: &Config, user: &str, path: &Path) -> ExitCode {
    match personal::export(config, user, path).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("nothing was exported: {problem}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn erase_user(config: &Config, user: &str, is_meant: bool) -> ExitCode {
    let erased = match is_meant {
        true => Box::pin(personal::erase(config, user)).await,
        false => personal::preview(config, user).await,
    };
    match erased {
        Ok(report) if is_meant => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Ok(preview) => {
            println!("{preview}");
            eprintln!("nothing was erased: say --yes to do it");
            ExitCode::FAILURE
        }
        Err(problem) => {
            let what = if problem.is_refusal() {
                "nothing was erased"
            } else {
                "the erasure is not finished"
            };
            eprintln!("{what}: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// What the server runs on. Threads for blocking work are as many as are at it at once (the store
/// reads on each core and writes on one, passwords are hashed on each core), and some for names
/// that a resolver is slow to answer. Without a bound of ours they would become 512: one more is
/// started whenever none is idle for a moment, and as each gets some of the work, none ever ends.
fn runtime() -> io::Result<Runtime> {
    let cores = available_parallelism().map_or(2, usize::from).max(2);
    let blocking = 2 * cores + SPARE_THREADS;
    Builder::new_multi_thread().enable_all().max_blocking_threads(blocking).build()
}

/// Serves until a signal, and stops in time for what is done `afterwards`.
async fn run(config: &Config, afterwards: Duration) -> ExitCode {
    let mut signals = Signals::listen();
    let started = tokio::select! {
        started = Box::pin(app::start(config)) => started,
        () = signals.wait() => return ExitCode::SUCCESS,
    };
    let server = match started {
        Ok(server) => server,
        Err(problem) => {
            eprintln!("waggle cannot start: {problem}");
            return ExitCode::FAILURE;
        }
    };
    signals.wait().await;
    // Whoever kills the process after SHUTDOWN_TIMEOUT must find that it has ended before.
    let patience = config.shutdown_timeout.mul_f32(0.95).saturating_sub(afterwards);
    if tokio::time::timeout(patience, server.stop(patience)).await.is_err() {
        tracing::error!("stopping took too long; what was acknowledged is on disk");
    }
    ExitCode::SUCCESS
}

/// The signals that ask for an end. Listened for from the start: one that comes just when the
/// server begins to serve would end the process on the spot.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// What asks to read files again ends nothing, also where there are none to read.
    _hang_up: Signal,
}

impl Signals {
    fn listen() -> Self {
        let listen = |kind| signal(kind).expect("the runtime handles signals");
        Self {
            terminate: listen(SignalKind::terminate()),
            interrupt: listen(SignalKind::interrupt()),
            _hang_up: listen(SignalKind::hangup()),
        }
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn threads_for_blocking_work_are_bounded() {
        let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let cores = available_parallelism().map_or(2, usize::from).max(2);
        let bound = 2 * cores + SPARE_THREADS;
        let runtime = runtime().expect("a runtime");
        runtime.block_on(async {
            let work = || {
                let (at_once, most) = (at_once.clone(), most.clone());
                tokio::task::spawn_blocking(move || {
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    // Until all threads that there may be are at it, and a little longer.
                    let begun = Instant::now();
                    while most.load(Ordering::SeqCst) < bound && begun.elapsed() < PATIENCE {
                        std::thread::yield_now();
                    }
                    std::thread::sleep(Duration::from_millis(50));
                    at_once.fetch_sub(1, Ordering::SeqCst);
                })
            };
            let works: Vec<_> = (0..4 * bound).map(|_| work()).collect();
            for work in works {
                work.await.expect("it ends");
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), bound);
    }
}
