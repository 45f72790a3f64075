//! The server's process: reads its configuration, serves until a signal, and stops in order.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};
use waggle::app;
use waggle::config::Config;
use waggle::telemetry;

/// A realtime server for chat, rooms, presence, orders and drivers.
///
/// Configured by environment variables and `.env`; see `.env.example`.
#[derive(Parser)]
#[command(version)]
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
        println!("the configuration is valid");
        return ExitCode::SUCCESS;
    }
    if let Some(Command::Backup { path }) = arguments.command {
        return back_up(&config, &path);
    }
    telemetry::start_logging(&config.log);
    run(&config)
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
async fn run(config: &Config) -> ExitCode {
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
    let stopped = tokio::time::timeout(config.shutdown_timeout.mul_f32(0.95), server.stop()).await;
    if stopped.is_err() {
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
