//! `slowburn serve`: everything in its order.
//!
//! Start: settings, logs and metrics, the database (own cluster or `DATABASE_URL`), migrations, use cases and jobs, SLO
//! files, doors, demo. End, on SIGTERM or Ctrl-C: the doors take no more and finish what they have (30 s at most), the
//! lanes write what waits, jobs stop, leases are given up, the pool closes, and the own cluster is stopped last. What was
//! acknowledged is in the database at every moment of it.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use slowburn_app::Answers;
use slowburn_backend::clock::Clock;
use slowburn_backend::{Backend, jobs};
use slowburn_storage::database;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Checked;
use crate::demo::{self, DemoConfig};
use crate::doors::guard::Hosts;
use crate::doors::listen::{self, Patience};
use crate::doors::router::{self, Doors};
use crate::doors::sharing::ApiTurns;
use crate::doors::site::Site;
use crate::postgres::{self, Cluster};
use crate::telemetry;

/// Longest time that open requests get to finish.
const DRAIN: Duration = Duration::from_secs(30);
/// How much of the past the demo sends on its first start.
const DEMO_HISTORY: Duration = Duration::from_hours(6);
const DEMO_SEED: u64 = 7;

/// The database to use: as set, or a cluster of our own.
///
/// # Errors
/// The address is none, or the cluster does not start.
pub async fn database(checked: &Checked) -> anyhow::Result<(PgConnectOptions, Option<Cluster>)> {
    let url = checked.config.database_url.expose();
    if !url.is_empty() {
        return Ok((PgConnectOptions::from_str(url).map_err(|_| anyhow::anyhow!("DATABASE_URL cannot be read"))?, None));
    }
    let folder = checked.data_folder();
    let programs = postgres::find_programs(&checked.config.postgres_bin_dir, &crate::config::search_path())?;
    let cluster = Cluster::start(&folder, programs).await?;
    Ok((cluster.connect_options(), Some(cluster)))
}

/// Serves until told to stop.
///
/// # Errors
/// Something did not start; what had started is stopped again.
pub async fn serve(checked: Checked, with_demo: bool) -> anyhow::Result<()> {
    telemetry::start_logging(&checked.config.log_format, &checked.config.log)?;
    let metrics = telemetry::start_metrics()?;
    let (options, cluster) = database(&checked).await?;
    let Some(cluster) = cluster else {
        let outcome = run(&checked, with_demo, options, metrics).await;
        tracing::info!("stopped");
        return outcome;
    };
    let ended = CancellationToken::new();
    let cluster = Arc::new(cluster);
    let watch = {
        let (cluster, ended) = (Arc::clone(&cluster), ended.clone());
        tokio::spawn(async move { cluster.watch(ended).await })
    };
    let outcome = run(&checked, with_demo, options, metrics).await;
    ended.cancel();
    watch.await?;
    tokio::task::spawn_blocking(move || cluster.stop()).await??;
    tracing::info!("stopped");
    outcome
}

async fn run(
    checked: &Checked,
    with_demo: bool,
    options: PgConnectOptions,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
) -> anyhow::Result<()> {
    database::migrate(&options).await.context("the database could not be brought up to date")?;
    let site = Site::find(&checked.config.site_dir)?;
    // Pages are rendered on this runtime. A second call, from a test in the same process, is refused and harmless.
    let _ = any_spawner::Executor::init_tokio();
    let pool = database::pool(options, checked.config.database_connections);
    let stop = CancellationToken::new();
    let closing = CancellationToken::new();
    let otlp_http = format!("http://{}", checked.otlp_http_addr);
    let backend = Backend::start(pool, checked.settings.clone(), Clock::new(telemetry::now), otlp_http.clone(), stop.clone()).await?;
    backend.keep_slots().await?;
    let jobs = jobs::start(&backend);
    if !checked.config.slo_dir.is_empty() {
        apply_folder(&backend, Path::new(&checked.config.slo_dir)).await?;
    }
    let all_loopback = [checked.addr, checked.otlp_http_addr, checked.otlp_grpc_addr].iter().all(|addr| addr.ip().is_loopback());
    let hosts = if all_loopback { Hosts::new(&checked.config.hosts) } else { Hosts::new(&any_host(&checked.config.hosts)) };
    let patience = Patience::default();
    let (answers, api_turns) = (Answers::default(), ApiTurns::default());
    let doors = Doors { backend: backend.clone(), site, answers, api_turns, hosts, patience, metrics, closing: closing.clone() };
    let listeners = [
        (listen("addr", checked.addr).await?, router::main(doors.clone())),
        (listen("otlp_http_addr", checked.otlp_http_addr).await?, router::otlp_http(doors.clone())),
        (listen("otlp_grpc_addr", checked.otlp_grpc_addr).await?, router::otlp_grpc(doors)),
    ];
    let mut servers = tokio::task::JoinSet::new();
    for (listener, router) in listeners {
        servers.spawn(listen::serve(listener, router, patience, closing.clone()));
    }
    tracing::info!(addr = %checked.addr, otlp.http = %checked.otlp_http_addr, otlp.grpc = %checked.otlp_grpc_addr, "serving on http://{}", checked.addr);
    let demo_stop = CancellationToken::new();
    let demo = if with_demo { Some(start_demo(&backend, otlp_http, demo_stop.clone()).await?) } else { None };
    tokio::select! {
        () = told_to_stop()? => tracing::info!("stopping"),
        ended = servers.join_next() => tracing::error!(?ended, "a door closed by itself"),
    }
    demo_stop.cancel();
    if let Some(demo) = demo {
        // It sends through our own door, so the door is still open.
        let _ = tokio::time::timeout(Duration::from_secs(5), demo).await;
    }
    closing.cancel();
    let drained = async { while servers.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("some requests did not finish and are cut off; they were not acknowledged");
        servers.shutdown().await;
    }
    stop.cancel();
    jobs.wait().await;
    backend.close().await;
    Ok(())
}

/// Beyond loopback, and told in so many words that the network keeps strangers out, every host name is ours unless some
/// are named.
fn any_host(configured: &[String]) -> Vec<String> {
    if configured.is_empty() { vec!["*".to_owned()] } else { configured.to_vec() }
}

async fn listen(name: &str, addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("{name}: cannot listen on {addr}; is something else using the port?"))
}

fn told_to_stop() -> anyhow::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Applies every YAML file of a folder. Documents may refer to those of other files: a file with faults is tried again as long
/// as another one could be applied meanwhile.
async fn apply_folder(backend: &Backend, folder: &Path) -> anyhow::Result<()> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| format!("slo_dir {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
        .collect();
    files.sort();
    loop {
        let mut refused = Vec::new();
        let tried = files.len();
        for file in files {
            let yaml = std::fs::read_to_string(&file)?;
            match backend.apply_slos(&yaml, false).await {
                Ok(_) => {}
                Err(slowburn_backend::Error::Invalid(faults)) => refused.push((file, faults)),
                Err(fault) => return Err(fault.into()),
            }
        }
        if refused.len() == tried || refused.is_empty() {
            // One bad file must not keep the server from starting with the SLOs it has.
            for (file, fault) in refused.iter().flat_map(|(file, faults)| faults.iter().map(move |fault| (file, fault))) {
                tracing::error!(file.path = %file.display(), field = fault.field, reason = fault.reason, "slo file not applied");
            }
            return Ok(());
        }
        files = refused.into_iter().map(|(file, _)| file).collect();
    }
}

async fn start_demo(backend: &Backend, otlp_http: String, stop: CancellationToken) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    backend.apply_slos(demo::SLOS, false).await.context("the demo's SLOs")?;
    let history = if backend.has_telemetry().await? { None } else { Some(DEMO_HISTORY) };
    let config = DemoConfig { otlp_http, history, now: SystemTime::now, seed: DEMO_SEED };
    Ok(tokio::spawn(async move {
        if let Err(fault) = demo::run(config, stop).await {
            tracing::error!(error = %fault, "the demo ended");
        }
    }))
}
