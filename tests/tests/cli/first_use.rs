//! The first minutes with Cofferdam: what works with nothing prepared, and how mistakes are met.

use std::{fs, io::Read as _, process::Stdio};

use crate::shell::Shell;

#[test]
fn the_very_first_command_can_be_a_backup() {
    let shell = Shell::new();
    let told = shell.run(&["backup", "create", "cofferdam"]).expect(0);
    let name = told.out.split_whitespace().next().expect("a name");
    assert!(name.starts_with("backup_cofferdam_") && name.ends_with(".sql.gz"), "{}", told.out);
    let file = shell.path("data/backups").join(name);
    let test = std::process::Command::new("gzip").arg("-t").arg(&file).status().expect("gzip");
    assert!(test.success());
    let list = shell.run(&["backup", "list"]).expect(0);
    assert!(
        list.out.starts_with("ID") && list.out.contains("completed") && list.out.contains(name),
        "{}",
        list.out
    );
    let databases = shell.run(&["database", "list"]).expect(0);
    assert!(
        databases.out.contains("cofferdam") && databases.out.contains("SQLite"),
        "{}",
        databases.out
    );
    assert!(shell.run(&["user", "list"]).expect(0).out.starts_with("NAME"));
}

#[test]
fn wrong_usage_is_2_and_says_what_is_right() {
    let shell = Shell::new();
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["backup"],
        &["backup", "create"],
        &["backup", "list", "--limit", "many"],
        &["database", "add"],
        &["database", "add", "sqlite:x", "--url-stdin"],
        &["backup", "create", "cofferdam", "--level", "x"],
    ] {
        let told = shell.run(arguments).expect(2);
        assert!(told.out.is_empty() && told.err.contains("--help"), "{arguments:?}: {}", told.err);
    }
    for (arguments, said) in [
        (&["backup", "create", "nothing"][..], "database: there is no such database"),
        (&["backup", "create", "cofferdam", "--level", "10"], "compression_level"),
        (&["backup", "create", "cofferdam", "--format", "zip"], "format"),
        (&["backup", "create", "cofferdam", "--description", "a\nb"], "description"),
        (&["backup", "list", "--status", "done"], "status"),
        (&["backup", "list", "--limit", "0"], "limit"),
        (&["--token", "t", "backup", "list"], "--server"),
        (&["database", "add", "sqlite:x", "--name", "Not So"], "name"),
    ] {
        shell.run(arguments).expect(2).says(said);
    }
    for arguments in [["--help"].as_slice(), &["--version"], &["backup", "create", "--help"]] {
        let told = shell.run(arguments).expect(0);
        assert!(told.err.is_empty() && !told.out.is_empty());
    }
    assert!(
        shell
            .run(&["--help"])
            .out
            .contains("Exit status: 0 done, 1 failed or cancelled, 2 wrong usage")
    );
}

#[test]
fn what_is_not_there_is_1_and_a_sentence() {
    let shell = Shell::new();
    let first = shell.run(&["backup", "create", "nothing"]).expect(2);
    assert!(first.err.starts_with("cofferdam: There was no catalog yet"), "{}", first.err);
    let nobody = "01890a5d-ac96-774b-bcce-b302099a8057";
    for id in [nobody, "x", "../../etc/passwd", ""] {
        for arguments in [
            &["backup", "show", id][..],
            &["backup", "download", id, "-o", "f"],
            &["backup", "delete", "--yes", id],
            &["backup", "cancel", id],
            &["database", "check", id],
            &["database", "remove", "--yes", id],
        ] {
            let told = shell.run(arguments).expect(1);
            assert!(
                told.err.starts_with("cofferdam: there is no such "),
                "{arguments:?}: {}",
                told.err
            );
            assert!(told.out.is_empty());
        }
    }
    assert!(!shell.path("f").exists() && !shell.path("f.partial").exists());
}

#[test]
fn looking_where_there_is_no_catalog_makes_none() {
    let shell = Shell::new().env("DATABASE_URL", "sqlite:blog.db");
    for arguments in [
        &["backup", "list"][..],
        &["backup", "show", "x"],
        &["backup", "delete", "--yes", "x"],
        &["database", "list"],
        &["database", "check", "blog"],
        &["user", "list"],
    ] {
        let told = shell.run(arguments).expect(1);
        told.says("cofferdam: there is no catalog ").says("HINT: --data-dir");
        assert!(told.out.is_empty() && !shell.path("data").exists(), "{arguments:?}");
    }
    shell.run(&["backup", "create", "nothing"]).expect(2);
    let told = shell.run(&["database", "list"]).expect(0);
    assert!(told.out.contains("blog"), "{}", told.out);
}

#[test]
fn config_check_names_every_setting_and_fails_for_a_wrong_one() {
    let shell = Shell::new()
        .env("COFFERDAM_STALL_SECONDS", "77")
        .env("COFFERDAM_ADMIN_USER", "anna")
        .env("COFFERDAM_ADMIN_PASSWORD", "canary canary canary")
        .env("DATABASE_URL", "postgres://u:canary-too@h/d");
    let told = shell.run(&["config", "check"]).expect(0);
    for name in
        ["data_dir", "listen", "master_key", "stall_seconds", "database_url", "interval_hours"]
    {
        assert!(told.out.contains(name), "{name}: {}", told.out);
    }
    assert!(
        told.out.contains("77") && told.out.contains("COFFERDAM_STALL_SECONDS"),
        "{}",
        told.out
    );
    let json = shell.run(&["config", "check", "--json"]).expect(0);
    let listen = json.json()["settings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["name"] == "listen")
        .expect("listen")
        .clone();
    assert_eq!(listen["value"], "127.0.0.1:8080");
    for text in [told.out, json.out] {
        assert!(!text.contains("canary"), "{text}");
    }
    assert!(!shell.path("data").exists(), "looking makes nothing");
    let wrong = Shell::new().env("COFFERDAM_STALL_SECONDS", "0");
    wrong.run(&["config", "check"]).expect(1).says("stall_seconds");
    wrong.run(&["backup", "list"]).expect(1).says("stall_seconds");

    let file = wrong.path("settings.toml");
    fs::write(&file, "data_dir = \"elsewhere\"\nstall_seconds = 12\n").expect("written");
    let layered = Shell::new().env("COFFERDAM_DATA_DIR", "by-variable");
    let file = file.to_str().expect("a path");
    let told = layered
        .run(&["--config", file, "--data-dir", "by-flag", "config", "check", "--json"])
        .expect(0)
        .json();
    let of = |name: &str| {
        let all = told["settings"].as_array().expect("a list");
        all.iter().find(|it| it["name"] == name).expect("it").clone()
    };
    assert_eq!(
        (&of("data_dir")["value"], &of("data_dir")["from"]),
        (&"by-flag".into(), &"--data-dir".into())
    );
    assert_eq!(
        (&of("stall_seconds")["value"], &of("stall_seconds")["from"]),
        (&"12".into(), &format!("{file} line 2").into())
    );
}

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let shell = Shell::new();
    for number in 0..3 {
        shell
            .run(&["backup", "create", "cofferdam", "--description", &number.to_string()])
            .expect(0);
    }
    for arguments in
        [&["backup", "list"][..], &["backup", "list", "--json"], &["config", "check"], &["--help"]]
    {
        let mut child = shell
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // As `head -0` would: nobody reads.
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
        child.wait().expect("it ends");
        assert!(!err.contains("panicked") && !err.contains("Broken pipe"), "{arguments:?}: {err}");
    }
}
