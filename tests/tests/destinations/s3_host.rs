//! Services that have the bucket in the host's name.

use std::{fs, path::Path};

use cofferdam_tests::{Api, Console, S3Server, wait_until};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE, SMALL, add, check, deliver, is_stored, large, own_file, path, settings, with,
};

/// A console that alone sees other names of hosts: the bucket's own is on loopback.
fn console(folder: &Path) -> Console {
    let hosts = folder.join("hosts");
    fs::write(&hosts, "127.0.0.1 localhost\n127.0.0.1 backups.s3.test\n").expect("written");
    Console::builder().hosts(folder, &hosts).start()
}

/// Adds the destination, whose own host is granted with it, and grants the
/// bucket's, which is asked for in a sentence.
fn add_at_host(api: &Api, port: u16) {
    let endpoint = format!("http://s3.test:{port}");
    let settings = with(with(settings(0), "endpoint", endpoint), "style", "host");
    add(api, &with(settings, "part_size", "5 MiB"));
    let host = format!("backups.s3.test:{port}");
    let told = check(api, false);
    assert!(told.contains(&host), "{told}");
    let wish = json!({ "hosts": [format!("*.s3.test:{port} private")] });
    let list = api.get("/api/v1/plugins").expect(200).json();
    let list = list["plugins"].as_array().expect("a list");
    let s3 = list.iter().find(|it| it["about"]["id"] == "s3").expect("bundled");
    let hash = s3["hash"].as_str().expect("a hash");
    api.post(&format!("/api/v1/plugins/{hash}/approve"), &wish).expect(200);
    let told = api.get("/api/v1/destinations/bucket").expect(200).json();
    assert!(told["problem"].is_null(), "{told}");
    assert_eq!(check(api, true), "The bucket backups is there and may be written to");
}

/// Fetches a backup whose file is gone here, and removes it with its copy.
fn fetch_and_remove(console: &Console, api: &Api, backup: &Value) {
    let own = own_file(console, backup);
    let bytes = fs::read(&own).expect("the file");
    fs::remove_file(&own).expect("removed");
    let download = format!("{}/download", path(backup));
    assert!(api.get(&download).expect(200).body == bytes, "the whole file differs");
    api.delete(&path(backup)).expect(204);
}

#[test]
fn the_bucket_can_be_part_of_the_hosts_name() {
    let server = S3Server::s3s_at("s3.test");
    let folder = tempfile::tempdir().expect("a folder");
    let console = console(folder.path());
    let api = console.api();
    add_at_host(&api, server.port());
    for database in [SMALL, large(&console, &api, 6 << 20)] {
        let backup = deliver(&api, database, "completed");
        assert!(is_stored(&console, &server, &backup));
        assert_eq!(server.keys().len(), 2);
        fetch_and_remove(&console, &api, &backup);
        wait_until("an empty bucket", PATIENCE, || server.keys().is_empty().then_some(()));
    }
    assert_eq!(server.loose_parts(), 0);
}

#[test]
fn the_bucket_can_be_part_of_the_hosts_name_at_the_second_service() {
    let server = S3Server::moto();
    let folder = tempfile::tempdir().expect("a folder");
    let console = console(folder.path());
    let api = console.api();
    add_at_host(&api, server.port());
    for database in [SMALL, large(&console, &api, 6 << 20)] {
        let backup = deliver(&api, database, "completed");
        let location = backup["deliveries"][0]["location"].as_str().expect("a location");
        // In the bucket itself: its name is no part of the key.
        let size = |key: &str| server.head(key).map(|it| it["content-length"].clone());
        assert_eq!(size(location), Some(backup["size_bytes"].to_string()));
        let sidecar = format!("{location}.json");
        assert!(size(&sidecar).is_some());
        fetch_and_remove(&console, &api, &backup);
        wait_until("the removal of file and sidecar", PATIENCE, || {
            (size(location).is_none() && size(&sidecar).is_none()).then_some(())
        });
    }
}
