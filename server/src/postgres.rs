//! The own PostgreSQL cluster, for installations without `DATABASE_URL`.
//!
//! The data folder holds the cluster, its socket, its log and a lock that keeps a second Slowburn out. PostgreSQL refuses
//! to run as root: as root it runs as the user `postgres`, who must be able to pass through every parent of the folder. A
//! server that outlived a killed Slowburn is found by its `postmaster.pid` and taken over. While Slowburn runs it is
//! watched, and started again when it has died. On a clean end the cluster is stopped; after a crash it recovers by itself
//! at the next start.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use metrics::counter;
use parking_lot::Mutex;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

const DATABASE: &str = "slowburn";
const USER: &str = "slowburn";
/// Longest path of a Unix socket, less the name of PostgreSQL's.
const LONGEST_SOCKET_FOLDER: usize = 107 - 20;
const START_SECONDS: u32 = 60;
/// How often a start is tried.
const ATTEMPTS: u32 = 5;
/// How often it is looked whether the server lives.
const WATCH_EVERY: Duration = Duration::from_millis(500);

/// What the cluster is told beyond PostgreSQL's defaults. Durability stays on.
const SETTINGS: [&str; 9] = [
    "listen_addresses=",
    "max_connections=60",
    "shared_buffers=192MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "wal_compression=on",
    "jit=off",
    "log_checkpoints=off",
    "max_locks_per_transaction=512",
];

/// A running cluster of our own.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    programs: PathBuf,
    account: Option<Account>,
    /// The server, if we started it: it must be reaped when it has died.
    child: Mutex<Option<Child>>,
    /// Held as long as the cluster is ours.
    _lock: File,
}

/// The account that the server runs under, when we are root.
#[derive(Clone, Copy, Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

/// Where the data folder is unless a setting says so.
pub fn default_folder(home: Option<&Path>, xdg_data_home: Option<&Path>, is_root: bool) -> PathBuf {
    if is_root {
        return PathBuf::from("/var/lib/slowburn");
    }
    let base = xdg_data_home.map(Path::to_path_buf).or_else(|| home.map(|home| home.join(".local/share")));
    base.unwrap_or_else(|| PathBuf::from("/var/tmp")).join("slowburn")
}

/// Whether this process is root.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// The folder with `initdb` and `postgres`: as set, in `PATH`, or where Debian and Red Hat keep them, newest first.
///
/// # Errors
/// None was found; the message names the package.
pub fn find_programs(set: &str, path: &str) -> anyhow::Result<PathBuf> {
    let holds = |folder: &Path| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    if !set.is_empty() {
        ensure!(holds(Path::new(set)), "postgres_bin_dir: {set} holds no initdb and postgres");
        return Ok(PathBuf::from(set));
    }
    let version = |folder: &PathBuf| -> u32 {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok();
        folder.parent().and_then(|parent| digits(&parent.file_name()?.to_string_lossy())).unwrap_or(0)
    };
    let mut installed: Vec<PathBuf> = ["/usr/lib/postgresql", "/usr"]
        .iter()
        .filter_map(|root| fs::read_dir(root).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|folder| holds(folder))
        .collect();
    installed.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    std::env::split_paths(path).find(|folder| holds(folder)).or_else(|| installed.into_iter().next()).context(
        "no PostgreSQL server programs (initdb, postgres) were found: install them (Debian and Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server), name their folder by postgres_bin_dir, or set DATABASE_URL to use another server",
    )
}

impl Cluster {
    /// Starts the cluster in `folder`, making it first if it is not there, or takes over the one that still runs.
    ///
    /// # Errors
    /// Another Slowburn uses the folder, it cannot be reached by the server's account, or the server does not start.
    pub async fn start(folder: &Path, programs: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("data folder {} cannot be made", folder.display()))?;
        let folder = folder.canonicalize()?;
        ensure!(
            folder.as_os_str().len() <= LONGEST_SOCKET_FOLDER,
            "data folder {}: its path is too long for a Unix socket ({LONGEST_SOCKET_FOLDER} bytes at most)",
            folder.display()
        );
        let lock =
            File::create(folder.join("slowburn.lock")).with_context(|| format!("data folder {} is not writable", folder.display()))?;
        ensure!(
            lock.try_lock().is_ok(),
            "another slowburn uses the data folder {}; stop it or choose another by --data-dir",
            folder.display()
        );
        let account = if is_root() { Some(account("postgres")?) } else { None };
        if let Some(account) = account {
            check_way(&folder, account)?;
            chown(&folder, Some(account.uid), Some(account.gid))?;
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        let cluster = Self { folder, programs, account, child: Mutex::new(None), _lock: lock };
        if !cluster.data().join("PG_VERSION").is_file() {
            cluster.init()?;
        }
        cluster.run().await?;
        cluster.create_database().await?;
        Ok(cluster)
    }

    /// How to connect.
    pub fn connect_options(&self) -> PgConnectOptions {
        self.options(DATABASE)
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.folder).port(5432).username(USER).database(database)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        if let Some(account) = self.account {
            command.uid(account.uid).gid(account.gid);
        }
        command.current_dir(&self.folder).env_remove("PGDATA").env_remove("PGHOST").env_remove("PGPORT");
        command
    }

    fn init(&self) -> anyhow::Result<()> {
        tracing::info!(folder = %self.folder.display(), "making a database cluster");
        // Made beside and then renamed: a killed initdb leaves nothing that looks finished.
        let part = self.folder.join("cluster.part");
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        let output = self
            .command("initdb")
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "-D"])
            .arg(&part)
            .output()
            .context("initdb could not be run")?;
        ensure!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        fs::rename(part, self.data())?;
        Ok(())
    }

    /// A server of this cluster that still runs, by its `postmaster.pid`.
    fn running(&self) -> Option<u32> {
        if let Some(child) = self.child.lock().as_mut() {
            // What has died stays in the process table until it is asked for.
            let _ = child.try_wait();
        }
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().parse::<u32>().ok()?;
        // `pid (name) state …`; Z is dead and waits for its parent to ask for it.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        (name == "postgres" && !rest.trim_start().starts_with(['Z', 'X'])).then_some(pid)
    }

    /// Takes over the server that still runs, or starts one, and waits until it is ready.
    async fn run(&self) -> anyhow::Result<()> {
        for attempt in 1.. {
            match self.running() {
                Some(pid) => tracing::info!(pid, "taking over the database server that is still running"),
                None => self.launch()?,
            }
            match self.wait_until_ready().await {
                // One that was dying, or whose processes still held the memory that a new one needs.
                Err(fault) if attempt < ATTEMPTS => tracing::warn!(error = %format!("{fault:#}"), "trying again"),
                outcome => return outcome,
            }
        }
        Ok(())
    }

    /// Starts the server again whenever it has died, until `stop` is cancelled.
    pub async fn watch(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(WATCH_EVERY) => {}
                () = stop.cancelled() => return,
            }
            if self.running().is_some() {
                continue;
            }
            tracing::error!("the database server has died; starting it again");
            counter!("slowburn_database_restarts_total").increment(1);
            match self.run().await {
                Ok(()) => tracing::info!("the database server runs again"),
                Err(fault) => tracing::error!(error = %format!("{fault:#}"), "the database server did not start"),
            }
        }
    }

    fn launch(&self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(self.folder.join("postgres.log"))?;
        if let Some(account) = self.account {
            chown(self.folder.join("postgres.log"), Some(account.uid), Some(account.gid))?;
        }
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        // A group of its own: Ctrl-C at the terminal is for us, and we stop the server when we are done with it.
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("postgres could not be started")?;
        *self.child.lock() = Some(child);
        Ok(())
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let mut rounds_without_server = 0;
        let mut outcome = format!("was not ready within {START_SECONDS} s");
        for _ in 0..START_SECONDS * 10 {
            if let Ok(connection) = PgConnection::connect_with(&self.options("postgres")).await {
                connection.close().await?;
                return Ok(());
            }
            // It writes its number first thing; when nobody of that number lives, it has given up. The file of one that was killed
            // stays, so that there is a file says nothing.
            rounds_without_server = if self.running().is_some() { 0 } else { rounds_without_server + 1 };
            if rounds_without_server > 20 {
                "has ended".clone_into(&mut outcome);
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let log = fs::read_to_string(self.folder.join("postgres.log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(5).collect();
        bail!("the database server {outcome}; the end of its log: {}", tail.into_iter().rev().collect::<Vec<_>>().join(" | "))
    }

    async fn create_database(&self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect_with(&self.options("postgres")).await?;
        slowburn_storage::database::create_if_missing(&mut connection, DATABASE).await?;
        connection.close().await?;
        Ok(())
    }

    /// Stops the server; everything committed stays.
    ///
    /// # Errors
    /// It did not stop within a minute.
    pub fn stop(&self) -> anyhow::Result<()> {
        let output = self.command("pg_ctl").args(["stop", "-m", "fast", "-t", "60", "-D"]).arg(self.data()).output()?;
        ensure!(output.status.success(), "the database server did not stop: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }
}

fn account(name: &str) -> anyhow::Result<Account> {
    let users = fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
    let fields: Option<Vec<&str>> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == name);
    let parsed = fields.and_then(|fields| Some(Account { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? }));
    parsed.with_context(|| format!("PostgreSQL does not run as root, and there is no user {name:?} to run it as; install Debian's postgresql package, run slowburn as another user, or set DATABASE_URL"))
}

/// Every parent of the data folder must let the server's account pass; the one in the way is named.
fn check_way(folder: &Path, account: Account) -> anyhow::Result<()> {
    for parent in folder.ancestors().skip(1) {
        let meta = fs::metadata(parent)?;
        let mode = meta.mode();
        let passes = if meta.uid() == account.uid {
            mode & 0o100 != 0
        } else if meta.gid() == account.gid {
            mode & 0o010 != 0
        } else {
            mode & 0o001 != 0
        };
        ensure!(
            passes,
            "data folder {}: the database server runs as user postgres, who cannot pass through {}; choose a folder such as /var/lib/slowburn by --data-dir",
            folder.display(),
            parent.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_folder_depends_on_who_runs_it() {
        let home = Path::new("/people/ada");
        assert_eq!(default_folder(Some(home), None, true), Path::new("/var/lib/slowburn"));
        assert_eq!(default_folder(Some(home), None, false), Path::new("/people/ada/.local/share/slowburn"));
        assert_eq!(default_folder(Some(home), Some(Path::new("/data")), false), Path::new("/data/slowburn"));
    }

    #[test]
    fn the_folder_in_the_way_is_named() {
        let root = std::env::temp_dir().join(format!("slowburn-way-{}", std::process::id()));
        let inner = root.join("closed/data");
        fs::create_dir_all(&inner).expect("folder");
        fs::set_permissions(root.join("closed"), fs::Permissions::from_mode(0o700)).expect("mode");
        let fault = check_way(&inner, Account { uid: 54_321, gid: 54_321 }).expect_err("closed");
        assert!(fault.to_string().contains("closed;"), "{fault}");
        fs::remove_dir_all(root).expect("removed");
    }

    #[tokio::test]
    async fn the_number_of_a_killed_server_is_no_sign_of_life() {
        let folder = std::env::temp_dir().join(format!("slowburn-killed-{}", std::process::id()));
        fs::create_dir_all(folder.join("cluster")).expect("folder");
        let mut killed = Command::new("true").spawn().expect("started");
        killed.wait().expect("ended");
        fs::write(folder.join("cluster/postmaster.pid"), format!("{}\n", killed.id())).expect("written");
        let lock = File::create(folder.join("slowburn.lock")).expect("made");
        let cluster = Cluster { folder: folder.clone(), programs: PathBuf::new(), account: None, child: Mutex::new(None), _lock: lock };
        let fault = cluster.wait_until_ready().await.expect_err("nobody answers");
        assert!(fault.to_string().starts_with("the database server has ended;"), "{fault}");
        fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn missing_programs_are_told_with_the_package() {
        assert!(find_programs("/nowhere", "").expect_err("none").to_string().contains("postgres_bin_dir"));
    }
}
