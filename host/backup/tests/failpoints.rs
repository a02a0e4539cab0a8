//! What the disk refuses ends the run with the kind that fits, and leaves nothing.

use std::{fs, time::Duration};

use chrono::Utc;
use cofferdam_artifact::Folder;
use cofferdam_backup::{Clients, Control, Limits, Observer, Run, run};
use cofferdam_model::{
    BackupId, BackupOptions, Connection, DatabaseId, Failure, FailureKind, LogLine, Progress,
    SqliteConnection, Trigger,
};

struct Silent;

impl Observer for Silent {
    fn progress(&self, _: &Progress) {}

    fn log(&self, _: LogLine) {}

    fn before_publish(&self) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn a_disk_that_refuses_at_any_step_leaves_nothing_behind() {
    let root = tempfile::tempdir().expect("a folder");
    let (folder, _) = Folder::create(&root.path().join("backups")).expect("a backup folder");
    let path = root.path().join("a.db");
    let sqlite = rusqlite::Connection::open(&path).expect("a database");
    sqlite.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)").expect("the SQL is good");
    let connection = Connection::Sqlite(SqliteConnection { path });
    let attempt = || {
        let run_ = Run {
            id: BackupId::new(),
            database_id: DatabaseId::new(),
            database: "notes".parse().expect("a slug"),
            connection: &connection,
            options: BackupOptions::default(),
            trigger: Trigger::Cli,
            created_by: "anna".to_owned(),
            created_at: Utc::now(),
            pinned: false,
            labels: Vec::new(),
            limits: Limits { whole: None, stall: Duration::from_secs(30), keep_free_bytes: 0 },
        };
        run(&run_, &folder, &Clients::default(), &Control::new(), &Silent)
    };
    let scenario = fail::FailScenario::setup();
    for point in [
        "artifact::write",
        "artifact::fsync",
        "artifact::close",
        "artifact::sidecar-write",
        "artifact::sidecar-rename",
        "artifact::rename",
        "artifact::fsync-folder",
    ] {
        for (error, kind) in [
            ("EIO", FailureKind::Storage),
            ("EROFS", FailureKind::Storage),
            ("ENOSPC", FailureKind::Space),
            ("EDQUOT", FailureKind::Space),
        ] {
            fail::cfg(point, &format!("return({error})")).expect("it is a fail point");
            let failure = attempt().expect_err("the disk refuses");
            fail::remove(point);
            assert_eq!(failure.kind, kind, "{point} {error}: {failure:?}");
            assert!(failure.hint.is_some());
            let left = fs::read_dir(folder.path()).expect("it is there").count();
            assert_eq!(left, 1, "{point} {error}: only the marker is left");
        }
    }
    scenario.teardown();
    attempt().expect("it works again");
}
