//! Failures and crashes at every step of publishing.
//!
//! Fail points belong to the whole process: this is a test program of its own,
//! and each test holds the scenario, so that they run one after another.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../artifact/support.rs"]
mod support;

use std::{env, fs, io::Write, path::Path, process::Command};

use cofferdam_artifact::{
    Entries, Folder, FolderId, Meter, PublishError, TempArtifact, copy, faults,
};
use cofferdam_model::BackupId;
use fail::FailScenario;

use support::{folder, gzip, names, rows, sidecar};

const NAME: &str = "backup_shop_20260101_000000.sql.gz";

fn publish(folder: &Folder, id: BackupId) -> Result<String, String> {
    let mut temp: TempArtifact = folder.begin(id).map_err(|error| error.to_string())?;
    copy(&rows(3 << 20)[..], &mut temp, gzip(), false, &Meter::new())
        .map_err(|error| error.to_string())?;
    let published = temp.publish(NAME, |name| sidecar(id, name));
    published.map(|published| published.filename).map_err(|error| error.to_string())
}

#[test]
fn a_failure_at_any_step_leaves_nothing_and_the_next_run_succeeds() {
    let _scenario = FailScenario::setup();
    for point in faults::POINTS {
        for errno in ["EIO", "ENOSPC"] {
            let (place, folder) = folder();
            fail::cfg(*point, &format!("return({errno})")).unwrap();
            let failed = publish(&folder, BackupId::new());
            assert!(failed.is_err(), "{point}");
            assert_eq!(names(place.path()), [""; 0], "{point}");
            fail::remove(point);
            assert_eq!(publish(&folder, BackupId::new()).unwrap(), NAME);
        }
    }
}

#[test]
fn a_failed_flush_discards_the_file_and_is_not_tried_again() {
    let _scenario = FailScenario::setup();
    let (place, folder) = folder();
    fail::cfg("artifact::fsync", "1*return(EIO)").unwrap();
    let id = BackupId::new();
    let mut temp = folder.begin(id).unwrap();
    temp.write_all(b"x").unwrap();
    let failed = temp.publish(NAME, |name| sidecar(id, name));
    assert!(matches!(failed, Err(PublishError::Flush(error)) if error.raw_os_error() == Some(5)));
    assert_eq!(names(place.path()), [""; 0]);
}

#[test]
fn a_flush_on_the_way_that_failed_discards_the_file_and_none_is_tried_again() {
    let _scenario = FailScenario::setup();
    for point in faults::LARGE {
        let (place, folder) = folder();
        fail::cfg(*point, "1*return(EIO)").unwrap();
        fail::cfg("artifact::fsync", "panic(it is flushed again)").unwrap();
        let mut temp = folder.begin(BackupId::new()).unwrap();
        temp.write_all(&vec![7; 20 << 20]).unwrap();
        let failed = temp.flush_to_disk();
        assert!(
            matches!(&failed, Err(PublishError::Flush(error)) if error.raw_os_error() == Some(5)),
            "{failed:?}"
        );
        let id = temp.backup();
        let failed = temp.publish(NAME, |name| sidecar(id, name));
        assert!(matches!(failed, Err(PublishError::Flush(_))), "{failed:?}");
        assert_eq!(names(place.path()), [""; 0]);
        fail::remove(point);
        fail::remove("artifact::fsync");
    }
}

#[test]
fn a_failed_change_of_a_sidecar_keeps_the_old_one() {
    let _scenario = FailScenario::setup();
    for point in ["artifact::sidecar-write", "artifact::sidecar-rename"] {
        let (place, folder) = folder();
        let id = BackupId::new();
        let temp = folder.begin(id).unwrap();
        let old = temp.publish(NAME, |name| sidecar(id, name)).unwrap().sidecar;
        fail::cfg(point, "return(ENOSPC)").unwrap();
        let mut new = old.clone();
        new.pinned = true;
        assert!(folder.update_sidecar(NAME, &new).is_err());
        assert_eq!(folder.read_sidecar(NAME).unwrap(), old);
        assert_eq!(names(place.path()).len(), 2);
        fail::remove(point);
    }
}

/// What the process that crashes does; see the test below.
fn publish_and_crash() {
    let _faults = faults::setup();
    let id: FolderId = env::var("FOLDER_ID").unwrap().parse().unwrap();
    let folder = Folder::open(Path::new(&env::var("FOLDER").unwrap()), id).unwrap();
    publish(&folder, env::var("BACKUP").unwrap().parse().unwrap()).unwrap();
}

#[test]
fn a_crash_at_any_step_leaves_a_whole_backup_or_none() {
    // This very test is what the process that crashes runs.
    if env::var_os("FOLDER_ID").is_some() {
        return publish_and_crash();
    }
    let _scenario = FailScenario::setup();
    for point in faults::POINTS {
        let (place, folder) = folder();
        let kept = publish(&folder, BackupId::new()).unwrap();
        let before = fs::read(place.path().join(&kept)).unwrap();
        let id = BackupId::new();
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "a_crash_at_any_step_leaves_a_whole_backup_or_none"])
            .env("FAILPOINTS", format!("{point}=return(abort)"))
            .env("FOLDER", place.path())
            .env("FOLDER_ID", folder.id().to_string())
            .env("BACKUP", id.to_string())
            .output()
            .unwrap()
            .status;
        assert!(!status.success(), "{point}");
        let entries = folder.entries().unwrap();
        assert!(entries.without_sidecar.is_empty(), "{point}");
        for partial in &entries.partials {
            assert_eq!(partial.backup, Some(id));
            folder.remove_partial(partial).unwrap();
        }
        for lone in &entries.lone_sidecars {
            assert_eq!(folder.read_sidecar(lone.name.as_str()).unwrap().id, id);
            folder.remove(lone.name.as_str()).unwrap();
        }
        for whole in &entries.artifacts {
            assert!(fs::read(place.path().join(whole.name.as_str())).unwrap() == before);
            folder.read_sidecar(whole.name.as_str()).unwrap();
        }
        let at = |name| faults::POINTS.iter().position(|point| *point == name);
        let named = at(*point) > at("artifact::rename");
        assert_eq!(entries.artifacts.len(), if named { 2 } else { 1 }, "{point}");
        let left = folder.entries().unwrap();
        assert_eq!(left, Entries { artifacts: left.artifacts.clone(), ..Entries::default() });
    }
}
