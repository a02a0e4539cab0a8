//! The folder: its marker, its names, what is in it.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use cofferdam_artifact::{Folder, FolderError, FolderId, SidecarError, artifact_filename};
use cofferdam_model::{BackupId, Format, SIDECAR_VERSION};
use proptest::prelude::*;

use crate::support::{at, folder, names, sidecar};

const NAME: &str = "backup_shop_20260101_000000.sql.gz";

#[test]
fn a_folder_opens_only_with_its_own_marker() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("deep/backups");
    assert!(matches!(Folder::open(&path, FolderId::new()), Err(FolderError::Missing(_))));
    let (_, id) = Folder::create(&path).unwrap();
    assert_eq!(Folder::open(&path, id).unwrap().id(), id);
    assert_eq!(Folder::create(&path).unwrap().1, id, "a marker is kept");
    let other = Folder::open(&path, FolderId::new());
    assert!(matches!(other, Err(FolderError::OtherFolder { found, .. }) if found == id));
    fs::write(path.join(".cofferdam-folder"), "{").unwrap();
    assert!(matches!(Folder::open(&path, id), Err(FolderError::DamagedMarker(_))));
    assert!(matches!(Folder::create(&path), Err(FolderError::DamagedMarker(_))));
    fs::remove_file(path.join(".cofferdam-folder")).unwrap();
    assert!(matches!(Folder::open(&path, id), Err(FolderError::NoMarker(_))));
    assert_eq!(names(&path), [""; 0]);
}

#[test]
fn a_folder_that_is_no_longer_there_is_not_touched() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("backups");
    let (folder, id) = Folder::create(&path).unwrap();
    fs::write(path.join(NAME), "x").unwrap();
    // Unmounted: the bare mount point shows.
    fs::rename(&path, place.path().join("away")).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(folder.begin(BackupId::new()), Err(FolderError::NoMarker(_))));
    assert!(matches!(folder.entries(), Err(FolderError::NoMarker(_))));
    assert!(matches!(folder.remove(NAME), Err(FolderError::NoMarker(_))));
    assert!(place.path().join("away").join(NAME).exists());
    // A copy with the same marker is still another folder.
    fs::copy(place.path().join("away/.cofferdam-folder"), path.join(".cofferdam-folder")).unwrap();
    assert!(matches!(folder.begin(BackupId::new()), Err(FolderError::Replaced(_))));
    assert_eq!(names(&path), [""; 0]);
    assert!(Folder::open(&path, id).is_ok());
}

#[test]
fn names_say_database_time_in_utc_and_format() {
    let slug = "my-shop_2".parse().unwrap();
    let time = at("2026-02-03T01:02:03+02:00");
    assert_eq!(
        artifact_filename(&slug, time, Format::Plain),
        "backup_my-shop_2_20260202_230203.sql.gz"
    );
    assert_eq!(
        artifact_filename(&slug, time, Format::Custom),
        "backup_my-shop_2_20260202_230203.dump"
    );
}

#[test]
fn names_from_outside_stay_inside_and_look_like_ours() {
    let (_place, folder) = folder();
    for good in
        [NAME, "backup_a_20260101_000000_2.dump", "backup_a_b_20260101_000000_17.sql.gz.gpg"]
    {
        assert!(matches!(folder.open_artifact(good), Err(FolderError::NotFound(_))), "{good}");
    }
    for bad in [
        "",
        ".",
        "..",
        "../backup_a_20260101_000000.sql.gz",
        "/etc/passwd",
        "x/backup_a_20260101_000000.sql.gz",
        "backup_a/../b_20260101_000000.sql.gz",
        ".backup_a_20260101_000000.sql.gz",
        ".cofferdam-folder",
        "backup_a_20260101_000000",
        "backup_a_20260101_000000.sql",
        "backup__20260101_000000.sql.gz",
        "backup_A_20260101_000000.sql.gz",
        "backup_a_2026010_000000.sql.gz",
        "backup_a_20260101_000000_1.sql.gz",
        "backup_a_20260101_000000_02.sql.gz",
        "backup_a_20260101_000000_.sql.gz",
        "backup_a_20260101_000000.sql.gz\0",
        "backup_a_20260101_000000.sql.gz.json",
        "backup_a\n_20260101_000000.sql.gz",
        "backup_-a_20260101_000000.sql.gz",
        "-backup_a_20260101_000000.sql.gz",
    ] {
        assert!(matches!(folder.open_artifact(bad), Err(FolderError::Name(_))), "{bad:?}");
        assert!(matches!(folder.remove(bad), Err(FolderError::Name(_))), "{bad:?}");
        assert!(matches!(folder.read_sidecar(bad), Err(SidecarError::Name(_))), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn every_name_we_give_is_one_we_take(slug in "[a-z0-9_][a-z0-9_-]{0,62}", seconds in 0..4_000_000_000_i64) {
        let (_place, folder) = folder();
        let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
        let name = artifact_filename(&slug.parse().unwrap(), time, Format::Plain);
        prop_assert!(matches!(folder.open_artifact(&name), Err(FolderError::NotFound(_))));
    }
}

#[test]
fn links_and_pipes_in_place_of_an_artifact_are_not_opened() {
    let (place, folder) = folder();
    let path = place.path().join(NAME);
    symlink("/etc/passwd", &path).unwrap();
    assert!(matches!(folder.open_artifact(NAME), Err(FolderError::NotAFile(_))));
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(folder.open_artifact(NAME), Err(FolderError::NotAFile(_))));
    fs::remove_dir(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert!(matches!(folder.open_artifact(NAME), Err(FolderError::NotAFile(_))));
    assert_eq!(folder.entries().unwrap(), cofferdam_artifact::Entries::default());
}

#[test]
fn an_unpublished_temp_file_is_private_and_goes_when_dropped() {
    let (place, folder) = folder();
    let id = BackupId::new();
    let temp = folder.begin(id).unwrap();
    let name = names(place.path()).remove(0);
    assert!(name.starts_with(&format!(".partial-{id}-")), "{name}");
    let mode = fs::metadata(place.path().join(&name)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let entries = folder.entries().unwrap();
    assert_eq!(entries.partials[0].backup, Some(id));
    drop(temp);
    assert_eq!(names(place.path()), [""; 0]);
}

#[test]
fn a_listing_tells_whole_backups_from_halves() {
    let (place, folder) = folder();
    let write = |name: &str| fs::write(place.path().join(name), "12345").unwrap();
    let id = BackupId::new();
    for name in [
        "backup_a_20260101_000000.sql.gz",
        "backup_a_20260101_000000.sql.gz.json",
        "backup_b_20260101_000000.dump",
        "backup_c_20260101_000000.dump.json",
        &format!(".partial-{id}-00"),
        &format!(".partial-{id}-01.json"),
        ".partial-who",
        "notes.txt",
        "lost.json",
    ] {
        write(name);
    }
    let entries = folder.entries().unwrap();
    let of = |list: &[cofferdam_artifact::FileEntry]| -> Vec<String> {
        list.iter().map(|entry| entry.name.to_string()).collect()
    };
    assert_eq!(of(&entries.artifacts), ["backup_a_20260101_000000.sql.gz"]);
    assert_eq!(of(&entries.without_sidecar), ["backup_b_20260101_000000.dump"]);
    assert_eq!(of(&entries.lone_sidecars), ["backup_c_20260101_000000.dump"]);
    let partials: Vec<_> = entries.partials.iter().map(|partial| partial.backup).collect();
    assert_eq!(partials, [Some(id), Some(id), None]);
    assert_eq!(entries.artifacts[0].size_bytes, 5);
    for partial in &entries.partials {
        folder.remove_partial(partial).unwrap();
    }
    folder.remove("backup_a_20260101_000000.sql.gz").unwrap();
    folder.remove("backup_c_20260101_000000.dump").unwrap();
    folder.remove("backup_c_20260101_000000.dump").unwrap();
    assert_eq!(names(place.path()), ["backup_b_20260101_000000.dump", "lost.json", "notes.txt"]);
}

#[test]
fn only_temp_files_are_removed_as_such() {
    let (place, folder) = folder();
    fs::write(place.path().join(NAME), "x").unwrap();
    fs::write(place.path().join(".partial-x"), "").unwrap();
    let mut partial = folder.entries().unwrap().partials.remove(0);
    for name in [NAME, ".cofferdam-folder", ".partial-/../../x", "../x"] {
        name.clone_into(&mut partial.name);
        assert!(matches!(folder.remove_partial(&partial), Err(FolderError::Name(_))));
    }
    assert_eq!(names(place.path()), [".partial-x", NAME]);
}

#[test]
fn a_sidecar_is_replaced_whole_and_only_beside_its_artifact() {
    let (place, folder) = folder();
    let mut facts = sidecar(BackupId::new(), NAME);
    assert!(matches!(folder.update_sidecar(NAME, &facts), Err(FolderError::NotFound(_))));
    fs::write(place.path().join(NAME), "x").unwrap();
    folder.update_sidecar(NAME, &facts).unwrap();
    facts.pinned = true;
    folder.update_sidecar(NAME, &facts).unwrap();
    assert_eq!(folder.read_sidecar(NAME).unwrap(), facts);
    assert_eq!(names(place.path()), [NAME, &format!("{NAME}.json")]);
}

#[test]
fn sidecars_that_are_newer_huge_damaged_or_anothers_are_refused() {
    let (place, folder) = folder();
    let path = place.path().join(format!("{NAME}.json"));
    assert!(matches!(folder.read_sidecar(NAME), Err(SidecarError::Missing(_))));
    fs::write(&path, format!("{{\"format_version\": {}, \"new\": 1}}", SIDECAR_VERSION + 1))
        .unwrap();
    let newer = folder.read_sidecar(NAME);
    assert!(
        matches!(newer, Err(SidecarError::Newer { version, .. }) if version == SIDECAR_VERSION + 1)
    );
    for damaged in ["", "{", "[]", "{\"format_version\": 1}", "\0", &"[".repeat(100_000)] {
        fs::write(&path, damaged).unwrap();
        assert!(matches!(folder.read_sidecar(NAME), Err(SidecarError::Damaged { .. })));
    }
    let others = sidecar(BackupId::new(), "backup_b_20260101_000000.dump");
    fs::write(&path, serde_json::to_vec(&others).unwrap()).unwrap();
    assert!(matches!(folder.read_sidecar(NAME), Err(SidecarError::Damaged { .. })));
    fs::File::create(&path).unwrap().set_len(10 << 30).unwrap();
    assert!(matches!(folder.read_sidecar(NAME), Err(SidecarError::TooLarge(_))));
    fs::remove_file(&path).unwrap();
    symlink("/etc/passwd", &path).unwrap();
    assert!(matches!(folder.read_sidecar(NAME), Err(SidecarError::Io { .. })));
}

#[test]
fn free_bytes_are_those_of_the_folders_disk() {
    let (place, folder) = folder();
    let free = folder.free_bytes().unwrap();
    assert!(free > 0 && place.path().exists());
}

#[test]
fn a_folder_is_claimed_for_one_owner_at_a_time() {
    let (place, folder) = folder();
    let first = folder.claim("anna").unwrap().unwrap();
    let again = Folder::open(place.path(), folder.id()).unwrap();
    let second = again.claim("anna").unwrap().unwrap();
    assert!(second.is_of(&folder));
    assert!(matches!(again.claim("bert"), Err(FolderError::InUse(_))));
    drop(first);
    assert!(matches!(again.claim("bert"), Err(FolderError::InUse(_))));
    drop(second);
    let _third = again.claim("bert").unwrap().unwrap();
    assert!(matches!(folder.claim("anna"), Err(FolderError::InUse(_))));
    // The marker is still the same.
    assert_eq!(Folder::create(place.path()).unwrap().1, folder.id());
}
