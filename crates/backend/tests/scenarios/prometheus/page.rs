//! A page of counters for a Prometheus to scrape.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use slowburn_domain::time::Timestamp;

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
