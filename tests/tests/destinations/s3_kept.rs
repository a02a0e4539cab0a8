//! What the second service has recorded of how each object is to be kept: not
//! what it was asked for, but what it answers when somebody looks.

use std::{collections::BTreeMap, fs};

use chrono::{DateTime, TimeDelta, Utc};
use cofferdam_tests::{Api, Console, S3Proxy, S3Server, wait_until, wire::Request};
use serde_json::{Value, json};

use crate::support::{PATIENCE, SMALL, add, deliver, large, own_file, path, settings, with};

/// Gives the destination other settings.
fn change(api: &Api, settings: &Value) {
    api.patch("/api/v1/destinations/bucket", &json!({ "settings": settings })).expect(200);
}

/// Where a backup's file is, and where its sidecar.
fn keys(backup: &Value) -> [String; 2] {
    let location = backup["deliveries"][0]["location"].as_str().expect("a location");
    [location.to_owned(), format!("{location}.json")]
}

fn header<'a>(of: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    of.get(name).map(String::as_str)
}

#[test]
fn class_and_encryption_are_recorded_of_each_file_in_one_request_or_in_parts_and_of_its_sidecar() {
    let server = S3Server::moto();
    let console = Console::builder().start();
    let api = console.api();
    let plain = with(settings(server.port()), "part_size", "5 MiB");
    add(&api, &plain);
    let database = large(&console, &api, 6 << 20);
    let key = "arn:aws:kms:eu-central-1:111122223333:key/backups";
    for (class, encryption, kms_key) in [
        (None, None, None),
        (Some("STANDARD_IA"), Some("AES256"), None),
        (Some("GLACIER_IR"), Some("aws:kms"), Some(key)),
        (Some("ONEZONE_IA"), Some("aws:kms"), None),
    ] {
        let mut wanted = with(plain.clone(), "storage_class", class.unwrap_or_default());
        wanted = with(wanted, "encryption", encryption.unwrap_or("bucket"));
        if let Some(key) = kms_key {
            wanted = with(wanted, "kms_key", key);
        }
        change(&api, &wanted);
        for database in [SMALL, database] {
            let backup = deliver(&api, database, "completed");
            for key in keys(&backup) {
                let head = server.head(&key).expect("it is there");
                let told = [
                    header(&head, "x-amz-storage-class"),
                    header(&head, "x-amz-server-side-encryption"),
                    header(&head, "x-amz-server-side-encryption-aws-kms-key-id"),
                ];
                assert_eq!(told, [class, encryption, kms_key], "{key}: {head:?}");
            }
            // With a key of the key service the ETag is no MD5 of what was sent,
            // and what was stored is good all the same.
            assert_eq!(backup["deliveries"][0]["attempts"], 1, "{backup}");
        }
    }
}

/// That an object is locked for so many days, as the service tells it.
#[track_caller]
fn is_locked(mode: Option<&str>, until: Option<&str>, wanted: &str, days: i64) {
    assert_eq!(mode, Some(wanted));
    let until: DateTime<Utc> = until.expect("an end").parse().expect("a time");
    let off = until - (Utc::now() + TimeDelta::days(days));
    assert!(off.abs() < TimeDelta::minutes(2), "{until}");
}

#[test]
fn a_lock_is_recorded_of_the_file_and_its_sidecar_which_nobody_can_remove_then() {
    let server = S3Server::moto();
    let console = Console::builder().start();
    let api = console.api();
    add(&api, &with(with(settings(server.port()), "lock", "GOVERNANCE"), "lock_days", 3));
    for (mode, days) in [("GOVERNANCE", 3), ("COMPLIANCE", 400)] {
        change(&api, &with(with(settings(server.port()), "lock", mode), "lock_days", days));
        let backup = deliver(&api, SMALL, "completed");
        for key in keys(&backup) {
            let head = server.head(&key).expect("it is there");
            is_locked(
                header(&head, "x-amz-object-lock-mode"),
                header(&head, "x-amz-object-lock-retain-until-date"),
                mode,
                days,
            );
            let versions = server.versions(&key);
            let [version] = &versions[..] else { panic!("{key}: {versions:?}") };
            server.version("DELETE", &key, version).expect(403);
        }
        let note = backup["deliveries"][0]["note"].as_str().expect("a note");
        let (_, until) = note.split_once("locked until ").expect("an end in the note");
        is_locked(Some(mode), Some(until), mode, days);
    }
}

#[test]
fn an_upload_in_parts_is_begun_with_its_lock_and_its_sidecar_has_it() {
    let server = S3Server::moto();
    let proxy = S3Proxy::to(server.port());
    let console = Console::builder().start();
    let api = console.api();
    let settings = with(settings(proxy.port()), "part_size", "5 MiB");
    add(&api, &with(with(settings, "lock", "COMPLIANCE"), "lock_days", 30));
    let backup = deliver(&api, large(&console, &api, 6 << 20), "completed");
    let [file, sidecar] = keys(&backup);
    let seen = proxy.take_seen();
    let begins = |it: &&Request| it.method == "POST" && it.query("uploads").is_some();
    let begun: Vec<_> = seen.iter().filter(begins).collect();
    let [begun] = begun[..] else { panic!("{begun:?}") };
    is_locked(
        begun.header("x-amz-object-lock-mode"),
        begun.header("x-amz-object-lock-retain-until-date"),
        "COMPLIANCE",
        30,
    );
    // Where objects may be locked, parts have to bring a checksum.
    let parts: Vec<_> = seen.iter().filter(|it| it.query("partNumber").is_some()).collect();
    assert_eq!(parts.len(), 2);
    for part in parts {
        assert!(part.header("x-amz-checksum-sha256").is_some(), "{}", part.target);
        assert_eq!(part.header("x-amz-sdk-checksum-algorithm"), Some("SHA256"));
    }
    let head = server.head(&sidecar).expect("it is there");
    is_locked(
        header(&head, "x-amz-object-lock-mode"),
        header(&head, "x-amz-object-lock-retain-until-date"),
        "COMPLIANCE",
        30,
    );
    // This service takes no notice of the lock of an upload in parts; once it
    // does, this says so, and the file can be looked at as its sidecar is.
    let head = server.head(&file).expect("it is there");
    assert_eq!(header(&head, "x-amz-object-lock-mode"), None, "moto has learnt it: look at it");
    let note = backup["deliveries"][0]["note"].as_str().expect("a note");
    assert!(note.contains("its lock was asked for, and is not shown"), "{note}");
}

#[test]
fn a_removal_that_meets_a_lock_hides_the_file_and_takes_no_byte_of_it() {
    let server = S3Server::moto();
    let console = Console::builder().start();
    let api = console.api();
    add(&api, &with(with(settings(server.port()), "lock", "COMPLIANCE"), "lock_days", 30));
    let backup = deliver(&api, SMALL, "completed");
    let bytes = fs::read(own_file(&console, &backup)).expect("the file");
    let [file, sidecar] = keys(&backup);
    api.delete(&path(&backup)).expect(204);
    let removal = wait_until("the end of the removal", PATIENCE, || {
        let list = api.get("/api/v1/destinations/bucket/deliveries").expect(200).json();
        let mut all = list["deliveries"].as_array().expect("a list").iter();
        let removal = all.find(|it| it["purpose"] == "remove")?.clone();
        let is_open = ["pending", "running"].contains(&removal["status"].as_str()?);
        (!is_open).then_some(removal)
    });
    assert_eq!((&removal["attempts"], &removal["location"]), (&1.into(), &file.as_str().into()));
    let id = removal["id"].as_str().expect("an id");
    let told = api.get(&format!("/api/v1/deliveries/{id}")).expect(200).json();
    let log = told["history"][0]["log"].as_array().expect("lines");
    let hidden = log
        .iter()
        .filter(|it| it["text"].as_str().is_some_and(|it| it.contains("is hidden by a marker")));
    assert_eq!(hidden.count(), 2, "{told}");
    // The service has put a marker over each, and keeps what is below.
    for key in [&file, &sidecar] {
        assert!(server.head(key).is_none(), "{key}");
        let versions = server.versions(key);
        let [version] = &versions[..] else { panic!("{key}: {versions:?}") };
        let kept = server.version("GET", key, version).expect(200).body;
        assert!(!kept.is_empty() && (key != &file || kept == bytes), "{key}");
        server.version("DELETE", key, version).expect(403);
    }
}
