//! How a database is reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// How much TLS a PostgreSQL connection asks for, in libpq's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SslMode {
    /// Never.
    Disable,
    /// Where the server offers it.
    #[default]
    Prefer,
    /// Always, whoever the server is.
    Require,
    /// Always, with a certificate from a known authority.
    VerifyCa,
    /// Always, with a certificate for this very host.
    VerifyFull,
}

impl SslMode {
    /// As libpq writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    /// All modes, weakest first.
    pub const ALL: [Self; 5] =
        [Self::Disable, Self::Prefer, Self::Require, Self::VerifyCa, Self::VerifyFull];
}

impl std::str::FromStr for SslMode {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == text).ok_or_else(|| {
            "the TLS mode is one of disable, prefer, require, verify-ca, verify-full".to_owned()
        })
    }
}

/// A PostgreSQL database. Every field is taken literally: a name such as
/// `postgres://…`, `a=b` or `-f` is a name.
#[derive(Debug, Clone)]
pub struct PostgresConnection {
    /// A host name, an address, or the folder of a Unix socket.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
    /// The database's name on the server.
    pub dbname: String,
    /// The role.
    pub user: String,
    /// The role's password, where it has one.
    pub password: Option<Secret>,
    /// How much TLS.
    pub sslmode: SslMode,
    /// A file with the authorities to trust.
    pub sslrootcert: Option<PathBuf>,
}

/// An SQLite database file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteConnection {
    /// The file.
    pub path: PathBuf,
}

/// How to reach a database, with its secret in clear: only the worker and the
/// check hold one, and only while they need it.
#[derive(Debug, Clone)]
pub enum Connection {
    /// Through the installed client programs.
    Postgres(PostgresConnection),
    /// In this process.
    Sqlite(SqliteConnection),
}
