//! The server under test: the release binary with a data folder, a cluster and ports of its own.
//!
//! It ends with us, however that ends: dropped it is told to stop and waited for; when we are killed the kernel tells it.
//! A server that does not end in time is killed, and its PostgreSQL is stopped by hand. Durability is as the product sets
//! it; nothing is tuned for the benchmark.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::Client;

use crate::machine::{Watched, postmaster};

const START_LIMIT: Duration = Duration::from_mins(2);
const STOP_LIMIT: Duration = Duration::from_secs(90);

/// Where the parts of Slowburn lie.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// The release binary.
    pub(crate) binary: PathBuf,
    /// The browser's files.
    pub(crate) site: PathBuf,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    /// How it was started, to start it again.
    command: Command,
    child: Child,
    /// Data folder: the cluster and its socket.
    pub(crate) data: PathBuf,
    log: PathBuf,
    addr: SocketAddr,
    otlp: SocketAddr,
}

impl Server {
    /// Starts a server with a fresh data folder `name` in `folder`, defaults but for `settings`, and waits until it is ready.
    pub(crate) async fn start(product: &Product, folder: &Path, name: &str, with_demo: bool, settings: &[(&str, &str)]) -> Result<Self> {
        let data = folder.join(name);
        let log_path = folder.join(format!("{name}.log"));
        let log = File::create(&log_path)?;
        let [addr, otlp, grpc] = free_ports()?;
        // Told by the kernel when we die before we can tell it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(&product.binary).args(["serve", "--data-dir"]).arg(&data);
        if with_demo {
            command.arg("--demo");
        }
        for (name, _) in std::env::vars_os() {
            if name == "DATABASE_URL" || name.to_string_lossy().starts_with("SLOWBURN_") {
                command.env_remove(name);
            }
        }
        command
            .env("SLOWBURN_ADDR", addr.to_string())
            .env("SLOWBURN_OTLP_HTTP_ADDR", otlp.to_string())
            .env("SLOWBURN_OTLP_GRPC_ADDR", grpc.to_string())
            .env("SLOWBURN_SITE_DIR", &product.site)
            .envs(settings.iter().copied())
            // No settings file lies there.
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command.spawn().context("the server could not be started")?;
        let mut server = Self { command, child, data, log: log_path, addr, otlp };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// `http://…` of a path on the main port.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// The main port.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.addr
    }

    /// The OTLP/HTTP door for traces.
    pub(crate) fn traces_url(&self) -> String {
        format!("http://{}/v1/traces", self.otlp)
    }

    /// The OTLP/HTTP door for logs.
    pub(crate) fn logs_url(&self) -> String {
        format!("http://{}/v1/logs", self.otlp)
    }

    /// The OTLP/HTTP door for metrics.
    pub(crate) fn metrics_url(&self) -> String {
        format!("http://{}/v1/metrics", self.otlp)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn watched(&self) -> Watched {
        Watched { server: self.pid(), cluster: self.cluster() }
    }

    /// Its own cluster, for another server.
    pub(crate) fn database_url(&self) -> String {
        format!("postgres://slowburn@localhost/slowburn?host={}", self.data.display())
    }

    /// Kills it, as a crash does.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Kills PostgreSQL's first process; the others notice and end.
    pub(crate) fn kill_database(&self) {
        if let Some(pid) = postmaster(&self.cluster()) {
            signal("KILL", pid);
        }
    }

    /// Sends a signal to every process of the cluster.
    pub(crate) fn signal_database(&self, name: &str) {
        let Some(first) = postmaster(&self.cluster()) else { return };
        for pid in std::iter::once(first).chain(children(first)) {
            signal(name, pid);
        }
    }

    /// Starts it again on the same folder and ports after [`Server::kill`], and waits until it is ready.
    pub(crate) async fn start_again(&mut self) -> Result<()> {
        self.child = self.command.spawn().context("the server could not be started again")?;
        self.wait_until_ready().await
    }

    /// The last warnings and errors in its log.
    pub(crate) fn complaints(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let complaints: Vec<&str> = log.lines().filter(|line| !line.contains("\"INFO\"") && !line.contains("\"info\"")).collect();
        complaints[complaints.len().saturating_sub(10)..].join("\n")
    }

    fn cluster(&self) -> PathBuf {
        self.data.join("cluster")
    }

    async fn wait_until_ready(&mut self) -> Result<()> {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let (url, begun) = (self.url("/ready"), Instant::now());
        loop {
            if client.get(&url).send().await.is_ok_and(|response| response.status().is_success()) {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || begun.elapsed() > START_LIMIT {
                bail!("the server did not start:\n{}", fs::read_to_string(&self.log).unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        signal("TERM", self.pid());
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < STOP_LIMIT {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(left) = postmaster(&self.cluster()) {
            // SIGINT is PostgreSQL's fast shutdown.
            signal("INT", left);
            let begun = Instant::now();
            while postmaster(&self.cluster()).is_some() && begun.elapsed() < STOP_LIMIT {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn signal(name: &str, pid: u32) {
    let _ = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Processes that another one has started.
fn children(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let parent = format!("PPid:\t{parent}");
    pids.filter(|pid| fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|text| text.lines().any(|line| line == parent))).collect()
}

/// Ports that nobody uses, all held until each is known, so that they differ.
fn free_ports() -> Result<[SocketAddr; 3]> {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let held = [bind()?, bind()?, bind()?];
    Ok([held[0].local_addr()?, held[1].local_addr()?, held[2].local_addr()?])
}

/// A folder for one run, removed in the end.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

const PREFIX: &str = "slowburn-bench-";

impl Scratch {
    /// Makes it in `/var/tmp`: on a disk, unlike `/tmp` on many machines, and open to the account of PostgreSQL when we are
    /// root. Folders that killed runs left are removed.
    pub(crate) fn make() -> Result<Self> {
        let parent = Path::new("/var/tmp");
        for entry in fs::read_dir(parent)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(owner) = name.strip_prefix(PREFIX) else { continue };
            if !Path::new("/proc").join(owner).exists() {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let folder = parent.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
