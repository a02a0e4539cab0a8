//! What is said of mistakes, to people and to programs.

use std::fs;

use cofferdam_tests::Console;
use serde_json::Value;

use crate::shell::{Shell, Told};

/// The one JSON object on standard error.
#[track_caller]
fn object(told: &Told) -> Value {
    let value: Value = serde_json::from_str(&told.err).unwrap_or_else(|_| panic!("{}", told.err));
    assert_eq!(value["exit"], told.code, "{value}");
    assert!(value["detail"].as_str().is_some_and(|text| !text.is_empty()), "{value}");
    value
}

#[test]
fn every_wrong_setting_is_named_at_once_with_its_place() {
    let shell = Shell::new()
        .env("COFFERDAM_LOG", "loud")
        .env("COFFERDAM_KEEP_FREE", "1")
        .env("DATABASE_URL", "mysql://u:canary@h/d");
    let file = shell.path("settings.toml");
    let file = file.to_str().expect("a path");
    fs::write(file, "# ours\nstall_secconds = 1\nlisten = \"nowhere\"\n").expect("written");
    let told = shell.run(&["--config", file, "config", "check"]).expect(1);
    told.says(&format!("\"stall_secconds\" is not a setting (set by {file} line 2)"))
        .says("HINT: did you mean stall_seconds?")
        .says(&format!("(set by {file} line 3)"))
        .says("(set by COFFERDAM_LOG)")
        .says("(set by DATABASE_URL)")
        .says("did you mean COFFERDAM_KEEP_FREE_MB?");
    assert!(!told.err.contains("config check") && !told.err.contains("canary"), "{}", told.err);
    shell.run(&["backup", "list"]).expect(1).says("HINT: `cofferdam config check`");

    let told = shell.run(&["--config", file, "config", "check", "--json"]).expect(1);
    assert_eq!(object(&told)["errors"], told.json()["errors"]);
    assert_eq!(told.json()["errors"].as_array().map(Vec::len), Some(4), "{}", told.out);
    assert_eq!(told.json()["warnings"].as_array().map(Vec::len), Some(1), "{}", told.out);
    let errors = told.json()["errors"].as_array().expect("a list").clone();
    let fields: Vec<_> = errors.iter().filter_map(|it| it["field"].as_str()).collect();
    assert_eq!(fields, ["listen", "database_url", "log"], "{}", told.out);
    let flag = Shell::new().run(&["serve", "--listen", "nowhere"]).expect(1);
    flag.says("(set by --listen)");
    let afar = Shell::new().run(&["--server", "http://h", "config", "check"]).expect(2);
    afar.says("no use for --server");
}

#[test]
fn a_program_gets_its_errors_as_json_too() {
    let console = Console::builder().start();
    let token = console.api().token().expect("a token").to_owned();
    let afar = Shell::new().env("COFFERDAM_SERVER", console.url()).env("COFFERDAM_TOKEN", token);
    let here = Shell::new();
    here.run(&["backup", "create", "nothing"]).expect(2);
    for (arguments, code) in [
        (&["backup", "show", "x"][..], 1),
        (&["backup", "create", "nothing"], 2),
        (&["backup", "list", "--limit", "0"], 2),
        (&["backup", "list", "--status", "done"], 2),
        (&["backup", "list", "--database", "typo"], 1),
        (&["database", "check", "nothing"], 1),
        (&["database", "add", "mysql://h/d"], 2),
        (&["database", "add", "sqlite:/x", "--name", "Not So"], 2),
        (&["backup", "frobnicate"], 2),
    ] {
        let arguments = [&["--json"], arguments].concat();
        let (one, other) = (here.run(&arguments).expect(code), afar.run(&arguments).expect(code));
        assert!(one.out.is_empty() && other.out.is_empty(), "{arguments:?}");
        assert_eq!(object(&one), object(&other), "{arguments:?}");
    }
    drop(console);
    object(&afar.run(&["--json", "backup", "list"]).expect(1));
}
