//! Settings of the S3 plugin, as a service sees them.

use std::{fs, os::unix::fs::PermissionsExt as _};

use cofferdam_tests::{Console, S3Proxy, S3Server, wire::Request};

use crate::support::{SMALL, add, check, deliver, is_stored, large, settings, with};

/// The headers of a request that tell how an object is to be kept.
fn keeping(request: &Request) -> Vec<(&str, &str)> {
    let wanted = |name: &str| {
        ["storage-class", "server-side", "object-lock"].iter().any(|part| name.contains(part))
    };
    let mut found: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn storage_class_and_encryption_are_asked_for_on_every_object() {
    let server = S3Server::s3s();
    let proxy = S3Proxy::to(server.port());
    let console = Console::builder().start();
    let api = console.api();
    let settings = with(settings(proxy.port()), "storage_class", "REDUCED_REDUNDANCY");
    let settings = with(with(settings, "encryption", "aws:kms"), "kms_key", "alias/backups");
    add(&api, &with(settings, "part_size", "5 MiB"));
    let wanted = [
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "alias/backups"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ];
    deliver(&api, SMALL, "completed");
    deliver(&api, large(&console, &api, 6 << 20), "completed");
    let seen = proxy.take_seen();
    let begins = |it: &&Request| {
        it.query("uploads").is_some() && it.method == "POST"
            || it.method == "PUT" && it.query("partNumber").is_none()
    };
    let begun: Vec<_> = seen.iter().filter(begins).collect();
    // A file in one request, an upload in parts, and two sidecars.
    assert_eq!(begun.len(), 4);
    for request in begun {
        assert_eq!(keeping(request), wanted, "{} {}", request.method, request.target);
    }
}

#[test]
fn a_lock_holds_the_object_where_the_service_knows_locks() {
    let server = S3Server::moto();
    let proxy = S3Proxy::to(server.port());
    let console = Console::builder().start();
    let api = console.api();
    let settings = with(settings(proxy.port()), "lock", "GOVERNANCE");
    add(&api, &with(with(settings, "lock_days", 3), "part_size", "5 MiB"));
    let small = deliver(&api, SMALL, "completed");
    let delivery = &small["deliveries"][0];
    let note = delivery["note"].as_str().expect("a note");
    assert!(note.contains("version ") && note.contains("locked until 20"), "{note}");
    let location = delivery["location"].as_str().expect("a location");
    let object = format!("http://127.0.0.1:{}/backups/{location}", server.port());
    // It looks at the form of a signature only.
    let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request";
    let head = ureq::head(object).header("authorization", signed).call().expect("it is there");
    let header = |name: &str| head.headers().get(name).map(|it| it.to_str().expect("text"));
    assert_eq!(header("x-amz-object-lock-mode"), Some("GOVERNANCE"));
    assert!(header("x-amz-object-lock-retain-until-date").is_some());

    // It takes no notice of the lock of an upload in parts, which is asked for all the same.
    proxy.take_seen();
    deliver(&api, large(&console, &api, 6 << 20), "completed");
    let begun = proxy
        .take_seen()
        .into_iter()
        .find(|it| it.query("uploads").is_some() && it.method == "POST");
    let begun = begun.expect("an upload in parts");
    let names: Vec<_> = keeping(&begun).into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"]);
}

#[test]
fn checksums_are_sent_with_the_file_and_each_part_or_left_out_where_they_are_unknown() {
    let server = S3Server::s3s();
    let proxy = S3Proxy::to(server.port());
    let console = Console::builder().start();
    let api = console.api();
    let on = with(settings(proxy.port()), "part_size", "5 MiB");
    add(&api, &on);
    let database = large(&console, &api, 6 << 20);
    let sums = |seen: Vec<Request>| {
        let bodies = seen.into_iter().filter(|it| it.method == "PUT");
        bodies.map(|it| it.header("x-amz-checksum-sha256").is_some()).collect::<Vec<_>>()
    };
    for name in [SMALL, database] {
        proxy.take_seen();
        let backup = deliver(&api, name, "completed");
        assert!(is_stored(&console, &server, &backup));
        let sums = sums(proxy.take_seen());
        assert!(sums.len() >= 2 && sums.iter().all(|it| *it), "{sums:?}");
    }
    let off = serde_json::json!({ "settings": with(on, "checksums", false) });
    api.patch("/api/v1/destinations/bucket", &off).expect(200);
    for name in [SMALL, database] {
        proxy.take_seen();
        let backup = deliver(&api, name, "completed");
        assert!(is_stored(&console, &server, &backup));
        assert!(!sums(proxy.take_seen()).contains(&true));
    }
}

#[test]
fn the_bucket_can_be_part_of_the_hosts_name() {
    let server = S3Server::s3s_at("s3.test");
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = folder.path().join("hosts");
    fs::write(&hosts, "127.0.0.1 localhost\n127.0.0.1 backups.s3.test\n").expect("written");
    // The console alone sees other names of hosts.
    let wrapper = folder.path().join("wrapper");
    let script = format!(
        "#!/bin/sh\nexec unshare --map-root-user --mount sh -c \
         'mount --bind {} /etc/hosts && exec \"$@\"' sh \"$@\"\n",
        hosts.display()
    );
    fs::write(&wrapper, script).expect("written");
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).expect("it may run");
    let console = Console::builder().through(wrapper).start();
    let api = console.api();
    let endpoint = format!("http://s3.test:{}", server.port());
    let settings = with(with(settings(0), "endpoint", endpoint), "style", "host");
    add(&api, &settings);
    let host = format!("backups.s3.test:{}", server.port());
    let told = check(&api, false);
    assert!(told.contains(&host), "{told}");
    let wish = serde_json::json!({ "hosts": [format!("*.s3.test:{} private", server.port())] });
    let list = api.get("/api/v1/plugins").expect(200).json();
    let list = list["plugins"].as_array().expect("a list");
    let s3 = list.iter().find(|it| it["about"]["id"] == "s3").expect("bundled");
    let hash = s3["hash"].as_str().expect("a hash");
    api.post(&format!("/api/v1/plugins/{hash}/approve"), &wish).expect(200);
    let told = api.get("/api/v1/destinations/bucket").expect(200).json();
    assert!(told["problem"].is_null(), "{told}");
    assert_eq!(check(&api, true), "The bucket backups is there and may be written to");
    let backup = deliver(&api, SMALL, "completed");
    assert!(is_stored(&console, &server, &backup));
}
