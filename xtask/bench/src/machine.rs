//! What the kernel knows: processor time of processes and of the machine, memory, and what kind of machine it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// Ticks per second in `/proc`: 100 on every architecture Slowburn is built for (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Who is watched: the server, its PostgreSQL, and we, the sender.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) server: u32,
    pub(crate) cluster: PathBuf,
}

/// Processor seconds spent.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Spent {
    pub(crate) wall: f64,
    pub(crate) server: f64,
    pub(crate) postgres: f64,
    pub(crate) sender: f64,
    /// All processors of the machine, whoever used them.
    pub(crate) machine: f64,
    /// Time that the host gave to other machines.
    pub(crate) stolen: f64,
}

impl Spent {
    /// Share of the machine's processors that were busy, 0–1.
    pub(crate) fn machine_ratio(&self) -> f64 {
        self.machine / (self.wall * cores() as f64)
    }
}

/// Reads the counters at its beginning and end.
#[derive(Debug)]
pub(crate) struct Meter {
    watched: Watched,
    begun: Instant,
    first: Spent,
}

impl Meter {
    pub(crate) fn start(watched: &Watched) -> Result<Self> {
        Ok(Self { watched: watched.clone(), begun: Instant::now(), first: read(watched)? })
    }

    pub(crate) fn stop(&self) -> Result<Spent> {
        let wall = self.begun.elapsed().as_secs_f64();
        let (first, last) = (self.first, read(&self.watched)?);
        Ok(Spent {
            wall,
            server: last.server - first.server,
            postgres: last.postgres - first.postgres,
            sender: last.sender - first.sender,
            machine: last.machine - first.machine,
            stolen: last.stolen - first.stolen,
        })
    }
}

fn read(watched: &Watched) -> Result<Spent> {
    let stat = fs::read_to_string("/proc/stat")?;
    let ticks: Vec<f64> = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    let field = |index: usize| ticks.get(index).copied().unwrap_or(0.0) / TICKS;
    // user, nice, system, then idle and iowait (left out), interrupts, soft interrupts, stolen.
    Ok(Spent {
        wall: 0.0,
        server: own_seconds(watched.server)?,
        postgres: cluster_seconds(&watched.cluster)?,
        sender: own_seconds(std::process::id())?,
        machine: [0, 1, 2, 5, 6].into_iter().map(field).sum(),
        stolen: field(7),
    })
}

/// Parent, own processor seconds, and those of its ended children.
fn process(pid: u32) -> Result<(u32, f64, f64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
    parse_stat(&text).with_context(|| format!("/proc/{pid}/stat"))
}

/// The program's name may hold spaces and brackets, so fields are counted from its last bracket.
fn parse_stat(text: &str) -> Option<(u32, f64, f64)> {
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((fields.get(1)?.parse().ok()?, (ticks(11)? + ticks(12)?) / TICKS, (ticks(13)? + ticks(14)?) / TICKS))
}

fn own_seconds(pid: u32) -> Result<f64> {
    Ok(process(pid)?.1)
}

/// The postmaster counts backends that have ended; those that live are found as its children.
fn cluster_seconds(cluster: &Path) -> Result<f64> {
    let postmaster = postmaster(cluster).context("the cluster has no postmaster.pid")?;
    let (_, own, ended) = process(postmaster)?;
    let living = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter_map(|pid| process(pid).ok())
        .filter(|(parent, ..)| *parent == postmaster)
        .map(|(_, own, _)| own);
    Ok(own + ended + living.sum::<f64>())
}

/// The process that leads a cluster, while it runs.
pub(crate) fn postmaster(cluster: &Path) -> Option<u32> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid = text.lines().next()?.trim().parse().ok()?;
    // Dead ones may wait for a parent to ask for them.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    (name == "postgres" && !rest.trim_start().starts_with(['Z', 'X'])).then_some(pid)
}

/// Memory of a process in MiB: now, and the most since the last [`forget_peak`].
pub(crate) fn memory_mib(pid: u32) -> Result<(f64, f64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1_024.0)
    };
    field("VmRSS:").zip(field("VmHWM:")).with_context(|| format!("/proc/{pid}/status names no memory"))
}

/// Lets the peak begin anew at what is used now. Where the kernel does not allow it, the peak stays that of the whole run.
pub(crate) fn forget_peak(pid: u32) {
    let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the figures were measured on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Facts {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    pub(crate) postgres: String,
    /// Load of the last minute before the start; above a tenth or so, somebody else was working.
    pub(crate) load_before: f64,
}

/// Reads what can be known before anything runs; `postgres` is filled in later.
pub(crate) fn facts() -> Facts {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let memory = field(&text("/proc/meminfo"), "MemTotal");
    let cpu = text("/proc/cpuinfo");
    // A virtual machine may hide the name; family, model and stepping then still tell.
    let numbers = ["cpu family", "model\t", "stepping"].map(|name| field(&cpu, name)).join("/");
    Facts {
        cores: cores(),
        processor: format!("{} ({numbers})", field(&cpu, "model name")),
        memory_mib: memory.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1_024,
        kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
        postgres: String::new(),
        load_before: text("/proc/loadavg").split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let line = "7 (odd) name) S 3 7 7 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 1 0 100 0 0";
        assert_eq!(parse_stat(line), Some((3, 2.0, 0.5)));
        assert_eq!(parse_stat("7 (short) S 3"), None);
    }

    #[test]
    fn this_process_has_memory() {
        let (now, peak) = memory_mib(std::process::id()).expect("memory");
        assert!(now > 0.0 && peak >= now);
    }
}
