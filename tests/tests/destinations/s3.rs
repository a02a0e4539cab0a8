//! A backup's life in an object store: two services by other people.

use std::{fs, time::Duration};

use cofferdam_tests::{Console, S3Proxy, S3Server, wait_until};
use serde_json::{Value, json};

use crate::support::{
    PATIENCE, SMALL, add, check, deliver, is_stored, large, own_file, path, settings, with,
};

/// More than two parts of the smallest size.
const LARGE: u64 = 12 << 20;

/// Puts a small and a large backup there, fetches them, and removes them.
fn whole_life(server: &S3Server) {
    let console = Console::builder().start();
    let api = console.api();
    let proxy = S3Proxy::to(server.port());
    add(&api, &with(settings(proxy.port()), "part_size", "5 MiB"));
    assert_eq!(check(&api, true), "The bucket backups is there and may be written to");

    let small = deliver(&api, SMALL, "completed");
    let one = proxy.take_seen();
    let sent = |key: &str| {
        let own = |it: &&cofferdam_tests::wire::Request| it.path().ends_with(key);
        one.iter().filter(own).map(|it| it.method.clone()).collect::<Vec<_>>()
    };
    let name = small["filename"].as_str().expect("a name");
    // Looked for, put, and looked at; its sidecar once.
    assert_eq!(sent(name), ["HEAD", "PUT", "HEAD"]);
    assert_eq!(sent(&format!("{name}.json")), ["PUT"]);

    let big = deliver(&api, large(&console, &api, LARGE), "completed");
    let size = big["size_bytes"].as_u64().expect("a size");
    let parts = proxy.take_seen().iter().filter(|it| it.query("partNumber").is_some()).count();
    assert_eq!(parts as u64, size.div_ceil(5 << 20), "{size} bytes");

    for backup in [&small, &big] {
        let delivery = &backup["deliveries"][0];
        assert_eq!((&delivery["attempts"], &delivery["error"]), (&1.into(), &Value::Null));
        let own = own_file(&console, backup);
        let bytes = fs::read(&own).expect("the file");
        fs::remove_file(&own).expect("removed");
        let download = format!("{}/download", path(backup));
        assert!(api.get(&download).expect(200).body == bytes, "the whole file differs");
        proxy.take_seen();
        api.delete(&path(backup)).expect(204);
        let mut gone = Vec::new();
        wait_until("the removal of file and sidecar", PATIENCE, || {
            gone.extend(proxy.take_seen().into_iter().filter(|it| it.method == "DELETE"));
            (gone.len() == 2).then_some(())
        });
        let location = delivery["location"].as_str().expect("a location");
        let targets: Vec<_> = gone.iter().map(|it| it.path().to_owned()).collect();
        assert_eq!(targets, [format!("/backups/{location}"), format!("/backups/{location}.json")]);
    }
}

#[test]
fn a_backup_lives_in_the_first_service_from_its_delivery_to_its_removal() {
    let server = S3Server::s3s();
    whole_life(&server);
    wait_until("an empty bucket", PATIENCE, || server.keys().is_empty().then_some(()));
    assert_eq!(server.loose_parts(), 0);
}

#[test]
fn a_backup_lives_in_the_second_service_from_its_delivery_to_its_removal() {
    whole_life(&S3Server::moto());
}

#[test]
fn the_files_and_their_sidecars_stand_where_the_path_says() {
    let server = S3Server::s3s();
    let console = Console::builder().start();
    let api = console.api();
    add(&api, &with(settings(server.port()), "path", "a b/{engine}/{database}/{filename}"));
    let backup = deliver(&api, SMALL, "completed");
    let name = backup["filename"].as_str().expect("a name");
    let key = format!("a b/sqlite/cofferdam/{name}");
    assert_eq!(server.keys(), [key.clone(), format!("{key}.json")]);
    assert!(is_stored(&console, &server, &backup));
    let sidecar = fs::read(server.object(&format!("{key}.json"))).expect("the sidecar");
    let sidecar: Value = serde_json::from_slice(&sidecar).expect("JSON");
    assert_eq!(sidecar["sha256"], backup["sha256"]);
}

#[test]
fn what_is_wrong_with_key_bucket_or_service_is_said_in_a_sentence() {
    let server = S3Server::s3s();
    let console = Console::builder().start();
    let api = console.api();
    let good = settings(server.port());
    add(&api, &good);
    let change = |settings: &Value| {
        let wish = json!({ "settings": settings, "grant": true, "grant_private": true });
        api.patch("/api/v1/destinations/bucket", &wish).expect(200);
    };
    change(&with(good.clone(), "secret_access_key", "canary-wrong-secret"));
    let told = check(&api, false);
    assert!(told.contains("the access key or its secret is wrong"), "{told}");
    let failed = deliver(&api, SMALL, "failed");
    let error = failed["deliveries"][0]["error"].as_str().expect("an error");
    assert!(!error.contains("canary"), "{error}");

    // A file put into no bucket makes one in the first service, but not in the second.
    let other = S3Server::moto();
    change(&with(settings(other.port()), "bucket", "nowhere"));
    let told = api.post("/api/v1/destinations/bucket/check", &json!({})).expect(200).json();
    assert_eq!(told["errors"][0]["field"], "settings.bucket", "{told}");
    let failed = deliver(&api, SMALL, "failed");
    let error = failed["deliveries"][0]["error"].as_str().expect("an error");
    assert!(error.contains("there is no such bucket"), "{error}");

    // Nobody is there: it may be back later.
    let port = xtask::process::free_port().expect("a port");
    change(&settings(port));
    let told = check(&api, false);
    assert!(told.contains("connection"), "{told}");
    let waiting = deliver(&api, SMALL, "retrying");
    assert!(waiting["deliveries"][0]["next_attempt_at"].is_string());

    // A web server that is no S3 service.
    let web = cofferdam_tests::WebServer::start();
    change(&settings(web.port()));
    let told = api.post("/api/v1/destinations/bucket/check", &json!({})).expect(200).json();
    assert_eq!(told["ok"], false, "{told}");
    change(&good);
    assert_eq!(check(&api, true), "The bucket backups is there and may be written to");
    // Each answer of a server that works takes milliseconds, not its limit.
    let start = std::time::Instant::now();
    deliver(&api, SMALL, "completed");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
