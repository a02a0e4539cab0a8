//! A console, its PostgreSQL, and the network between them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cofferdam_tests::{Api, Console, TestCluster, console::Builder, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    link::Link,
    look::{tools, tools_named},
};

/// What anything may take on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// A dump is held here: well behind what the questions before it take, and
/// well before the end of [`World::fill`]'s table.
const MIDDLE: u64 = 4 << 20;

/// A console with one database, `shop`, of about 12 MB.
pub struct World {
    // Dropped in this order.
    /// The console.
    pub console: Console,
    /// Signed in as the administrator.
    pub api: Api,
    /// The folder of the backups.
    pub folder: PathBuf,
    /// The network.
    pub link: Link,
    /// The server.
    pub cluster: TestCluster,
}

impl World {
    /// As an operator would have it.
    #[track_caller]
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With other settings.
    #[track_caller]
    pub fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let cluster = TestCluster::start();
        fill(&cluster, "shop", 60_000);
        let link = Link::to(cluster.port());
        let console = change(builder(&cluster, &link)).start();
        let api = console.api();
        let status = api.get("/api/v1/status").expect(200).json();
        let folder = PathBuf::from(status["backup_directory"].as_str().expect("a folder"));
        Self { console, api, folder, link, cluster }
    }

    /// Asks for a backup.
    #[track_caller]
    pub fn begin(&self) -> String {
        self.begin_of("shop")
    }

    /// Asks for a backup of another database.
    #[track_caller]
    pub fn begin_of(&self, database: &str) -> String {
        let wish = json!({ "database": database });
        let backup = self.api.post("/api/v1/backups", &wish).expect(202).json();
        backup["id"].as_str().expect("an id").to_owned()
    }

    /// Asks for a backup and returns when its dump stands still in its
    /// middle, with bytes in the file, and will until [`Link::release`].
    #[track_caller]
    pub fn begin_and_hold(&self) -> String {
        self.link.hold_after(MIDDLE);
        let id = self.begin();
        wait_until("bytes in the file", PATIENCE, || {
            let state = self.state(&id);
            assert!(is_open(&state), "too late to hold it: {state}");
            (state["progress"]["written_bytes"].as_u64()? > 0).then_some(())
        });
        id
    }

    /// A backup's state.
    #[track_caller]
    pub fn state(&self, id: &str) -> Value {
        self.api.get(&format!("/api/v1/backups/{id}/status")).expect(200).json()
    }

    /// A backup's record.
    #[track_caller]
    pub fn backup(&self, id: &str) -> Value {
        self.api.get(&format!("/api/v1/backups/{id}")).expect(200).json()
    }

    /// Waits for a backup's end.
    #[track_caller]
    pub fn end_of(&self, id: &str) -> Value {
        wait_until("the backup's end", PATIENCE, || {
            (!is_open(&self.state(id))).then(|| self.backup(id))
        })
    }

    /// Waits for a backup's end, which must be this failure.
    #[track_caller]
    pub fn failure_of(&self, id: &str, kind: &str) -> Value {
        let backup = self.end_of(id);
        assert_eq!(backup["status"], "failed", "{backup}");
        assert_eq!(backup["error"]["kind"], kind, "{backup}");
        backup
    }

    /// All records.
    #[track_caller]
    pub fn backups(&self) -> Vec<Value> {
        let page = self.api.get("/api/v1/backups?limit=200").expect(200).json();
        page["backups"].as_array().expect("a list").clone()
    }

    /// The programs that were started to reach the database, by identifier.
    pub fn dump_tools(&self) -> Vec<Pid> {
        tools(&format!("port='{}'", self.link.port()))
    }

    /// The `pg_dump` that runs.
    #[track_caller]
    pub fn signal_dump(&self, signal: Signal) {
        let pids = tools_named("pg_dump", &format!("port='{}'", self.link.port()));
        assert_eq!(pids.len(), 1, "one pg_dump");
        kill_process(pids[0], signal).expect("it takes signals");
    }

    /// The console's sessions on the server.
    #[track_caller]
    pub fn sessions(&self) -> String {
        self.cluster.psql(
            "postgres",
            "SELECT application_name, state, query FROM pg_stat_activity \
             WHERE application_name LIKE 'cofferdam%'",
        )
    }

    /// Makes a backup, which must be whole.
    #[track_caller]
    pub fn back_up(&self) -> Value {
        let backup = self.end_of(&self.begin());
        assert_eq!(backup["status"], "completed", "{backup}");
        backup
    }
}

/// A console whose database is behind the link.
pub fn builder(cluster: &TestCluster, link: &Link) -> Builder {
    Console::builder()
        .database(cluster, "shop")
        .env("POSTGRES_PORT", link.port().to_string())
        .env("COFFERDAM_KEEP_FREE_MB", "1")
        .env("COFFERDAM_STALL_SECONDS", "120")
}

/// A database with a table of about 200 bytes a row.
pub fn fill(cluster: &TestCluster, name: &str, rows: u32) {
    cluster.create_db(name);
    cluster.psql(
        name,
        &format!(
            "CREATE TABLE orders AS SELECT i, md5(i::text) || md5((i * 7)::text) || repeat('x', 128) \
             AS note FROM generate_series(1, {rows}) i"
        ),
    );
}

/// Whether a backup waits or runs.
pub fn is_open(state: &Value) -> bool {
    state["status"] == "pending" || state["status"] == "running"
}

/// The names in a folder.
pub fn files(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry"));
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
