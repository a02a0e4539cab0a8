//! Settings of the S3 plugin, as a service sees them.

use std::fs;

use cofferdam_tests::{Console, S3Proxy, S3Server, wire::Request};

use crate::support::{
    SMALL, add, checksum, deliver, is_stored, large, own_file, settings, sha256, with,
};

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

/// That each checksum is that of the body that it came with, and that the parts
/// are put together by the same ones.
fn are_true(seen: &[Request]) {
    let mut parts = Vec::new();
    for request in seen.iter().filter(|it| it.method == "PUT") {
        let sum = checksum(&request.body);
        assert_eq!(request.header("x-amz-checksum-sha256"), Some(&*sum), "{}", request.target);
        if request.query("partNumber").is_some() {
            parts.push(sum);
        }
    }
    let completes = |it: &&Request| it.method == "POST" && it.query("uploadId").is_some();
    let named: Vec<_> = seen.iter().filter(completes).map(Request::text).collect();
    assert_eq!(named.len(), usize::from(!parts.is_empty()));
    for text in named {
        let all = text.split("<ChecksumSHA256>").skip(1);
        let all: Vec<_> = all.filter_map(|it| it.split('<').next()).collect();
        assert_eq!(all, parts);
    }
}

#[test]
fn the_second_service_tells_the_checksum_of_what_it_was_sent_and_that_of_the_parts_checksums() {
    let server = S3Server::moto();
    let proxy = S3Proxy::to(server.port());
    let console = Console::builder().start();
    let api = console.api();
    // With a lock it is told which checksum it is; without, this service forgets it.
    let settings = with(settings(proxy.port()), "lock", "GOVERNANCE");
    add(&api, &with(settings, "part_size", "5 MiB"));
    let told = |backup: &serde_json::Value| {
        let location = backup["deliveries"][0]["location"].as_str().expect("a location");
        server.head(location).expect("it is there").get("x-amz-checksum-sha256").cloned()
    };
    let small = deliver(&api, SMALL, "completed");
    let file = fs::read(own_file(&console, &small)).expect("the file");
    assert_eq!(told(&small), Some(checksum(&file)));

    let database = large(&console, &api, 6 << 20);
    proxy.take_whole();
    let big = deliver(&api, database, "completed");
    let seen = proxy.take_whole();
    are_true(&seen);
    let parts: Vec<_> = seen.iter().filter(|it| it.query("partNumber").is_some()).collect();
    let digests: Vec<u8> = parts.iter().flat_map(|it| sha256(&it.body)).collect();
    assert_eq!(parts.len(), 2);
    // Others write the number of parts behind it.
    let all = told(&big).expect("a checksum");
    assert_eq!(all.trim_end_matches("-2"), checksum(&digests));
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
        proxy.take_whole();
        let backup = deliver(&api, name, "completed");
        assert!(is_stored(&console, &server, &backup));
        let seen = proxy.take_whole();
        are_true(&seen);
        let sums = sums(seen);
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
