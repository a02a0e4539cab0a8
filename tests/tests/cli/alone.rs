//! Backups made and kept by the command line alone, with no console anywhere.

use cofferdam_tests::{TestCluster, held};

use crate::shell::Shell;

#[test]
fn a_postgresql_database_is_backed_up_shown_pinned_down_and_deleted() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 100);
    let shell = Shell::new().env("DATABASE_URL", cluster.url("shop"));
    let made = shell
        .run(&["backup", "create", "shop", "--description", "by hand", "--level", "9", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&made["status"], &made["trigger"], &made["description"]),
        (&"completed".into(), &"cli".into(), &"by hand".into())
    );
    let id = made["id"].as_str().expect("an id");
    let shown = shell.run(&["backup", "show", id]).expect(0);
    for part in [
        "Database",
        "shop",
        "completed",
        "SHA-256",
        made["sha256"].as_str().expect("a hash"),
        "pg_dump",
        "by hand",
    ] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let document = shell.run(&["backup", "show", id, "--json"]).expect(0).json();
    assert_eq!(document["sha256"], made["sha256"]);
    assert!(document["log"].as_array().is_some_and(|lines| !lines.is_empty()));

    let file = shell.path("data/backups").join(made["filename"].as_str().expect("a name"));
    cluster.create_db("copy");
    let sql = std::process::Command::new("gunzip").arg("-c").arg(&file).output().expect("gunzip");
    cluster.psql("copy", &String::from_utf8(sql.stdout).expect("SQL"));
    cluster.assert_same("shop", "copy");

    shell.run(&["backup", "delete", id]).expect(1).says("--yes");
    assert!(file.exists());
    let told = shell.run(&["backup", "delete", id, "--yes"]).expect(0);
    assert!(told.out.contains("was deleted") && !file.exists(), "{}", told.out);
    assert_eq!(shell.run(&["backup", "list"]).expect(0).out, "No backup fits.\n");
    shell.run(&["backup", "create", "shop", "--format", "custom"]).expect(0);
    assert!(shell.run(&["backup", "list"]).out.contains(".dump"));
}

#[test]
fn a_backup_that_fails_is_1_with_the_reason_and_leaves_its_record() {
    let shell = Shell::new();
    let missing = shell.path("no.db");
    let url = format!("sqlite:{}", missing.display());
    shell.run(&["database", "add", &url, "--name", "gone"]).expect(0);
    let told = shell.run(&["backup", "create", "gone"]).expect(1);
    assert!(told.out.is_empty() && told.err.starts_with("cofferdam: "), "{}", told.err);
    let json = shell.run(&["backup", "create", "gone", "--json"]).expect(1).json();
    assert_eq!(json["status"], "failed");
    let list = shell.run(&["backup", "list", "--status", "failed", "--json"]).expect(0).json();
    assert_eq!(list["total"], 2);
    shell
        .run(&["backup", "cancel", json["id"].as_str().expect("an id")])
        .expect(1)
        .says("over already");
}

#[test]
fn the_list_is_filtered_and_paged() {
    let shell = Shell::new();
    for description in ["one", "two", "three"] {
        shell.run(&["backup", "create", "cofferdam", "--description", description]).expect(0);
    }
    let count = |arguments: &[&str]| {
        let all = [&["backup", "list", "--json"], arguments].concat();
        let page = shell.run(&all).expect(0).json();
        (page["backups"].as_array().map(Vec::len), page["total"].as_u64())
    };
    assert_eq!(count(&[]), (Some(3), Some(3)));
    assert_eq!(count(&["--limit", "2"]), (Some(2), Some(3)));
    assert_eq!(count(&["--limit", "2", "--offset", "2"]), (Some(1), Some(3)));
    assert_eq!(count(&["-q", "two"]), (Some(1), Some(1)));
    assert_eq!(count(&["--database", "cofferdam", "--status", "failed"]), (Some(0), Some(0)));
    assert_eq!(count(&["--status", "completed,failed"]), (Some(3), Some(3)));
    let told = shell.run(&["backup", "list", "--limit", "2"]).expect(0);
    assert!(told.out.contains("2 of 3; go on with --offset 2"), "{}", told.out);
}

#[test]
fn an_interrupt_cancels_the_backup_and_leaves_no_half_a_file() {
    use rustix::process::{Pid, Signal, kill_process};
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let shell = Shell::new().env("DATABASE_URL", cluster.url("wide"));
    let mut command = shell.command(&["backup", "create", "wide"]);
    let log = std::fs::File::create(shell.path("log")).expect("a log");
    let mut child = command.stderr(log).spawn().expect("it starts");
    let held = cofferdam_tests::wait_until("a dump", std::time::Duration::from_secs(30), || {
        held::stop_dump(child.id())
    });
    kill_process(Pid::from_child(&child), Signal::INT).expect("it arrives");
    let status = xtask::process::wait_at_most(&mut child, std::time::Duration::from_secs(30))
        .expect("waited");
    drop(held);
    let said = std::fs::read_to_string(shell.path("log")).expect("the log");
    let status = status.unwrap_or_else(|| {
        child.kill().expect("killed");
        panic!("it goes on: {said}")
    });
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("cancelled"), "{said}");
    let list = shell.run(&["backup", "list", "--json"]).expect(0).json();
    assert_eq!(list["backups"][0]["status"], "cancelled");
    let left: Vec<_> = std::fs::read_dir(shell.path("data/backups"))
        .expect("the folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains("wide"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
