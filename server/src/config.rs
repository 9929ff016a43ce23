//! Settings: `slowburn.toml`, then environment `SLOWBURN_*` and `DATABASE_URL`, then flags. Read once at start; every
//! fault is reported together with the others. The only place that reads the environment.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use serde::{Deserialize, Serialize};
use slowburn_backend::ingest::SamplingRule;
use slowburn_backend::settings::Settings;
use slowburn_domain::time::parse_duration;

/// The file looked for in the working directory.
pub const FILE: &str = "slowburn.toml";

/// A value that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// All settings, as written in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where pages, API and OTLP/HTTP are served.
    pub addr: String,
    /// OTLP/HTTP's own port.
    pub otlp_http_addr: String,
    /// OTLP/gRPC's port.
    pub otlp_grpc_addr: String,
    /// Listen beyond loopback although nobody has to sign in.
    pub allow_unauthenticated_access: bool,
    /// Host names by which browsers may reach this server, beside loopback's.
    pub hosts: Vec<String>,
    /// Folder of the own PostgreSQL cluster; empty: `/var/lib/slowburn` as root, the XDG data folder otherwise.
    pub data_dir: String,
    /// Folder of PostgreSQL's server programs; empty: looked for.
    pub postgres_bin_dir: String,
    /// Database to use instead of an own cluster.
    #[serde(skip_serializing)]
    pub database_url: Secret,
    /// Connections to the database.
    pub database_connections: u32,
    /// Folder of OpenSLO files that are applied at start; empty: none.
    pub slo_dir: String,
    /// How long raw records stay.
    pub retention: String,
    /// Buckets that telemetry is spread over.
    pub buckets: u16,
    /// Most bytes of one request after decompression.
    pub request_bytes: usize,
    /// Most decompressed bytes in flight.
    pub in_flight_bytes: usize,
    /// Attributes that carry a correlation ID, most trusted first.
    pub correlation_attributes: Vec<String>,
    /// Words in attribute keys whose values are replaced before anything is stored.
    pub redacted_keys: Vec<String>,
    /// Whether e-mail addresses in values are replaced too.
    pub redact_emails: bool,
    /// Most series of one metric of one service that are active at the same time.
    pub series_per_metric: usize,
    /// Most series of all metrics that are active at the same time.
    pub series: usize,
    /// Whether what is stored of spans is a sample. SLOs and rates count all of them.
    pub sampling: bool,
    /// The rules of sampling, the first that a trace meets counts: a share, and `sse`, `ndjson`, a condition or nothing.
    pub sampling_rules: Vec<String>,
    /// Threads that decode and encode telemetry.
    pub codec_threads: usize,
    /// Log lines as `ecs` (JSON) or `text`.
    pub log_format: String,
    /// What is logged, for example `info` or `slowburn=debug`.
    pub log: String,
    /// Folder of the browser's files; empty: looked for beside the binary and in the working directory.
    pub site_dir: String,
}

impl Default for Config {
    fn default() -> Self {
        let settings = Settings::default();
        Self {
            addr: "127.0.0.1:3000".to_owned(),
            otlp_http_addr: "127.0.0.1:4318".to_owned(),
            otlp_grpc_addr: "127.0.0.1:4317".to_owned(),
            allow_unauthenticated_access: false,
            hosts: Vec::new(),
            data_dir: String::new(),
            postgres_bin_dir: String::new(),
            database_url: Secret::default(),
            database_connections: 16,
            slo_dir: String::new(),
            retention: "6h".to_owned(),
            buckets: settings.buckets,
            request_bytes: settings.request_bytes,
            in_flight_bytes: settings.in_flight_bytes,
            correlation_attributes: settings.correlation_attributes,
            redacted_keys: settings.redacted_keys,
            redact_emails: settings.redact_emails,
            series_per_metric: settings.series_per_metric,
            series: settings.series,
            sampling: false,
            sampling_rules: SamplingRule::DEFAULTS.map(str::to_owned).to_vec(),
            codec_threads: settings.codec_threads,
            log_format: "ecs".to_owned(),
            log: "info".to_owned(),
            site_dir: String::new(),
        }
    }
}

/// Settings that make sense.
#[derive(Clone, Debug)]
pub struct Checked {
    /// As written.
    pub config: Config,
    /// Pages, API and OTLP/HTTP.
    pub addr: SocketAddr,
    /// OTLP/HTTP.
    pub otlp_http_addr: SocketAddr,
    /// OTLP/gRPC.
    pub otlp_grpc_addr: SocketAddr,
    /// For the use cases.
    pub settings: Settings,
}

/// What flags say.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--addr`.
    pub addr: Option<String>,
    /// `--config`.
    pub file: Option<PathBuf>,
}

/// Reads settings from all sources.
///
/// # Errors
/// A file that is no TOML, or unknown or mistyped settings.
pub fn read(overrides: &Overrides) -> anyhow::Result<Config> {
    let file = overrides.file.clone().unwrap_or_else(|| PathBuf::from(FILE));
    if overrides.file.is_some() {
        anyhow::ensure!(file.is_file(), "there is no settings file {}", file.display());
    }
    let mut config: Config = Figment::from(Serialized::defaults(Config::default()))
        .merge(Toml::file(file))
        .merge(Env::raw().only(&["DATABASE_URL"]).map(|_| "database_url".into()))
        .merge(Env::prefixed("SLOWBURN_").filter(|name| !is_of_kubernetes(name.as_str())))
        .extract()
        .context("settings")?;
    if let Some(data_dir) = &overrides.data_dir {
        config.data_dir = data_dir.display().to_string();
    }
    if let Some(addr) = &overrides.addr {
        config.addr.clone_from(addr);
    }
    Ok(config)
}

/// Kubernetes tells every container where a service named `slowburn` is: `SLOWBURN_SERVICE_HOST`, `SLOWBURN_PORT`,
/// `SLOWBURN_PORT_3000_TCP` and more. They are no settings, and unknown settings are refused.
fn is_of_kubernetes(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "port" || name.starts_with("port_") || name.starts_with("service_")
}

impl Config {
    /// Checks everything.
    ///
    /// # Errors
    /// Every fault, as `setting: reason`.
    pub fn check(self) -> Result<Checked, Vec<String>> {
        let mut faults = Vec::new();
        let mut address = |name: &str, text: &str| match SocketAddr::from_str(text) {
            Ok(addr) => {
                if !addr.ip().is_loopback() && !self.allow_unauthenticated_access {
                    faults.push(format!(
                        "{name}: {addr} is reachable from other machines and nobody has to sign in; use a loopback address, or set allow_unauthenticated_access = true if the network keeps strangers out"
                    ));
                }
                addr
            }
            Err(_) => {
                faults.push(format!("{name}: expected an address and a port like 127.0.0.1:3000, got {text:?}"));
                SocketAddr::from(([127, 0, 0, 1], 0))
            }
        };
        let addr = address("addr", &self.addr);
        let otlp_http_addr = address("otlp_http_addr", &self.otlp_http_addr);
        let otlp_grpc_addr = address("otlp_grpc_addr", &self.otlp_grpc_addr);
        let retention_minutes = match parse_duration(&self.retention).map(|seconds| seconds / 60) {
            Ok(minutes @ 10..=525_600) => u32::try_from(minutes).unwrap_or(525_600),
            Ok(_) => {
                faults.push("retention: must lie between 10m and 365d".to_owned());
                360
            }
            Err(fault) => {
                faults.push(format!("retention: {fault}"));
                360
            }
        };
        let mut within = |name: &str, value: usize, least: usize, most: usize| {
            if !(least..=most).contains(&value) {
                faults.push(format!("{name}: must lie between {least} and {most}, got {value}"));
            }
        };
        within("buckets", self.buckets.into(), 1, 256);
        within("database_connections", self.database_connections as usize, 4, 500);
        within("request_bytes", self.request_bytes, 1 << 16, 1 << 30);
        within("series_per_metric", self.series_per_metric, 1, 10_000_000);
        within("series", self.series, self.series_per_metric, 10_000_000);
        within("in_flight_bytes", self.in_flight_bytes, self.request_bytes, 1 << 34);
        within("codec_threads", self.codec_threads, 1, 256);
        if !["ecs", "text"].contains(&self.log_format.as_str()) {
            faults.push(format!("log_format: expected ecs or text, got {:?}", self.log_format));
        }
        if self.correlation_attributes.is_empty() {
            faults.push("correlation_attributes: at least one is needed".to_owned());
        }
        let mut sampling = Vec::new();
        for (index, rule) in self.sampling_rules.iter().enumerate() {
            match SamplingRule::from_str(rule) {
                Ok(rule) => sampling.push(rule),
                Err(fault) => faults.push(format!("sampling_rules[{index}]: {fault}")),
            }
        }
        if self.sampling && sampling.is_empty() {
            faults.push("sampling_rules: at least one is needed while sampling = true".to_owned());
        }
        let url = self.database_url.expose();
        let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
        // The text itself may hold a password and stays out of the message.
        let can_be_read = is_postgres && sqlx::postgres::PgConnectOptions::from_str(url).is_ok();
        if !url.is_empty() && !can_be_read {
            faults.push("database_url: expected postgres://user:password@host:port/database".to_owned());
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let settings = Settings {
            buckets: self.buckets,
            retention_minutes,
            request_bytes: self.request_bytes,
            in_flight_bytes: self.in_flight_bytes,
            correlation_attributes: self.correlation_attributes.clone(),
            redacted_keys: self.redacted_keys.clone(),
            redact_emails: self.redact_emails,
            series_per_metric: self.series_per_metric,
            series: self.series,
            sampling: if self.sampling { sampling } else { Vec::new() },
            codec_threads: self.codec_threads,
            ..Settings::default()
        };
        Ok(Checked { addr, otlp_http_addr, otlp_grpc_addr, settings, config: self })
    }
}

impl Checked {
    /// Folder of the own PostgreSQL cluster.
    pub fn data_folder(&self) -> PathBuf {
        if !self.config.data_dir.is_empty() {
            return PathBuf::from(&self.config.data_dir);
        }
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let (home, xdg) = (variable("HOME"), variable("XDG_DATA_HOME"));
        crate::postgres::default_folder(home.as_deref(), xdg.as_deref(), crate::postgres::is_root())
    }
}

/// `PATH`, for finding PostgreSQL's programs.
pub fn search_path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

/// Every setting with its default, as TOML.
pub fn defaults() -> String {
    let defaults = serde_json::to_value(Config::default()).expect("settings are plain data");
    let mut lines = vec!["# Every setting with its default. DATABASE_URL is read from the environment.".to_owned()];
    if let serde_json::Value::Object(fields) = defaults {
        // TOML writes these values as JSON does.
        lines.extend(fields.into_iter().map(|(name, value)| format!("{name} = {value}")));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_sound_and_written_as_toml_that_gives_them_back() {
        let checked = Config::default().check().expect("sound");
        assert_eq!((checked.addr.port(), checked.otlp_http_addr.port(), checked.otlp_grpc_addr.port()), (3000, 4318, 4317));
        assert_eq!((checked.settings.retention_minutes, checked.settings.buckets), (360, 2));
        let read: Config = Figment::from(Toml::string(&defaults())).extract().expect("TOML of ours");
        assert_eq!(serde_json::to_value(read).expect("data"), serde_json::to_value(Config::default()).expect("data"));
    }

    #[test]
    fn all_faults_are_reported_together_and_by_name() {
        let config = Config {
            addr: "localhost".to_owned(),
            otlp_http_addr: "0.0.0.0:4318".to_owned(),
            otlp_grpc_addr: "127.0.0.1:99999".to_owned(),
            database_url: Secret("mysql://ada:secret@host/db".to_owned()),
            database_connections: 1,
            retention: "5m".to_owned(),
            buckets: 0,
            request_bytes: 1,
            in_flight_bytes: 0,
            correlation_attributes: Vec::new(),
            sampling: true,
            sampling_rules: vec!["1/10".to_owned(), "half of them".to_owned()],
            codec_threads: 0,
            log_format: "xml".to_owned(),
            ..Config::default()
        };
        let faults = config.check().expect_err("nothing in it is sound");
        let named: Vec<&str> = faults.iter().filter_map(|fault| fault.split(':').next()).collect();
        let expected = [
            "addr",
            "otlp_http_addr",
            "otlp_grpc_addr",
            "retention",
            "buckets",
            "database_connections",
            "request_bytes",
            "in_flight_bytes",
            "codec_threads",
            "log_format",
            "correlation_attributes",
            "sampling_rules[1]",
            "database_url",
        ];
        assert_eq!(named, expected);
        assert!(faults.iter().all(|fault| !fault.contains("secret")), "{faults:?}");
    }

    #[test]
    fn beyond_loopback_it_listens_only_when_told_so_in_so_many_words() {
        for (addr, allowed, sound) in [
            ("127.0.0.1:3000", false, true),
            ("127.0.0.9:0", false, true),
            ("[::1]:3000", false, true),
            ("0.0.0.0:3000", false, false),
            ("[::]:3000", false, false),
            ("192.168.0.7:3000", false, false),
            ("0.0.0.0:3000", true, true),
        ] {
            let config = Config { addr: addr.to_owned(), allow_unauthenticated_access: allowed, ..Config::default() };
            assert_eq!(config.check().is_ok(), sound, "{addr}");
        }
    }

    #[test]
    fn retention_lies_between_ten_minutes_and_a_year() {
        for (text, minutes) in
            [("10m", Some(10)), ("6h", Some(360)), ("365d", Some(525_600)), ("599s", None), ("366d", None), ("", None), ("1M", None)]
        {
            let checked = Config { retention: text.to_owned(), ..Config::default() }.check();
            assert_eq!(checked.ok().map(|checked| checked.settings.retention_minutes), minutes, "{text:?}");
        }
    }

    #[test]
    fn secrets_are_neither_printed_nor_written() {
        let config = Config { database_url: Secret("postgres://ada:hunter2@host/db".to_owned()), ..Config::default() };
        assert!(!format!("{config:?}").contains("hunter2"));
        assert!(!serde_json::to_string(&config).expect("data").contains("hunter2"));
        assert!(config.check().is_ok());
    }
}
