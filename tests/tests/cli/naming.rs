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
