//! A Prometheus of Debian's, and a page of counters for it to scrape.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use slowburn_domain::time::Timestamp;
use slowburn_domain::url::encode_query;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The machine's time, by which Prometheus goes.
#[expect(clippy::disallowed_methods, reason = "another program's clock cannot be moved by hand")]
pub(super) fn machine_now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp::from_nanos(since.as_nanos() as i64)
}

/// A Prometheus with a folder of its own; it ends with this value.
pub(super) struct Prometheus {
    child: Option<Child>,
    folder: PathBuf,
    port: u16,
}

impl Prometheus {
    /// One that knows `history`, in the OpenMetrics format, and scrapes a page, if there is one.
    pub(super) async fn start(test: &str, history: Option<&str>, page: Option<u16>) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
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
    pub(super) async fn run(&mut self) {
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
    pub(super) fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        let _ = Command::new("kill").arg(child.id().to_string()).status();
        child.wait().expect("it ends");
    }

    pub(super) fn is_running(&self) -> bool {
        self.child.is_some()
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The single number that a query gives at an instant.
    pub(super) async fn number(&self, query: &str, at: Timestamp) -> f64 {
        let time = format!("{:.3}", at.millis() as f64 / 1_000.0);
        let answer =
            get(self.port, &format!("/api/v1/query?{}", encode_query([("query", query), ("time", &time)]))).await.expect("an answer");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let json: serde_json::Value = serde_json::from_str(body).expect("JSON");
        json["data"]["result"][0]["value"][1].as_str().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{query}: {body}"))
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

/// Counters as a service shows them, with times of their own: minutes pass as fast as they are scraped.
#[derive(Clone, Default)]
pub(super) struct Page {
    counters: Arc<Mutex<BTreeMap<&'static str, u64>>>,
    text: Arc<Mutex<String>>,
    scrapes: Arc<AtomicU64>,
}

impl Page {
    /// Serves it, and gives the port.
    pub(super) fn serve(&self) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let page = self.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4_096];
                let _ = stream.read(&mut request);
                let text = page.text.lock().clone();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(format!("{head}{text}").as_bytes());
                page.scrapes.fetch_add(1, Ordering::SeqCst);
            }
        });
        port
    }

    /// Raises a counter.
    pub(super) fn raise(&self, counter: &'static str, by: u64) {
        *self.counters.lock().entry(counter).or_default() += by;
    }

    /// Lets every counter begin anew.
    pub(super) fn restart(&self) {
        self.counters.lock().values_mut().for_each(|value| *value = 0);
    }

    /// Shows the counters as they are, as of an instant.
    pub(super) fn show(&self, at: Timestamp) {
        let mut text = String::new();
        for (counter, value) in &*self.counters.lock() {
            let _ = writeln!(text, "{counter} {value} {}", at.millis());
        }
        *self.text.lock() = text;
    }

    /// Waits until what is shown was scraped.
    pub(super) async fn scraped(&self) {
        // One scrape may have read the page before it was changed.
        let enough = self.scrapes.load(Ordering::SeqCst) + 2;
        while self.scrapes.load(Ordering::SeqCst) < enough {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
