//! The settings. This is the only place that reads them: the rest of the
//! program gets a [`Config`] whose values are already understood.

mod file;
mod first_database;
mod layers;
mod mail;
mod nearest;
mod settings;
mod understand;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use cofferdam_model::{Connection, Secret, Username};
use cofferdam_runtime::Limits;
use rustls::pki_types::CertificateDer;

pub use first_database::{from_here, parse_url};
pub use layers::{Layers, Origin, environment, refuse_open_file};
pub use settings::SETTINGS;
pub use understand::WrongSettings;

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

/// How the connection to the mail relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    /// Not at all; for a relay on this machine.
    None,
    /// It begins in clear and turns to TLS, or ends.
    Starttls,
    /// From the first byte.
    Tls,
}

/// The SMTP relay for mail.
#[derive(Debug, Clone)]
pub struct Relay {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// Name and password, where it wants them.
    pub login: Option<(String, Secret)>,
    /// The sender of every mail.
    pub from: String,
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
    /// Files with keys and passwords in them, wherever they are.
    pub secret_files: Vec<PathBuf>,
    /// Folder of the plugins.
    pub plugin_dir: PathBuf,
    /// Certificate authorities that plugins trust beside the system's.
    pub plugin_authorities: Vec<CertificateDer<'static>>,
    /// Compiling one component may take so long.
    pub plugin_compile: Duration,
    /// What one call into a plugin may use.
    pub plugin_limits: Limits,
    /// The relay for mail.
    pub mail: Option<Relay>,
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
    /// What is most likely a slip, for whoever starts the console.
    pub warnings: Vec<String>,
}
