//! Plugins and destinations on the command line, with no console anywhere.

use std::fs;

use crate::shell::Shell;

/// A folder for copies, and a destination that copies into it.
fn with_shelf(shell: &Shell) -> String {
    let folder = shell.path("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    let folder = folder.display().to_string();
    let setting = format!("folder={folder}");
    let arguments =
        ["destination", "add", "local-retention", "--name", "shelf", "--set", &setting, "--grant"];
    shell.run(&arguments).expect(0);
    folder
}

#[test]
fn a_backup_is_delivered_before_the_command_ends() {
    let shell = Shell::new();
    let folder = with_shelf(&shell);
    let checked = shell.run(&["destination", "check", "shelf"]).expect(0);
    assert!(!checked.out.trim().is_empty());
    let made = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let delivery = &made["deliveries"][0];
    assert_eq!(
        (&delivery["destination"], &delivery["status"]),
        (&"shelf".into(), &"completed".into())
    );
    let copy = format!("{folder}/{}", delivery["location"].as_str().expect("a location"));
    assert_eq!(
        fs::metadata(copy).expect("the copy").len(),
        made["size_bytes"].as_u64().expect("a size")
    );
    let id = made["id"].as_str().expect("an id");
    let shown = shell.run(&["backup", "show", id]).expect(0).out;
    assert!(shown.contains("shelf: store completed"), "{shown}");
    let list = shell.run(&["destination", "list"]).expect(0).out;
    assert!(list.contains("shelf") && list.contains("completed"), "{list}");

    // Gone here, it is fetched from there.
    let own = shell.path("data/backups").join(made["filename"].as_str().expect("a name"));
    fs::remove_file(own).expect("removed");
    let told = shell.run(&["backup", "download", id, "--output", "back.sql.gz"]).expect(0);
    assert!(told.out.contains("SHA-256 checked"), "{}", told.out);

    let here =
        shell.run(&["backup", "create", "cofferdam", "--nowhere", "--json"]).expect(0).json();
    assert_eq!(here["deliveries"], serde_json::json!([]));
    shell.run(&["destination", "remove", "shelf", "--yes"]).expect(0);
    assert!(shell.run(&["destination", "list"]).expect(0).out.contains("no destination yet"));
}

#[test]
fn a_backup_that_is_done_and_not_delivered_is_3_with_the_reason() {
    let shell = Shell::new();
    with_shelf(&shell);
    shell.run(&["plugin", "revoke", "local-retention"]).expect(0);
    let told = shell.run(&["backup", "create", "cofferdam"]).expect(3);
    assert!(told.out.contains(".sql.gz"), "{}", told.out);
    assert!(
        told.err.contains("shelf: the plugin local-retention waits for approval"),
        "{}",
        told.err
    );
    let json = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(3).json();
    assert_eq!(
        (&json["status"], &json["deliveries"][0]["status"]),
        (&"completed".into(), &"blocked".into())
    );
}

#[test]
fn plugins_are_listed_inspected_and_approved() {
    let shell = Shell::new();
    with_shelf(&shell);
    let list = shell.run(&["plugin", "list"]).expect(0).out;
    for id in ["chat", "email", "local-retention", "s3", "webhook"] {
        assert!(list.contains(id), "{id}: {list}");
    }
    let shown = shell.run(&["plugin", "inspect", "s3"]).expect(0).out;
    for words in ["S3", "SHA-256", "approved", "network", "Requests over HTTP"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    shell.run(&["plugin", "approve", "s3", "--host", "s3.example.org:443"]).expect(1).says("--yes");
    let told = shell
        .run(&["plugin", "approve", "s3", "--host", "s3.example.org:443", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(told["grants"]["hosts"][0]["host"], "s3.example.org");
    shell
        .run(&["plugin", "approve", "s3", "--mail", "--yes"])
        .expect(2)
        .says("does not ask for mail");
    shell.run(&["plugin", "inspect", "nothing"]).expect(1).says("no such plugin");
}
