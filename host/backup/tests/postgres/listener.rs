//! An observer that remembers, and the parts that every test needs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};

use chrono::Utc;
use cofferdam_artifact::{Folder, follow::Live};
use cofferdam_backup::{Clients, Control, Limits, Observer, Run, run};
use cofferdam_model::{
    BackupId, BackupOptions, Connection, DatabaseId, Failure, Format, LogLine, Progress, Sidecar,
    Trigger,
};
use tempfile::TempDir;

/// Remembers everything that a run tells.
#[derive(Default)]
pub(crate) struct Listener {
    pub(crate) progress: Mutex<Vec<Progress>>,
    lines: Mutex<Vec<LogLine>>,
    live: OnceLock<Live>,
    pub(crate) refusal: Mutex<Option<Failure>>,
}

impl Observer for Listener {
    fn progress(&self, progress: &Progress) {
        self.progress.lock().expect("no panic").push(progress.clone());
    }

    fn log(&self, line: LogLine) {
        self.lines.lock().expect("no panic").push(line);
    }

    fn followable(&self, live: Live) {
        assert!(self.live.set(live).is_ok(), "a run has one file");
    }

    fn before_publish(&self) -> Result<(), Failure> {
        self.refusal.lock().expect("no panic").clone().map_or(Ok(()), Err)
    }
}

impl Listener {
    /// The whole log.
    pub(crate) fn log(&self) -> String {
        let lines = self.lines.lock().expect("no panic");
        let lines: Vec<String> =
            lines.iter().map(|l| format!("{}: {}", l.level.as_str(), l.text)).collect();
        lines.join("\n")
    }

    /// Waits until that many bytes of the dump were read.
    pub(crate) fn wait_for_bytes(&self, bytes: u64) {
        wait("the dump to flow", || self.bytes() >= bytes);
    }

    /// Bytes of the dump that were read.
    pub(crate) fn bytes(&self) -> u64 {
        self.live.get().map_or(0, |live| live.meter().raw_bytes())
    }
}

/// Waits, for at most 30 seconds.
pub(crate) fn wait(what: &str, ready: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !ready() {
        assert!(Instant::now() < until, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The clients on this machine, looked up once.
pub(crate) fn clients() -> &'static Clients {
    static CLIENTS: OnceLock<Clients> = OnceLock::new();
    CLIENTS.get_or_init(|| Clients::discover(None))
}

/// A backup folder of a test's own.
pub(crate) struct Place {
    _root: TempDir,
    pub(crate) folder: Folder,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::within(std::env::temp_dir())
    }

    pub(crate) fn within(parent: impl AsRef<Path>) -> Self {
        let root = tempfile::tempdir_in(parent).expect("a folder");
        let (folder, _) = Folder::create(&root.path().join("backups")).expect("a backup folder");
        Self { _root: root, folder }
    }

    pub(crate) fn path(&self, sidecar: &Sidecar) -> PathBuf {
        self.folder.path().join(&sidecar.filename)
    }

    /// Everything in the folder but its marker.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder is there");
        let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != ".cofferdam-folder").collect()
    }
}

pub(crate) const LIMITS: Limits =
    Limits { whole: None, stall: Duration::from_mins(1), keep_free_bytes: 0 };

/// A run with the usual choices.
pub(crate) fn a_run(connection: &Connection, format: Format) -> Run<'_> {
    Run {
        id: BackupId::new(),
        database_id: DatabaseId::new(),
        database: "shop".parse().expect("a slug"),
        connection,
        options: BackupOptions { format, ..BackupOptions::default() },
        trigger: Trigger::Manual,
        created_by: "anna".to_owned(),
        created_at: Utc::now(),
        pinned: false,
        labels: Vec::new(),
        limits: LIMITS,
    }
}

/// Makes a backup that succeeds.
pub(crate) fn back_up(connection: &Connection, format: Format) -> (Place, Sidecar, Listener) {
    let (place, listener) = (Place::new(), Listener::default());
    let run_ = a_run(connection, format);
    let sidecar = run(&run_, &place.folder, clients(), &Control::new(), &listener);
    let sidecar = sidecar.unwrap_or_else(|failure| panic!("{failure:?}\n{}", listener.log()));
    (place, sidecar, listener)
}

/// Makes a backup that fails, and checks that nothing is left of it.
pub(crate) fn fail(run_: &Run<'_>) -> (Failure, Listener) {
    let (place, listener) = (Place::new(), Listener::default());
    let failure = run(run_, &place.folder, clients(), &Control::new(), &listener);
    let failure = failure.expect_err("the backup fails");
    assert_eq!(place.files(), Vec::<String>::new());
    assert_eq!(children(run_.id), Vec::<u32>::new());
    (failure, listener)
}

/// The running child processes of a run, by the name of its sessions.
pub(crate) fn children(id: BackupId) -> Vec<u32> {
    let wanted = format!("PGAPPNAME=cofferdam-{id}");
    let entries = fs::read_dir("/proc").expect("there is /proc");
    let pids = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let is_ours = |pid: &u32| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|&b| b == 0).any(|v| v == wanted.as_bytes()))
    };
    pids.filter(is_ours).collect()
}

/// The run's `pg_dump`, once there is one.
pub(crate) fn pg_dump_of(id: BackupId) -> u32 {
    let find = || {
        children(id).into_iter().find(|pid| {
            fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|comm| comm.trim() == "pg_dump")
        })
    };
    wait("pg_dump", || find().is_some());
    find().expect("it still runs")
}

pub(crate) fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// What `gunzip` makes of a file.
pub(crate) fn gunzip(path: &Path) -> Vec<u8> {
    let output = Command::new("gunzip").arg("-c").arg(path).output().expect("gunzip runs");
    assert!(output.status.success(), "gunzip accepts the file");
    output.stdout
}
