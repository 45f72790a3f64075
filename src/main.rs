//! The server's process: reads its configuration, serves until a signal, and stops in order.

use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
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
    telemetry::start_logging(&config.log);
    run(&config)
}

#[tokio::main]
async fn run(config: &Config) -> ExitCode {
    let server = match app::start(config).await {
        Ok(server) => server,
        Err(problem) => {
            eprintln!("waggle cannot start: {problem}");
            return ExitCode::FAILURE;
        }
    };
    wait_for_signal().await;
    let stopped = tokio::time::timeout(config.shutdown_timeout, server.stop()).await;
    if stopped.is_err() {
        tracing::error!("stopping took too long; what was acknowledged is on disk");
    }
    ExitCode::SUCCESS
}

async fn wait_for_signal() {
    let mut terminate = signal(SignalKind::terminate()).expect("the runtime handles signals");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
