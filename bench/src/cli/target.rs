//! Which server is measured.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The server under test: one that runs already, or a binary to start.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// A server that is already running.
    #[arg(long, default_value = "http://127.0.0.1:3000", global = true)]
    pub url: String,
    /// Process whose CPU and memory are read, for a server that is already running.
    #[arg(long, global = true)]
    pub server_pid: Option<u32>,
    /// Process of the database, to read its CPU.
    #[arg(long, global = true)]
    pub mongod_pid: Option<u32>,
    /// Start this binary on a free port, and end it afterwards.
    #[arg(long, global = true, conflicts_with_all = ["url", "server_pid"])]
    pub server: Option<PathBuf>,
    /// Store of the server to start.
    #[arg(long, value_enum, default_value_t = Store::Embedded, global = true)]
    pub store: Store,
    /// Database of the server to start, with `--store mongo`.
    #[arg(long, global = true)]
    pub mongodb_uri: Option<String>,
    /// Where the started server gets its temporary data directory; a real disk, not memory. Default: the system's.
    #[arg(long, global = true)]
    pub data_in: Option<PathBuf>,
    /// Further environment of the started server, as NAME=VALUE; may be repeated.
    #[arg(long = "env", value_name = "NAME=VALUE", global = true)]
    pub environment: Vec<String>,
    /// Cores that the started server may use, as `taskset` takes them: `0`, `0-3`. Default: those of the generator.
    #[arg(long, global = true, requires = "server")]
    pub server_cores: Option<String>,
    /// Whether the started server keeps the limits that it has by default.
    #[arg(skip)]
    pub keep_limits: bool,
}

/// Where the started server keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Store {
    /// SQLite in a temporary directory.
    Embedded,
    /// MongoDB at `--mongodb-uri`.
    Mongo,
}
