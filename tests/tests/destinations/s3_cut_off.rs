//! A console that is killed while a backup is on its way.

use std::time::Duration;

use cofferdam_tests::{Console, S3Proxy, S3Server, s3_proxy::Fault, wait_until};

use crate::{
    s3_faults::is_file,
    support::{PATIENCE, SMALL, add, detail, is_stored, path, retry, settings, until},
};

#[test]
fn a_delivery_that_its_console_did_not_survive_is_told_as_interrupted_and_made_by_the_next() {
    let server = S3Server::s3s();
    let proxy = S3Proxy::to(server.port());
    let mut console = Console::builder().start();
    let api = console.api();
    add(&api, &settings(proxy.port()));
    // Its sidecar is there when the file meets a server that says nothing.
    let silent = Fault::Slow(Duration::from_hours(1));
    proxy.faults(move |it| if is_file(it) { silent.clone() } else { Fault::None });
    let backup = api.back_up(SMALL);
    wait_until("the file on its way", PATIENCE, || {
        proxy.take_seen().iter().any(is_file).then_some(())
    });
    until(&api, &path(&backup), "running");

    console.kill9();
    proxy.faults(|_| Fault::None);
    console.restart();
    // Whatever its lease says: the one who held it was this machine's only console.
    let api = console.api();
    let cut = until(&api, &path(&backup), "retrying");
    assert_eq!(cut["status"], "completed", "the backup is none the worse for it");
    let delivery = &cut["deliveries"][0];
    let told = delivery["error"].as_str().expect("a reason");
    assert_eq!(told, "the console was stopped or killed while it ran");
    assert!(delivery["next_attempt_at"].is_string() && delivery["location"].is_null());
    let first = detail(&api, &cut)["history"][0].clone();
    assert_eq!((&first["outcome"], &first["error"]), (&"interrupted".into(), &told.into()));
    assert!(first["ended_at"].is_string(), "{first}");
    assert!(!proxy.take_seen().iter().any(is_file), "it is not sent again before its time");

    let done = retry(&api, &cut, "completed");
    assert!(is_stored(&console, &server, &done));
    assert_eq!(server.keys().len(), 2, "one file and one sidecar");
    let history = detail(&api, &done)["history"].clone();
    let outcomes: Vec<_> =
        history.as_array().expect("a list").iter().map(|it| &it["outcome"]).collect();
    assert_eq!(outcomes, ["interrupted", "completed"]);
}
