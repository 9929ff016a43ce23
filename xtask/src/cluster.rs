//! A throw-away PostgreSQL cluster for tests.
//!
//! It lies in a folder of its own below the temporary one, listens on a free port of the loopback address and trusts
//! whoever comes. Nothing in it is meant to last, so it does not wait for the disk. It ends with this process, however
//! that ends: dropped, interrupted, or killed (the kernel then sends the server a signal). A folder that a killed process
//! left behind is removed by the next start.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::process;

const PREFIX: &str = "slowburn-test-postgres-";
const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);

const SETTINGS: [&str; 8] = [
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
    "log_min_messages=warning",
];

/// A running cluster; it stops when this is dropped.
pub(crate) struct Cluster {
    server: Child,
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes a cluster and waits until it takes connections.
    pub(crate) fn start() -> Result<Self> {
        remove_leftovers();
        let programs = server_programs()?;
        let folder = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        if is_root()? {
            process::run(Command::new("chown").arg("postgres:").arg(&folder))?;
        }
        let data = folder.join("data");
        let mut initdb = as_server_user(&programs.join("initdb"), &folder)?;
        initdb.args(["--auth=trust", "--username=slowburn", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--pgdata"]).arg(&data);
        process::output(&mut initdb)?;

        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = File::create(folder.join("log"))?;
        let mut server = as_server_user(&programs.join("postgres"), &folder)?;
        server.arg("-D").arg(&data).args(["-p", &port.to_string(), "-k"]).arg(&folder);
        for setting in SETTINGS {
            server.args(["-c", setting]);
        }
        server.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut cluster = Self { server: server.spawn().context("could not start postgres")?, folder, port };
        cluster.wait_until_ready(&programs)?;
        Ok(cluster)
    }

    /// Where tests connect to: a superuser, who makes a database for each test.
    pub(crate) fn url(&self) -> String {
        format!("postgres://slowburn@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self, programs: &Path) -> Result<()> {
        let begun = Instant::now();
        loop {
            let mut ready = Command::new(programs.join("pg_isready"));
            ready.args(["--quiet", "--host=127.0.0.1", "--port", &self.port.to_string()]);
            if ready.status()?.success() {
                return Ok(());
            }
            if self.server.try_wait()?.is_some() || begun.elapsed() > START_LIMIT {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                bail!("PostgreSQL did not start:\n{log}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown; it ends connections that tests left open.
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let begun = Instant::now();
        while matches!(self.server.try_wait(), Ok(None)) && begun.elapsed() < STOP_LIMIT {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The folder of PostgreSQL's server programs: Debian's newest, or where PATH has them.
pub(crate) fn server_programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter(|entry| entry.path().join("bin/initdb").exists())
        .max_by_key(|entry| entry.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    if let Some(version) = newest {
        return Ok(version.path().join("bin"));
    }
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .find(|folder| folder.join("initdb").exists())
        .context("PostgreSQL's server programs (initdb, postgres) are missing: xtask/setup.sh build")
}

/// A program that runs as the user `postgres` when we are root, because PostgreSQL refuses root, and that is signalled
/// when we die.
fn as_server_user(program: &Path, folder: &Path) -> Result<Command> {
    let mut command = if cfg!(target_os = "linux") {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        if is_root()? {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
        }
        command.arg("--").arg(program);
        command
    } else {
        Command::new(program)
    };
    // The folder we stand in may be closed to the other user.
    command.current_dir(folder);
    Ok(command)
}

fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))?.trim() == "0")
}

/// Removes folders of clusters whose xtask is gone.
fn remove_leftovers() {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(owner) = name.strip_prefix(PREFIX) else { continue };
        if !Path::new("/proc").join(owner).exists() && cfg!(target_os = "linux") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
