//! What the S3 plugin makes of a service that shows too little, or says what
//! cannot be: what is good stays, and what is not proven is not called stored.

use std::fs;

use cofferdam_tests::{
    S3Server,
    s3_proxy::Fault,
    s3_server::BUCKET,
    wire::{Answer, Request},
};

use crate::{
    s3_faults::{Stage, completes, error, is_file, is_part, is_sidecar, script},
    support::{SMALL, deliver, detail, retry},
};

/// The second service looks at the form of a signature only.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request";

fn told(backup: &serde_json::Value) -> &str {
    backup["deliveries"][0]["error"].as_str().expect("an error")
}

/// Whether a request is about the file itself, and not about its sidecar.
fn looks(request: &Request) -> bool {
    request.method == "HEAD" && !is_sidecar(request.path())
}

#[test]
fn what_is_not_shown_after_its_upload_is_not_called_stored_and_found_later() {
    let stage = Stage::new();
    for database in [SMALL, stage.large()] {
        stage.proxy.faults(
            |it| {
                if looks(it) { Fault::Answer(Answer::new(404)) } else { Fault::None }
            },
        );
        let backup = deliver(&stage.api, database, "retrying");
        assert_eq!(told(&backup), "looking at what was stored: the service does not show it");
        assert!(backup["deliveries"][0]["location"].is_null());
        stage.proxy.faults(|_| Fault::None);
        stage.proxy.take_seen();
        let backup = retry(&stage.api, &backup, "completed");
        assert_eq!(backup["deliveries"][0]["note"], "it was there already");
        assert!(stage.is_stored(&backup));
        let seen = stage.proxy.take_seen();
        assert!(!seen.iter().any(|it| is_file(it) || completes(it)), "it is not sent again");
    }
}

#[test]
fn a_fault_after_the_upload_takes_no_good_object_away() {
    let stage = Stage::new();
    for database in [SMALL, stage.large()] {
        let mut stored = false;
        stage.proxy.faults(move |it| {
            stored |= is_file(it) && it.query("partNumber").is_none() || completes(it);
            if stored && looks(it) { Fault::Answer(Answer::new(503)) } else { Fault::None }
        });
        stage.proxy.take_seen();
        let backup = deliver(&stage.api, database, "retrying");
        assert!(told(&backup).starts_with("looking at what was stored: "), "{}", told(&backup));
        let seen = stage.proxy.take_seen();
        assert!(!seen.iter().any(|it| it.method == "DELETE"), "nothing is removed");
        stage.proxy.faults(|_| Fault::None);
        let backup = retry(&stage.api, &backup, "completed");
        assert_eq!(backup["deliveries"][0]["note"], "it was there already");
        assert!(stage.is_stored(&backup));
        let seen = stage.proxy.take_seen();
        assert!(!seen.iter().any(|it| is_file(it) || completes(it)), "it is not sent again");
    }
}

#[test]
fn a_key_that_may_only_write_stores_and_the_note_says_that_nobody_looked() {
    let stage = Stage::new();
    stage.proxy.faults(|it| {
        if it.method == "HEAD" { Fault::Answer(Answer::new(403)) } else { Fault::None }
    });
    let backup = deliver(&stage.api, SMALL, "completed");
    assert!(stage.is_stored(&backup));
    let note = backup["deliveries"][0]["note"].as_str().expect("a note");
    assert_eq!(note, "not looked at once more, which the access key may not");
}

#[test]
fn a_lost_answer_that_nobody_may_look_into_is_told_as_what_it_is() {
    let stage = Stage::new();
    let mut lost = false;
    stage.proxy.faults(move |it| match () {
        () if it.method == "HEAD" => Fault::Answer(Answer::new(403)),
        () if is_file(it) && !std::mem::replace(&mut lost, is_file(it)) => Fault::Lost,
        () => Fault::None,
    });
    let backup = deliver(&stage.api, SMALL, "failed");
    let told = told(&backup);
    assert!(
        told.contains("this backup, by an attempt whose answer was lost, or another"),
        "{told}"
    );
    assert!(told.contains("HINT: let the key read objects"), "{told}");
    assert!(backup["deliveries"][0]["location"].is_null());
}

#[test]
fn an_upload_is_whole_when_the_service_says_so_and_not_when_it_says_something_else() {
    let stage = Stage::new();
    let database = stage.large();
    let html = || Answer::new(200).body("<html>all is well</html>");
    // It has put the parts together; what came in place of its answer says nothing.
    for answer in [Answer::new(200), html()] {
        stage.proxy.faults(script(vec![Fault::Instead(answer)], completes));
        let backup = deliver(&stage.api, database, "completed");
        assert!(stage.is_stored(&backup));
    }
    // It was never asked.
    let objects = stage.server.keys().iter().filter(|key| !is_sidecar(key)).count();
    stage.proxy.faults(move |it| if completes(it) { Fault::Answer(html()) } else { Fault::None });
    let backup = deliver(&stage.api, database, "retrying");
    let wanted = "putting the parts together: the service's answer cannot be read";
    assert_eq!(told(&backup), wanted);
    assert!(backup["deliveries"][0]["location"].is_null());
    assert_eq!(stage.server.loose_parts(), 0, "it was ended");
    assert_eq!(stage.server.keys().iter().filter(|key| !is_sidecar(key)).count(), objects);
}

#[test]
fn a_sidecar_of_somebody_else_is_never_replaced_and_an_own_one_is() {
    let stage = Stage::new();
    let object = stage.object();
    let mine = "somebody else's";
    stage.proxy.faults(move |request| {
        if request.method == "PUT" && is_sidecar(request.path()) {
            let file = object(request);
            fs::create_dir_all(file.parent().expect("the bucket")).expect("made");
            fs::write(file, mine).expect("written");
        }
        Fault::None
    });
    let backup = deliver(&stage.api, SMALL, "failed");
    assert!(told(&backup).starts_with("the sidecar: another file is at backups/"), "{backup}");
    let name = backup["filename"].as_str().expect("a name");
    let keys = stage.server.keys();
    let [key] = &keys[..] else { panic!("{keys:?}") };
    assert_eq!(*key, format!("{}{name}.json", key.split(name).next().unwrap_or_default()));
    assert_eq!(fs::read_to_string(stage.server.object(key)).expect("it is there"), mine);

    // Of this backup: left by an attempt that came no further.
    let busy = error(503, "SlowDown").header("retry-after", "60");
    stage
        .proxy
        .faults(move |it| if is_file(it) { Fault::Answer(busy.clone()) } else { Fault::None });
    let backup = deliver(&stage.api, SMALL, "retrying");
    let name = backup["filename"].as_str().expect("a name").to_owned();
    let keys = stage.server.keys();
    let own = keys.iter().find(|key| key.contains(&name)).expect("its sidecar");
    let whole = fs::read(stage.server.object(own)).expect("it is there");
    fs::write(stage.server.object(own), "an older one").expect("written");
    stage.proxy.faults(|_| Fault::None);
    let backup = retry(&stage.api, &backup, "completed");
    assert!(stage.is_stored(&backup));
    assert_eq!(fs::read(stage.server.object(own)).expect("it is there"), whole);
}

#[test]
fn parts_that_may_be_left_are_told_of_and_the_next_attempt_ends_them() {
    // The one of the two that lists unfinished uploads.
    let stage = Stage::at(S3Server::moto(), "part_size", "5 MiB");
    let unfinished = || {
        let list = format!("http://127.0.0.1:{}/{BUCKET}?uploads", stage.server.port());
        let list = ureq::get(list).header("authorization", SIGNED).call().expect("a list");
        let list = list.into_body().read_to_string().expect("text");
        list.matches("<UploadId>").count()
    };
    let ends = |it: &Request| it.method == "DELETE" && it.query("uploadId").is_some();
    let broken = error(500, "InternalError");
    stage.proxy.faults(move |it| {
        if is_part(it, "2") || ends(it) { Fault::Answer(broken.clone()) } else { Fault::None }
    });
    let backup = deliver(&stage.api, stage.large(), "retrying");
    assert_eq!(told(&backup), "part 2: InternalError (HTTP 500): Said by a test.");
    assert_eq!(unfinished(), 1);
    let log = detail(&stage.api, &backup)["history"][0]["log"].to_string();
    for words in [
        "ending the upload: InternalError (HTTP 500)",
        "parts of the unfinished upload ",
        "HINT: the next attempt ends it, if the access key may list uploads",
        "AbortIncompleteMultipartUpload",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    stage.proxy.faults(|_| Fault::None);
    let backup = retry(&stage.api, &backup, "completed");
    assert_eq!(unfinished(), 0);
    let log = detail(&stage.api, &backup)["history"][1]["log"].to_string();
    assert!(log.contains("ended an unfinished upload of an earlier attempt"), "{log}");
}
