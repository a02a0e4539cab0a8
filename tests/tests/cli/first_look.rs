//! Adding a database tells at once whether it is there.

use std::process::Command;

use cofferdam_tests::{Console, TestCluster};

use crate::shell::Shell;

#[test]
fn adding_a_database_says_what_answers_or_why_nothing_does() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 20);
    let shell = Shell::new();
    let add = |url: &str, name: &str| {
        let password = format!("{}\n", cluster.password());
        shell.run_with(&["database", "add", url, "--name", name, "--password-stdin"], &password)
    };
    let url = format!("postgres://postgres@127.0.0.1:{}/shop", cluster.port());
    let told = add(&url, "shop").expect(0);
    assert!(told.out.contains("PostgreSQL 15") && told.out.contains("a backup would work"));
    let told = add(&url, "twin").expect(0);
    assert!(told.out.contains("The same place is listed already as shop."), "{}", told.out);
    cluster.psql("shop", "CREATE ROLE weak LOGIN PASSWORD 'weak';");
    let url = format!("postgres://weak@127.0.0.1:{}/shop", cluster.port());
    let args = ["database", "add", &url, "--name", "weak", "--password-stdin"];
    let told = shell.run_with(&args, "weak\n").expect(0);
    assert!(told.out.contains("a backup would fail now:") && told.out.contains("HINT:"));
    let told = add("postgres://postgres@127.0.0.1:1/shop", "down").expect(0);
    assert!(told.out.contains("cannot be reached") && told.out.contains("HINT:"), "{}", told.out);
    let told = shell.run(&["database", "add", "sqlite:no.db"]).expect(0);
    assert!(told.out.contains("there is no file"), "{}", told.out);
    assert!(told.out.contains(shell.path("no.db").to_str().expect("a path")), "{}", told.out);
}

#[test]
fn a_relative_path_is_taken_from_here_and_never_sent_elsewhere() {
    let console = Console::builder().start();
    let token = console.api().token().expect("a token").to_owned();
    let afar = Shell::new().env("COFFERDAM_SERVER", console.url()).env("COFFERDAM_TOKEN", token);
    let refused = afar.run(&["database", "add", "sqlite:blog.db"]).expect(2);
    refused.says("on the console's machine").says("HINT:");
    let shell = Shell::new();
    let made = Command::new("sqlite3")
        .arg(shell.path("blog.db"))
        .arg("CREATE TABLE t AS SELECT 1 AS n;")
        .status()
        .expect("sqlite3");
    assert!(made.success());
    let told = shell.run(&["database", "add", "sqlite:blog.db"]).expect(0);
    assert!(told.out.contains("answers; a backup would work."), "{}", told.out);
}
