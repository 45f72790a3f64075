//! What a process has used so far, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// CPU and memory of a process at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time since the process started, all threads.
    pub cpu: Duration,
    /// Resident memory in KiB.
    pub rss_kib: u64,
}

/// Reads the usage of `pid`.
pub fn usage(pid: u32) -> Result<Usage> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path)
            .with_context(|| format!("reading {path}: is the process still running?"))
    };
    let ticks =
        cpu_ticks(&read("stat")?).with_context(|| format!("no CPU times in /proc/{pid}/stat"))?;
    let rss_kib =
        rss_kib(&read("status")?).with_context(|| format!("no VmRSS in /proc/{pid}/status"))?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Usage { cpu: Duration::from_millis(ticks * 1_000 / per_second), rss_kib })
}

/// What a process holds of the system.
#[derive(Debug, Clone, Copy)]
pub struct Handles {
    pub files: usize,
    pub threads: usize,
}

/// Counts the open files and the threads of `pid`.
pub fn handles(pid: u32) -> Result<Handles> {
    let count = |folder: &str| {
        let path = format!("/proc/{pid}/{folder}");
        fs::read_dir(&path).map(Iterator::count).with_context(|| format!("reading {path}"))
    };
    Ok(Handles { files: count("fd")?, threads: count("task")? })
}

/// What all processes together have used since the machine started, of all cores.
pub fn machine_cpu() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat").context("reading /proc/stat")?;
    let ticks = busy_ticks(&stat).context("no CPU times in /proc/stat")?;
    Ok(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second()))
}

/// user, nice, system, irq and softirq of the first line; neither idle, nor waiting, nor stolen.
fn busy_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> =
        line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    [0, 1, 2, 5, 6].iter().map(|&field| fields.get(field)).sum()
}

/// utime + stime: the 14th and 15th field, counted after the command, which may itself hold spaces and brackets.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let utime: u64 = fields.next()?.parse().ok()?;
    let stime: u64 = fields.next()?.parse().ok()?;
    Some(utime + stime)
}

fn rss_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 5 0 1000";
        assert_eq!(cpu_ticks(stat), Some(300));
    }

    #[test]
    fn what_is_idle_waiting_or_stolen_is_not_busy() {
        let stat = "cpu  100 20 3 5000 700 4 1 90 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy_ticks(stat), Some(128));
    }

    #[test]
    fn memory_is_read_in_kib() {
        assert_eq!(rss_kib("Name:\tx\nVmRSS:\t   12345 kB\nThreads:\t1\n"), Some(12_345));
    }

    #[test]
    fn this_process_has_used_memory() {
        assert!(usage(std::process::id()).expect("it is running").rss_kib > 0);
    }
}
