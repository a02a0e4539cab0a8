//! Opening, and the two pools.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::{Arc, Once},
    time::{Duration, Instant},
};

use sqlx::{
    Any, AnyPool, ConnectOptions as _, Connection as _, Executor as _,
    any::{AnyConnectOptions, AnyPoolOptions},
    pool::PoolConnection,
};
use tokio::sync::Mutex;

use crate::{Error, Result, Tx, integrity, migrations};

/// How a catalog is opened.
#[derive(Debug, Clone)]
pub struct CatalogOptions {
    /// For how long a change waits while another process holds the catalog.
    pub busy_limit: Duration,
    /// How many reader connections there are at most.
    pub readers: u32,
}

impl Default for CatalogOptions {
    /// 90 seconds: longer than any other program should hold the catalog.
    fn default() -> Self {
        Self { busy_limit: Duration::from_secs(90), readers: 4 }
    }
}

/// The metadata database. Cloning gives another handle to the same pools.
#[derive(Debug, Clone)]
pub struct Catalog {
    readers: AnyPool,
    pub(crate) writer: AnyPool,
    path: PathBuf,
    busy_limit: Duration,
    /// Who tries to begin a change.
    turn: Arc<Mutex<()>>,
}

/// For how long one attempt waits inside SQLite. Short, so that a stopping
/// process need not wait for it; [`Catalog::begin`] tries again up to its limit.
const BUSY_ONCE: Duration = Duration::from_secs(1);

impl Catalog {
    /// Opens the catalog at a path or a `sqlite:` address, creates it (mode
    /// 0600) where there is none, and brings it to this program's version.
    /// A damaged one is refused ([`Error::Damaged`]) before anything is changed.
    pub async fn open(address: &str) -> Result<Self> {
        Self::open_with(address, CatalogOptions::default()).await
    }

    /// The same with chosen limits.
    pub async fn open_with(address: &str, options: CatalogOptions) -> Result<Self> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);

        let path = file_of(address)?;
        create_private(&path)?;
        let connect: AnyConnectOptions = url_of(&path).parse()?;
        let connect = connect.disable_statement_logging();
        integrity::at_start(&connect, &path).await?;
        migrate(&connect, options.busy_limit).await?;

        let writer = pool(1, options.busy_limit + Duration::from_secs(30), WRITER)
            .connect_with(connect.clone())
            .await?;
        let readers =
            pool(options.readers, options.busy_limit, READER).connect_with(connect).await?;
        Ok(Self { readers, writer, path, busy_limit: options.busy_limit, turn: Arc::default() })
    }

    /// This handle with another limit on how long a change waits.
    #[must_use]
    pub fn with_busy_limit(self, busy_limit: Duration) -> Self {
        Self { busy_limit, ..self }
    }

    /// Begins a write transaction, waiting while another one is under way.
    /// After the limit: [`Error::Busy`].
    pub async fn begin(&self) -> Result<Tx> {
        self.begin_within(self.busy_limit).await
    }

    /// The same with a limit of its own. With zero it is tried once, which
    /// takes a second at most: for changes that may as well be left out.
    pub async fn begin_within(&self, limit: Duration) -> Result<Tx> {
        let started = Instant::now();
        loop {
            // Whoever waits does so here, each by the own clock, and not in
            // the pool's queue behind all others' attempts.
            let left = limit.saturating_sub(started.elapsed());
            let Ok(turn) = tokio::time::timeout(left, self.turn.lock()).await else {
                return Err(Error::Busy);
            };
            match self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(Error::from) {
                Ok(inner) => return Ok(Tx::new(inner)),
                Err(Error::Busy) if started.elapsed() < limit => {
                    drop(turn);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) async fn reader(&self) -> Result<PoolConnection<Any>> {
        Ok(self.readers.acquire().await?)
    }

    /// A quick read that shows that the catalog answers.
    pub async fn health(&self) -> Result<()> {
        let mut conn = self.reader().await?;
        sqlx::query("SELECT count(*) FROM settings").fetch_one(&mut *conn).await?;
        Ok(())
    }

    /// The file, for backing up the catalog itself.
    pub fn backup_path(&self) -> &Path {
        &self.path
    }

    /// Moves the write-ahead log into the file and empties it, as far as readers allow.
    pub async fn checkpoint(&self) -> Result<()> {
        let mut conn = self.writer.acquire().await?;
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        Ok(())
    }

    /// Closes all connections; the last one moves the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Every connection's settings. WAL lets readers go on beside the writer;
/// `synchronous=FULL` makes a commit survive a power loss.
///
/// The page size counts only while the file is empty; this one lets a search
/// through all texts read half as many pages as the default.
const WRITER: &str = "PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; \
     PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cache_size=-8000; PRAGMA journal_size_limit=67108864;";
const READER: &str = "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; \
     PRAGMA cache_size=-8000; PRAGMA query_only=ON;";

fn pool(size: u32, wait: Duration, pragmas: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(size)
        .min_connections(1)
        .acquire_timeout(wait)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        // On a full disk SQLite takes a transaction back by itself, and the
        // driver still counts it: such a connection would refuse all further
        // ones, so it makes room for a new one.
        .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }))
        .after_connect(move |conn, _| {
            Box::pin(async move {
                conn.execute(busy_timeout()).await?;
                conn.execute(pragmas).await?;
                Ok(())
            })
        })
}

const fn busy_timeout() -> &'static str {
    assert!(BUSY_ONCE.as_millis() == 1000);
    "PRAGMA busy_timeout=1000"
}

/// Runs the migrations on a connection of their own, trying again while
/// another process holds the lock.
async fn migrate(connect: &AnyConnectOptions, limit: Duration) -> Result<()> {
    let started = Instant::now();
    loop {
        let done = async {
            let mut conn = connect.connect().await?;
            conn.execute(busy_timeout()).await?;
            conn.execute(WRITER).await?;
            let done = migrations::run(&mut conn).await;
            conn.close().await?;
            done
        };
        match done.await {
            Err(Error::Busy) if started.elapsed() < limit => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            other => return other,
        }
    }
}

/// The file that an address means.
fn file_of(address: &str) -> Result<PathBuf> {
    if address.starts_with("postgres:") || address.starts_with("postgresql:") {
        return Err(Error::Address("this version keeps its catalog in SQLite only".to_owned()));
    }
    let plain = address.strip_prefix("sqlite://").or_else(|| address.strip_prefix("sqlite:"));
    let path = Path::new(plain.unwrap_or(address));
    if path.as_os_str().is_empty() {
        return Err(Error::Address("no file is named".to_owned()));
    }
    std::path::absolute(path).map_err(|error| Error::Address(error.to_string()))
}

/// Creates the file with mode 0600 before SQLite sees it; SQLite gives its
/// write-ahead log the mode of the file.
fn create_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    opened.map(drop).map_err(|error| Error::Address(format!("{}: {error}", path.display())))
}

/// A file as the address that sqlx takes, with every unusual byte encoded so
/// that `?`, `#` and `%` in a folder's name mean themselves.
fn url_of(path: &Path) -> String {
    use std::{fmt::Write as _, os::unix::ffi::OsStrExt as _};
    let mut url = "sqlite://".to_owned();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            // Writing into a `String` does not fail.
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url
}
