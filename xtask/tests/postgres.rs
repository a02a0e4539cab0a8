//! The scratch server, as tests use it.

use std::path::PathBuf;

use xtask::{
    postgres::{Cluster, Durability, Programs},
    process::free_port,
    sample,
};

fn folder(name: &str) -> PathBuf {
    // Not below the target folder: the account that runs PostgreSQL may not reach it.
    let folder =
        std::env::temp_dir().join(format!("cofferdam-{name}-{}", free_port().expect("a port")));
    std::fs::create_dir(&folder).expect("a folder");
    folder
}

#[test]
fn a_server_starts_holds_the_shop_and_is_gone_when_dropped() {
    let base = folder("sample");
    let programs = Programs::find().expect("PostgreSQL is installed");
    let cluster = Cluster::start(programs.clone(), &base, Durability::None).expect("it starts");
    assert!(sample::create(&cluster, 400).expect("the shop is made"));
    assert!(!sample::create(&cluster, 400).expect("the shop is there"));
    let count = cluster.psql("shop", "SELECT count(*) FROM order_lines;").expect("it answers");
    assert_eq!(count, "1200");
    assert!(cluster.dump("shop").expect("a dump").contains("CREATE TRIGGER orders_note_change"));
    let pid = cluster.pid().expect("we started it");
    let port = cluster.port();

    // A second start finds it running, and leaves it running.
    let again = Cluster::start(programs.clone(), &base, Durability::None).expect("it is found");
    assert!(!again.is_ours());
    drop(again);
    assert_eq!(cluster.psql("postgres", "SELECT 1;").expect("it answers"), "1");

    drop(cluster);
    assert!(!PathBuf::from(format!("/proc/{pid}")).exists());
    let restarted = Cluster::start(programs, &base, Durability::None).expect("it starts again");
    assert_eq!(restarted.port(), port);
    assert_eq!(restarted.psql("shop", "SELECT count(*) FROM orders;").expect("rows"), "400");
    drop(restarted);
    std::fs::remove_dir_all(base).expect("removed");
}

#[test]
fn an_error_in_sql_is_told_with_psqls_words() {
    let base = folder("error");
    let programs = Programs::find().expect("PostgreSQL is installed");
    let cluster = Cluster::start(programs, &base, Durability::None).expect("it starts");
    let error = cluster.psql("postgres", "SELECT 1/0; SELECT 2;").expect_err("no such number");
    assert!(format!("{error:#}").contains("division by zero"), "{error:#}");
    assert!(cluster.create_db("postgres").is_err());
    drop(cluster);
    std::fs::remove_dir_all(base).expect("removed");
}
