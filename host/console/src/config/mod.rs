//! The settings. This is the only place that reads them: the rest of the
//! program gets a [`Config`] whose values are already understood.

mod first_database;
mod layers;
mod settings;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use anyhow::{Context as _, bail};
use cofferdam_model::{Connection, Secret, Username};

pub use first_database::parse_url;
pub use layers::{Layers, Origin, refuse_open_file};
pub use settings::SETTINGS;

/// Where the master key is.
#[derive(Debug, Clone)]
pub enum MasterKey {
    /// In the settings themselves.
    Given(Secret),
    /// In a file that somebody named; it must exist.
    File(PathBuf),
    /// In the data folder; made at the first start.
    Own(PathBuf),
}

/// Who may reach the console, and how.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address that browsers use, without a slash at its end.
    pub public_url: Option<String>,
    /// Proxies whose word on the caller's address counts.
    pub trusted_proxies: Vec<IpAddr>,
    /// Certificate chain and key, as PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// A session ends after so long without a request.
    pub session_idle: Duration,
    /// A session ends after so long in any case.
    pub session_whole: Duration,
}

impl Access {
    /// Whether browsers reach the console over HTTPS, so that cookies can be `__Host-` and Secure.
    pub fn https(&self) -> bool {
        self.tls.is_some()
            || self.public_url.as_ref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// What bounds a run.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// How many at once.
    pub concurrent: u32,
    /// No bytes for so long.
    pub stall: Duration,
    /// The whole run.
    pub whole: Option<Duration>,
    /// Bytes that stay free on the disk.
    pub keep_free_bytes: u64,
}

/// What is taken over at the first start, once.
#[derive(Debug, Clone, Default)]
pub struct FirstStart {
    /// The first administrator.
    pub admin: Option<(Username, Secret)>,
    /// The first database.
    pub database: Option<Connection>,
}

/// What the status call repeats.
#[derive(Debug, Clone)]
pub struct Declared {
    /// `BACKUP_ENABLED`.
    pub enabled: bool,
    /// `BACKUP_RETENTION_DAYS`.
    pub retention_days: Option<u32>,
    /// `BACKUP_MAX_COUNT`.
    pub max_backups: Option<u32>,
    /// `BACKUP_INTERVAL_HOURS`.
    pub interval_hours: Option<u32>,
}

/// All settings, understood.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder.
    pub data_dir: PathBuf,
    /// The catalog's file.
    pub catalog: PathBuf,
    /// Where the master key is.
    pub master_key: MasterKey,
    /// Folder of the plugins.
    pub plugin_dir: PathBuf,
    /// Folder of the backups.
    pub backup_dir: PathBuf,
    /// A further folder with PostgreSQL's programs.
    pub postgres_bin_dir: Option<PathBuf>,
    /// Who may reach the console.
    pub access: Access,
    /// What bounds a run.
    pub limits: RunLimits,
    /// How long running answers may take after a request to stop.
    pub shutdown: Duration,
    /// For the first start.
    pub first_start: FirstStart,
    /// For the status call.
    pub declared: Declared,
    /// The log's filter.
    pub log: String,
}

impl Config {
    /// Understands the settings. The first wrong one is named, with what it may be.
    pub fn from_layers(layers: &Layers) -> anyhow::Result<Self> {
        let data_dir = path(layers, "data_dir").unwrap_or_else(|| absolute(Path::new("./data")));
        let within =
            |name: &str, file: &str| path(layers, name).unwrap_or_else(|| data_dir.join(file));
        Ok(Self {
            catalog: catalog(layers, &data_dir)?,
            master_key: master_key(layers, &data_dir),
            plugin_dir: within("plugin_dir", "plugins"),
            backup_dir: within("backup_dir", "backups"),
            postgres_bin_dir: path(layers, "postgres_bin_dir"),
            access: access(layers)?,
            limits: RunLimits {
                concurrent: number(layers, "max_concurrent_backups", 1..=64)?.unwrap_or(2),
                stall: Duration::from_secs(
                    number(layers, "stall_seconds", 1..=86_400)?.unwrap_or(300),
                ),
                whole: number(layers, "job_timeout_minutes", 1..=100_000)?
                    .map(|minutes: u64| Duration::from_secs(minutes * 60)),
                keep_free_bytes: number(layers, "keep_free_mb", 0..=100_000_000)?.unwrap_or(256)
                    << 20,
            },
            shutdown: Duration::from_secs(
                number(layers, "shutdown_seconds", 0..=3600)?.unwrap_or(10),
            ),
            first_start: FirstStart {
                admin: first_admin(layers)?,
                database: first_database::first_database(layers)?,
            },
            declared: Declared {
                enabled: boolean(layers, "enabled")?.unwrap_or(true),
                retention_days: number(layers, "retention_days", 1..=36_500)?,
                max_backups: number(layers, "max_backups", 1..=1_000_000)?,
                interval_hours: number(layers, "interval_hours", 1..=8_784)?,
            },
            log: log(layers)?,
            data_dir,
        })
    }
}

/// A path, from the root: what is stored must mean the same tomorrow, whatever
/// folder the next start happens in.
fn path(layers: &Layers, name: &str) -> Option<PathBuf> {
    layers.get(name).map(|text| absolute(Path::new(text.expose())))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn catalog(layers: &Layers, data_dir: &Path) -> anyhow::Result<PathBuf> {
    let Some(url) = layers.get("catalog_url") else { return Ok(data_dir.join("catalog.db")) };
    match url.expose().strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => {
            Ok(absolute(Path::new(path.strip_prefix("//").unwrap_or(path))))
        }
        _ => bail!(
            "COFFERDAM_CATALOG_URL is not `sqlite:` and a path, the one kind of catalog there is"
        ),
    }
}

fn master_key(layers: &Layers, data_dir: &Path) -> MasterKey {
    if let Some(key) = layers.get("master_key") {
        return MasterKey::Given(key.clone());
    }
    match path(layers, "master_key_file") {
        Some(file) => MasterKey::File(file),
        None => MasterKey::Own(data_dir.join("master.key")),
    }
}

fn access(layers: &Layers) -> anyhow::Result<Access> {
    let port: Option<u16> = number(layers, "port", 0..=65_535)?;
    let listen = match (layers.get("listen"), port) {
        (Some(text), _) => text
            .expose()
            .parse()
            .context("COFFERDAM_LISTEN is not an address with a port, such as 127.0.0.1:8080")?,
        (None, Some(port)) => SocketAddr::from(([0, 0, 0, 0], port)),
        (None, None) => SocketAddr::from(([127, 0, 0, 1], 8080)),
    };
    let public_url = layers.get("public_url").map(|text| public_url(text.expose())).transpose()?;
    let tls = match (path(layers, "tls_certificate"), path(layers, "tls_key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => bail!("tls_certificate and tls_key go together; one of them is missing"),
    };
    let access = Access {
        listen,
        public_url,
        trusted_proxies: trusted_proxies(layers)?,
        tls,
        session_idle: Duration::from_secs(
            60 * number(layers, "session_idle_minutes", 1..=525_600)?.unwrap_or(720),
        ),
        session_whole: Duration::from_secs(
            3600 * number(layers, "session_hours", 1..=8_760)?.unwrap_or(168),
        ),
    };
    // A platform that sets PORT ends HTTPS itself, in front of this process.
    let allowed = boolean(layers, "allow_plain_http")?.unwrap_or(false) || port.is_some();
    if !listen.ip().is_loopback() && !access.https() && !allowed {
        bail!(
            "plain HTTP on {listen} would send passwords in clear over the network\n\
             HINT: set tls_certificate and tls_key, or public_url with https:// behind a proxy, or allow_plain_http"
        );
    }
    Ok(access)
}

fn public_url(text: &str) -> anyhow::Result<String> {
    let text = text.trim_end_matches('/');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        // A path would need every link to carry it; a console has a name of its own.
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(text.to_owned())
        }
        _ => bail!(
            "COFFERDAM_PUBLIC_URL is not http:// or https:// with a host and nothing behind it"
        ),
    }
}

fn trusted_proxies(layers: &Layers) -> anyhow::Result<Vec<IpAddr>> {
    let Some(list) = layers.get("trusted_proxies") else { return Ok(Vec::new()) };
    let items = list.expose().split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            item.parse().with_context(|| format!("the trusted proxy {item:?} is not an IP address"))
        })
        .collect()
}

fn first_admin(layers: &Layers) -> anyhow::Result<Option<(Username, Secret)>> {
    match (layers.get("admin_user"), layers.get("admin_password")) {
        (Some(name), Some(password)) => {
            let name = name.expose().parse().context("COFFERDAM_ADMIN_USER is not a user name")?;
            Ok(Some((name, password.clone())))
        }
        (None, None) => Ok(None),
        _ => bail!(
            "COFFERDAM_ADMIN_USER and COFFERDAM_ADMIN_PASSWORD go together; one of them is missing"
        ),
    }
}

fn log(layers: &Layers) -> anyhow::Result<String> {
    let Some(text) = layers.get("log") else { return Ok("info".to_owned()) };
    match text.expose().trim() {
        level @ ("error" | "warn" | "info" | "debug") => Ok(level.to_owned()),
        _ => bail!("COFFERDAM_LOG is none of error, warn, info, debug"),
    }
}

fn number<T>(
    layers: &Layers,
    name: &str,
    range: std::ops::RangeInclusive<T>,
) -> anyhow::Result<Option<T>>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let Some(text) = layers.get(name) else { return Ok(None) };
    match text.expose().trim().parse() {
        Ok(value) if range.contains(&value) => Ok(Some(value)),
        _ => bail!("{name} is not a whole number from {} to {}", range.start(), range.end()),
    }
}

fn boolean(layers: &Layers, name: &str) -> anyhow::Result<Option<bool>> {
    let Some(text) = layers.get(name) else { return Ok(None) };
    match text.expose().trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(Some(true)),
        "false" | "0" | "no" | "off" => Ok(Some(false)),
        _ => bail!("{name} is neither true nor false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> anyhow::Result<Config> {
        let find = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        Config::from_layers(&Layers::read(None, &find)?)
    }

    #[test]
    fn without_any_setting_the_console_listens_on_loopback() {
        let config = config(&[]).expect("defaults are valid");
        assert_eq!(config.access.listen.to_string(), "127.0.0.1:8080");
        assert!(config.first_start.database.is_none() && config.declared.retention_days.is_none());
    }

    #[test]
    fn plain_http_beyond_loopback_needs_a_word() {
        let open = ("COFFERDAM_LISTEN", "0.0.0.0:80");
        assert!(config(&[open]).is_err());
        assert!(config(&[open, ("COFFERDAM_ALLOW_PLAIN_HTTP", "true")]).is_ok());
        assert!(config(&[open, ("COFFERDAM_PUBLIC_URL", "https://b.example/")]).is_ok());
        assert_eq!(
            config(&[("PORT", "9000")]).expect("PORT").access.listen.to_string(),
            "0.0.0.0:9000"
        );
    }

    #[test]
    fn wrong_values_are_named_and_refused() {
        for (name, value) in [
            ("COFFERDAM_STALL_SECONDS", "0"),
            ("BACKUP_RETENTION_DAYS", "0"),
            ("BACKUP_MAX_COUNT", "-1"),
            ("BACKUP_INTERVAL_HOURS", "99999999999"),
            ("BACKUP_ENABLED", "maybe"),
            ("COFFERDAM_LISTEN", "localhost"),
            ("COFFERDAM_PUBLIC_URL", "https://a/b"),
            ("COFFERDAM_TRUSTED_PROXIES", "10.0.0.1,proxy"),
            ("COFFERDAM_CATALOG_URL", "mysql://x"),
            ("COFFERDAM_ADMIN_USER", "root"),
            ("DATABASE_URL", "mysql://x"),
        ] {
            assert!(config(&[(name, value)]).is_err(), "{name}={value}");
        }
    }
}
