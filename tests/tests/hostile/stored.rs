//! Untrue words about what is stored, and ways out of the granted folder.

use std::{fs, os::unix::fs::symlink};

use serde_json::json;

use crate::stage::Stage;

#[test]
fn what_is_not_stored_whole_is_not_called_stored() {
    let unread = "the plugin reports success, but read only * of the file's * bytes: the delivery does not count";
    Stage::new(&[]).play(&[
        (
            json!({ "mode": "claims-more" }),
            "failed",
            "the plugin reports * stored bytes, but the file has *: the delivery does not count",
        ),
        (
            json!({ "mode": "claims-fewer" }),
            "failed",
            "the plugin reports * stored bytes, but the file has *: the delivery does not count",
        ),
        (
            json!({ "mode": "reads-nothing" }),
            "failed",
            "the plugin reports success, but read only 0 of the file's * bytes: the delivery does not count",
        ),
        (json!({ "mode": "reads-half" }), "failed", unread),
        (json!({ "mode": "reads-end" }), "failed", unread),
        (json!({ "mode": "opens-only" }), "failed", unread),
        (
            json!({ "mode": "reads-outside" }),
            "failed",
            "the file has * bytes, and no such part",
        ),
        (
            json!({ "mode": "receipt-long" }),
            "failed",
            "the plugin's answer is not what the contract allows: a location has 1 to 4096 bytes and no control characters",
        ),
        (
            json!({ "mode": "receipt-empty" }),
            "failed",
            "the plugin's answer is not what the contract allows: a location has 1 to 4096 bytes and no control characters",
        ),
        (
            json!({ "mode": "receipt-odd" }),
            "failed",
            "the plugin's answer is not what the contract allows: a location has 1 to 4096 bytes and no control characters",
        ),
    ]);
}

#[test]
fn nothing_leads_out_of_the_granted_folder() {
    let mut stage = Stage::new(&[]);
    let outside = stage.console.folder().join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("file"), "kept").expect("a file");
    // Somebody else has put links there.
    symlink(&outside, stage.granted.join("planted")).expect("a link");
    symlink(outside.join("file"), stage.granted.join("planted-file")).expect("a link");
    symlink("../outside/file", stage.granted.join("planted-up")).expect("a link");
    fs::write(stage.granted.join("own"), "its own").expect("a file");
    let read = |path: &str| json!({ "mode": "read", "path": path });
    let no_touch = |path: &str| format!("{path} may not be touched");
    let no_link = |path: &str| format!("{path} is a link, and links are not followed");
    stage.play(&[
        (json!({ "mode": "escape" }), "completed", "nothing led out"),
        (json!({ "mode": "folders" }), "completed", "/data"),
        (json!({ "mode": "environment" }), "completed", "arguments=Args { inner: [] }"),
        (read("own"), "completed", "its own"),
        (read("planted/file"), "failed", &no_touch("planted/file")),
        (read("planted-file"), "failed", &no_link("planted-file")),
        (read("planted-up"), "failed", &no_link("planted-up")),
        (read("../outside/file"), "failed", &no_touch("../outside/file")),
        (read("/etc/passwd"), "failed", &no_touch("/etc/passwd")),
        (read("planted/../../outside/file"), "failed", &no_touch("planted/../../outside/file")),
    ]);
    let names: Vec<_> = fs::read_dir(&outside)
        .expect("the folder")
        .map(|it| it.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["file"]);
    assert_eq!(fs::read_to_string(outside.join("file")).expect("the file"), "kept");
    assert!(!stage.console.folder().join("cofferdam-file").exists());
}
