//! Open browsers: connections to `/api/v1/live`, all of which must hear of telemetry that arrives.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::report::{Bound, Report};
use crate::server::{Product, Server};
use crate::spans::{Layout, Workload};
use crate::{machine, otlp, say, send};

const LISTENERS: [usize; 2] = [1_000, 10_000];
/// A news comes within a second of the commit.
const LIMIT: Duration = Duration::from_mins(1);

/// Adds the figures of H10.
pub(crate) async fn measure(product: &Product, folder: &Path, report: &mut Report) -> Result<()> {
    say("starting a server for open browsers");
    let server = Server::start(product, folder, "listeners", false, &[]).await?;
    let mut streams = Vec::new();
    for (round, wanted) in LISTENERS.into_iter().enumerate() {
        say(&format!("{wanted} listeners"));
        while streams.len() < wanted {
            streams.push(listen(server.address()).await.with_context(|| format!("listener {}", streams.len()))?);
        }
        let mut waiting = JoinSet::new();
        for stream in streams.drain(..) {
            waiting.spawn(hears(stream));
        }
        let begun = Instant::now();
        send::send(&server.traces_url(), requests(round as u64), None).await?;
        while let Some(heard) = waiting.join_next().await {
            streams.push(heard??);
        }
        let seconds = begun.elapsed().as_secs_f64();
        let memory = machine::memory_mib(server.pid())?.0;
        let bound = if round == 0 { Bound::AtMost { floor: 512.0, aim: 512.0 } } else { Bound::None };
        report.add("H10", format!("memory of the server with {wanted} live listeners"), memory, "MiB", bound);
        report.add("", format!("telemetry sent until all {wanted} have heard of it"), seconds * 1e3, "ms", Bound::None);
    }
    Ok(())
}

fn requests(seed: u64) -> Vec<otlp::Request> {
    let now = Timestamp::now().as_nanosecond() as u64;
    let workload =
        Workload { seed: 50 + seed, traces: 8, from_ns: now - 3_000_000_000, until_ns: now - 2_000_000_000, layout: Layout::Together };
    otlp::requests(&workload)
}

/// Opens a stream and reads its head.
async fn listen(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(format!("GET /api/v1/live HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\r\n").as_bytes()).await?;
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        ensure!(stream.read_buf(&mut head).await? > 0, "the stream ended");
    }
    ensure!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    Ok(stream)
}

/// Reads until telemetry is told of.
async fn hears(mut stream: TcpStream) -> Result<TcpStream> {
    let read = async {
        let mut text = Vec::new();
        while !text.windows(7).any(|word| word == b"arrived") {
            ensure!(stream.read_buf(&mut text).await? > 0, "the stream ended");
        }
        Ok(())
    };
    tokio::time::timeout(LIMIT, read).await.context("a listener heard nothing")??;
    Ok(stream)
}
