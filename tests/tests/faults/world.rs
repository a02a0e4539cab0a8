//! A console, its PostgreSQL, and the network between them; and the look at
//! everything that may be left behind.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use cofferdam_tests::{Api, Console, TestCluster, console::Builder, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::link::Link;

/// What anything may take on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);
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

    /// Holds that nothing is left of what went wrong, that records and files
    /// say the same, that every completed backup is what it says, that the
    /// password is nowhere, and that the next backup works.
    #[track_caller]
    pub fn assert_whole(&self) {
        self.link.release();
        self.assert_quiet();
        self.assert_in_step();
        self.back_up();
        self.assert_quiet();
        self.assert_in_step();
        self.assert_no_secret();
    }

    /// Holds that no process, and no session on the server, is left.
    #[track_caller]
    pub fn assert_quiet(&self) {
        wait_until("the end of all tools", PATIENCE, || {
            self.dump_tools().is_empty().then_some(())
        });
        wait_until("the end of all sessions", PATIENCE, || {
            self.sessions().is_empty().then_some(())
        });
        wait_until("the end of the console's children", PATIENCE, || {
            children(self.console.pid()).is_empty().then_some(())
        });
    }

    /// Holds that the folder has the files of the completed backups and
    /// nothing else, and that each is whole.
    #[track_caller]
    pub fn assert_in_step(&self) {
        let mut expected = BTreeSet::from([".cofferdam-folder".to_owned()]);
        for backup in self.backups() {
            assert!(!is_open(&backup), "{backup}");
            if backup["status"] != "completed" {
                assert!(backup["filename"].is_null(), "{backup}");
                continue;
            }
            assert_eq!(backup["file"], "present", "{backup}");
            let name = backup["filename"].as_str().expect("a name");
            assert_verified(&self.folder.join(name), &backup);
            expected.extend([name.to_owned(), format!("{name}.json")]);
        }
        assert_eq!(files(&self.folder), expected);
    }

    /// Holds that the database's password is in no file and no process.
    #[track_caller]
    pub fn assert_no_secret(&self) {
        let secret = self.cluster.password();
        let found = Command::new("grep")
            .args(["-rlaF", "--", secret])
            .arg(self.console.folder())
            .output()
            .expect("grep runs");
        assert_eq!(String::from_utf8_lossy(&found.stdout), "", "files with the password");
        assert!(tools(secret).is_empty(), "a process with the password on its command line");
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

/// Holds that a file is what its record and its sidecar say, by other
/// programs' judgement.
#[track_caller]
pub fn assert_verified(file: &Path, record: &Value) {
    let size = fs::metadata(file).map(|facts| facts.len()).ok();
    assert_eq!(size, record["size_bytes"].as_u64(), "{record}");
    let script = "set -eo pipefail; sha256sum < \"$0\" | cut -c-64; \
                  gzip -dc < \"$0\" | grep -aA3 '^-- PostgreSQL database dump complete' | head -c 100";
    let told = Command::new("bash").args(["-c", script]).arg(file).output().expect("bash runs");
    assert!(told.status.success(), "{record}: {}", String::from_utf8_lossy(&told.stderr));
    let sum = String::from_utf8_lossy(&told.stdout[..64]).into_owned();
    assert_eq!(Some(sum.as_str()), record["sha256"].as_str());
    let sidecar = fs::read(format!("{}.json", file.display())).expect("a sidecar");
    let sidecar: Value = serde_json::from_slice(&sidecar).expect("JSON");
    for field in ["id", "sha256", "size_bytes", "raw_bytes", "filename", "database", "created_by"] {
        assert_eq!(sidecar[field], record[field], "{field}: {record}");
    }
}

/// Processes of PostgreSQL's clients whose command line has this text.
fn tools(text: &str) -> Vec<Pid> {
    ["pg_dump", "psql", "pg_restore"].iter().flat_map(|name| tools_named(name, text)).collect()
}

fn tools_named(name: &str, text: &str) -> Vec<Pid> {
    let has = |pid: &Pid| {
        let read = |file| fs::read(format!("/proc/{}/{file}", pid.as_raw_nonzero()));
        let command = read("cmdline").unwrap_or_default();
        read("comm").is_ok_and(|comm| comm.trim_ascii_end() == name.as_bytes())
            && String::from_utf8_lossy(&command).contains(text)
    };
    processes().into_iter().filter(has).collect()
}

/// The processes that one has started and not reaped.
pub fn children(parent: u32) -> Vec<String> {
    let stat = |pid: Pid| fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok();
    let stats = processes().into_iter().filter_map(stat);
    let of = |stat: &String| stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok();
    stats.filter(|stat| of(stat) == Some(parent)).collect()
}

fn processes() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Pid::from_raw).collect()
}
