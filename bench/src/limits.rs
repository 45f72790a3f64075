//! The limit on open files, which ten thousand sockets exceed on most machines. A server started here inherits it.

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files open besides the sockets: libraries, logs, the runtime's own.
const SPARE: u64 = 512;

/// Raises the limit so that `sockets` can be open at once, past the hard limit where the system lets us.
pub fn raise_open_files(sockets: usize) -> Result<()> {
    let wanted = sockets as u64 + SPARE;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let hard = maximum.unwrap_or(u64::MAX);
    if hard < wanted {
        // Only a privileged user may; the check below tells the others.
        let _ =
            setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: Some(wanted) });
    } else if current.is_some_and(|soft| soft < hard) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
    let soft = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    ensure!(
        soft >= wanted,
        "{wanted} open files are needed and {soft} allowed: raise `ulimit -n`, or ask for less"
    );
    Ok(())
}
