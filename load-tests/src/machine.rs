//! What the operating system knows of a process and of this machine. Linux: everything is read from `/proc`.

use std::{fs, io};

use serde::Serialize;

/// This machine, for the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Cores this process may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// Open files this process may have, and a server that it starts.
    pub open_files: u64,
}

impl Machine {
    /// Looks around.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn look() -> io::Result<Self> {
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            open_files: parse_open_files(&fs::read_to_string("/proc/self/limits")?)
                .ok_or_else(|| odd("/proc/self/limits"))?,
        })
    }
}

/// The resident memory of a process, in bytes.
///
/// # Errors
/// There is no such process.
pub fn rss_bytes(pid: u32) -> io::Result<u64> {
    let path = format!("/proc/{pid}/status");
    parse_rss(&fs::read_to_string(&path)?).ok_or_else(|| odd(&path))
}

/// The processor time of a process so far, user and system, in seconds.
///
/// # Errors
/// There is no such process.
pub fn cpu_seconds(pid: u32) -> io::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let ticks = parse_ticks(&fs::read_to_string(&path)?).ok_or_else(|| odd(&path))?;
    #[expect(clippy::cast_precision_loss, reason = "a process does not live for 2^52 ticks")]
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The same of a process, of its children, and of those of them that have ended: of a PostgreSQL, all its sessions.
///
/// # Errors
/// There is no such process.
pub fn family_cpu_seconds(pid: u32) -> io::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let ended = parse_ended(&fs::read_to_string(&path)?).ok_or_else(|| odd(&path))?;
    // A child that ends meanwhile is not counted twice, and perhaps not at all.
    let living: f64 = children(pid).into_iter().filter_map(|child| cpu_seconds(child).ok()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a process does not live for 2^52 ticks")]
    Ok(cpu_seconds(pid)? + living + ended as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Whether there is such a process and it has not ended; one that has ended and waits for its parent to notice is not alive.
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Whether there is such a process and a signal has stopped it.
pub fn is_stopped(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state == 'T')
}

/// The processes that this one has started and that have not ended.
pub fn children(pid: u32) -> Vec<u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let processes = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.filter(|child| stat(*child).is_some_and(|(_, parent)| parent == pid)).collect()
}

/// The state of a process, and its parent.
fn stat(pid: u32) -> Option<(char, u32)> {
    parse_parent(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn odd(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{path} does not say what it used to"))
}

fn parse_rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1_024)
}

fn parse_ticks(stat: &str) -> Option<u64> {
    // The second field is the program's name in parentheses and may hold anything; utime and stime are the 14th and 15th.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn parse_ended(stat: &str) -> Option<u64> {
    // cutime and cstime are the 16th and the 17th.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().skip(13);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn parse_parent(stat: &str) -> Option<(char, u32)> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn parse_open_files(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_are_found_whatever_the_program_is_called() {
        assert_eq!(parse_rss("Name:\tx\nVmRSS:\t    12 kB\n"), Some(12 * 1_024));
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 9 4 20 0 3 0 99 1 2";
        assert_eq!(parse_ticks(stat), Some(300));
        assert_eq!(parse_ended(stat), Some(13));
        assert_eq!(parse_parent(stat), Some(('S', 1)));
    }

    #[test]
    fn the_soft_limit_of_open_files_is_the_first_of_the_two() {
        let line = "Max open files            1024                 524288               files     \n";
        assert_eq!(parse_open_files(line), Some(1_024));
        assert_eq!(parse_open_files("Max open files   unlimited unlimited files"), Some(u64::MAX));
    }

    #[test]
    fn this_very_process_can_be_looked_at() {
        let pid = std::process::id();
        assert!(rss_bytes(pid).expect("memory") > 0);
        assert!(cpu_seconds(pid).expect("time") <= family_cpu_seconds(pid).expect("time"));
        assert!(is_alive(pid) && !is_stopped(pid));
        assert!(Machine::look().expect("a machine").open_files > 0);
    }
}
