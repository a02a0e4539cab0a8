//! Publishing: the name, the sidecar, the order.

use std::{
    fs,
    io::Write,
    os::unix::fs::MetadataExt,
    sync::{Arc, Barrier},
};

use cofferdam_artifact::{FolderError, PublishError};
use cofferdam_model::BackupId;

use crate::support::{folder, names, sidecar};

const NAME: &str = "backup_shop_20260101_000000.sql.gz";

#[test]
fn a_published_backup_has_its_name_and_its_sidecar_and_nothing_else_remains() {
    let (place, folder) = folder();
    let id = BackupId::new();
    let mut temp = folder.begin(id).unwrap();
    temp.write_all(b"data").unwrap();
    let published = temp.publish(NAME, |name| sidecar(id, name)).unwrap();
    assert_eq!((published.filename.as_str(), published.size_bytes), (NAME, 4));
    assert_eq!(names(place.path()), [NAME, &format!("{NAME}.json")]);
    assert_eq!(folder.read_sidecar(NAME).unwrap(), published.sidecar);
    let file = folder.open_artifact(NAME).unwrap();
    assert_eq!(std::io::read_to_string(file).unwrap(), "data");
    let mode = fs::metadata(place.path().join(format!("{NAME}.json"))).unwrap().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_name_that_is_taken_gets_a_number_before_the_ending() {
    let (place, folder) = folder();
    fs::write(place.path().join(NAME), "other").unwrap();
    fs::write(place.path().join("backup_shop_20260101_000000_2.sql.gz.json"), "{}").unwrap();
    let id = BackupId::new();
    let published = folder.begin(id).unwrap().publish(NAME, |name| sidecar(id, name)).unwrap();
    assert_eq!(published.filename, "backup_shop_20260101_000000_3.sql.gz");
    assert_eq!(published.sidecar.filename, published.filename);
    assert_eq!(fs::read(place.path().join(NAME)).unwrap(), b"other");
}

#[test]
fn many_at_once_get_a_name_each() {
    let (place, folder) = folder();
    let start = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (folder, start) = (folder.clone(), start.clone());
            std::thread::spawn(move || {
                let id = BackupId::new();
                let mut temp = folder.begin(id).unwrap();
                write!(temp, "{id}").unwrap();
                start.wait();
                temp.publish(NAME, |name| sidecar(id, name)).unwrap()
            })
        })
        .collect();
    for thread in threads {
        let published = thread.join().unwrap();
        let file = folder.open_artifact(&published.filename).unwrap();
        assert_eq!(std::io::read_to_string(file).unwrap(), published.sidecar.id.to_string());
        assert_eq!(folder.read_sidecar(&published.filename).unwrap(), published.sidecar);
    }
    assert_eq!(folder.entries().unwrap().artifacts.len(), 8);
    assert_eq!(names(place.path()).len(), 16);
}

#[test]
fn a_name_that_is_none_publishes_nothing() {
    let (place, folder) = folder();
    for bad in ["../x.sql.gz", ".hidden", "x"] {
        let id = BackupId::new();
        let failed = folder.begin(id).unwrap().publish(bad, |name| sidecar(id, name));
        assert!(matches!(failed, Err(PublishError::Folder(FolderError::Name(_)))));
    }
    assert_eq!(names(place.path()), [""; 0]);
}
