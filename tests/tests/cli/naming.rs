//! How backups and databases are named on the command line.

use crate::shell::Shell;

#[test]
fn the_end_of_an_identifier_or_the_files_name_is_enough() {
    let shell = Shell::new();
    let made = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let id = made["id"].as_str().expect("an id");
    let (end, file) = (&id[30..], made["filename"].as_str().expect("a name"));
    for key in [id, end, file] {
        assert!(shell.run(&["backup", "show", key]).expect(0).out.contains(file));
    }
    shell.run(&["backup", "download", end, "-o", "copy"]).expect(0);
    shell.run(&["backup", "pin", end]).expect(0);
    shell.run(&["backup", "pin", file, "--off"]).expect(0);
    shell.run(&["backup", "cancel", end]).expect(1).says("over already");
    let told = shell.run(&["backup", "label", end, "monthly,before move", "legal"]).expect(0);
    assert_eq!(told.out, "before move, legal, monthly\n");
    shell.run(&["backup", "label", end]).expect(2).says("--none");
    shell.run(&["backup", "label", end, "x", "--none"]).expect(2);
    assert_eq!(shell.run(&["backup", "label", end, "--none"]).expect(0).out, "No labels\n");

    let other = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let other = other["id"].as_str().expect("an id");
    let refused = shell.run(&["backup", "delete", "--yes", &id[..6]]).expect(1);
    refused.says("fits several backups").says(id).says(other).says("HINT:");
    let told = shell.run(&["backup", "delete", "--yes", "--json", end]).expect(0);
    assert_eq!(told.json()["deleted"], id);
    shell.run(&["backup", "show", end]).expect(1).says("no such backup");
}

#[test]
fn a_database_that_nobody_knows_is_not_one_without_backups() {
    let shell = Shell::new();
    shell.run(&["backup", "create", "typo"]).expect(2);
    shell.run(&["backup", "list", "--database", "typo"]).expect(1).says("no such database");
    shell.run(&["backup", "list", "--database", "cofferdam"]).expect(0);
    shell.run(&["backup", "create", "cofferdam"]).expect(0);
    shell.run(&["database", "remove", "--yes", "cofferdam"]).expect(0);
    // Its backups are still here, and so is its name.
    let list = shell.run(&["backup", "list", "--database", "cofferdam"]).expect(0);
    assert!(list.out.contains("backup_cofferdam_"), "{}", list.out);
    let list = ["backup", "list", "--database", "cofferdam", "--status", "failed"];
    assert_eq!(shell.run(&list).expect(0).out, "No backup fits.\n");
}

#[test]
fn the_list_says_what_became_of_a_file_why_a_run_failed_and_what_is_kept() {
    let shell = Shell::new();
    let made = |database: &str, code| {
        let told = shell.run(&["backup", "create", database, "--json"]).expect(code);
        told.json()["id"].as_str().expect("an id").to_owned()
    };
    let kept = made("cofferdam", 0);
    shell.run(&["backup", "pin", &kept]).expect(0);
    let gone = shell.run(&["backup", "create", "cofferdam", "--json"]).expect(0).json();
    let name = gone["filename"].as_str().expect("a name");
    std::fs::remove_file(shell.path("data/backups").join(name)).expect("removed");
    // Looking at it finds out.
    shell.run(&["backup", "download", gone["id"].as_str().expect("an id")]).expect(1);
    shell.run(&["database", "add", "sqlite:no.db", "--name", "no"]).expect(0);
    let failed = made("no", 1);
    let list = shell.run(&["backup", "list"]).expect(0).out;
    let row = |id: &str| list.lines().find(|line| line.starts_with(id)).expect("a row").to_owned();
    assert!(row(&kept).contains("completed, pinned"), "{list}");
    assert!(row(gone["id"].as_str().expect("an id")).contains("file missing"), "{list}");
    let error = shell.run(&["backup", "show", &failed, "--json"]).expect(0).json();
    let why = format!("failed: {}", error["error"]["kind"].as_str().expect("a kind"));
    assert!(row(&failed).contains(&why), "{list}");
}
