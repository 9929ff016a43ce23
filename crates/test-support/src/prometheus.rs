//! A Prometheus of Debian's.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use slowburn_domain::time::Timestamp;
use slowburn_domain::url::encode_query;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The machine's time, by which Prometheus goes.
///
/// # Panics
/// It is before 1970.
pub fn machine_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_nanos(since.as_nanos() as i64)
}

/// A Prometheus with a folder of its own; it ends with this value.
pub struct Prometheus {
    child: Option<Child>,
    folder: PathBuf,
    port: u16,
}

impl Prometheus {
    /// One that keeps its data in `folder`, knows `history`, in the OpenMetrics format, and scrapes `/metrics` at a port of this
    /// machine, if there is one.
    ///
    /// # Panics
    /// It cannot be started.
    pub async fn start(folder: PathBuf, history: Option<&str>, page: Option<u16>) -> Self {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(folder.join("data")).expect("a folder");
        let jobs = page.map_or_else(String::new, |page| {
            format!("scrape_configs: [{{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{page}']}}]}}]\n")
        });
        std::fs::write(folder.join("prometheus.yml"), format!("global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n{jobs}"))
            .expect("written");
        if let Some(history) = history {
            std::fs::write(folder.join("history"), history).expect("written");
            let made = Command::new("promtool")
                .args(["tsdb", "create-blocks-from", "openmetrics", "history", "data"])
                .current_dir(&folder)
                .output()
                .expect("promtool is installed by make test");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("a free port").port();
        let mut prometheus = Self { child: None, folder, port };
        prometheus.run().await;
        prometheus
    }

    /// Starts it on the data that it has.
    ///
    /// # Panics
    /// It cannot be started.
    pub async fn run(&mut self) {
        let child = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=10y"])
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.folder.join("log")).expect("a log"))
            .spawn()
            .expect("prometheus is installed by make test");
        self.child = Some(child);
        for _ in 0..600 {
            if get(self.port, "/-/ready").await.is_some_and(|answer| answer.contains(" 200 ")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{}", std::fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    /// Stops it as its service manager would.
    ///
    /// # Panics
    /// It does not run.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        child.wait().expect("it ends");
    }

    /// Whether it was not stopped.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The single number that a query gives at an instant.
    ///
    /// # Panics
    /// It gives none.
    pub async fn number(&self, query: &str, at: Timestamp) -> f64 {
        self.try_number(query, at).await.unwrap_or_else(|body| panic!("{query}: {body}"))
    }

    /// The same, or what was answered instead.
    ///
    /// # Errors
    /// There is no such number; the answer.
    ///
    /// # Panics
    /// It does not answer.
    pub async fn try_number(&self, query: &str, at: Timestamp) -> Result<f64, String> {
        let time = format!("{:.3}", at.millis() as f64 / 1_000.0);
        let answer =
            get(self.port, &format!("/api/v1/query?{}", encode_query([("query", query), ("time", &time)]))).await.expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let json: serde_json::Value = serde_json::from_str(body).expect("JSON");
        json["data"]["result"][0]["value"][1].as_str().and_then(|number| number.parse().ok()).ok_or_else(|| body.to_owned())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An answer, with its head.
async fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}
