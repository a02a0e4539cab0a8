//! The commands under "Restore by hand" work as they stand on the page.

use std::time::Duration;

use cofferdam_tests::{Console, TestCluster, Visitor, held};
use serde_json::json;

use crate::stage::{back_up, console_with_blog, id, run};

/// Downloads the backup and does what its page says.
async fn restore(visitor: &Visitor, backup: &str, cluster: &TestCluster) -> Vec<String> {
    visitor.open(&format!("/backups/{backup}")).await;
    visitor.press("Download").await;
    visitor.browser.downloaded(Duration::from_secs(30));
    let commands = visitor.each(".howto pre").await;
    for command in &commands {
        run(command, visitor, cluster);
    }
    commands
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_archive_is_restored_by_the_commands_of_its_page() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 300);
    let console = Console::builder().database(&cluster, "shop").start();
    let api = console.api();
    let wish = json!({ "database": "shop", "format": "custom" });
    let backup = id(&api.post("/api/v1/backups", &wish).expect(202).json());
    api.ended(&backup);
    let visitor = Visitor::administrator(&console).await;
    let commands = restore(&visitor, &backup, &cluster).await;
    assert!(commands.last().is_some_and(|it| it.starts_with("pg_restore ")), "{commands:?}");
    cluster.assert_same("shop", "newdb");
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sqlite_backup_is_restored_by_the_commands_of_its_page() {
    let cluster = TestCluster::start();
    let (console, api) = console_with_blog();
    // A virtual table comes back by writing the schema, which the shell must allow.
    let file = console.folder().join("blog.db");
    let search = "CREATE VIRTUAL TABLE search USING fts5(t); INSERT INTO search VALUES ('a fox')";
    let shell = std::process::Command::new("sqlite3").arg(&file).arg(search).status();
    assert!(shell.is_ok_and(|it| it.success()));
    let backup = back_up(&api, "blog", "");
    let visitor = Visitor::administrator(&console).await;
    let commands = restore(&visitor, &backup, &cluster).await;
    assert!(commands.iter().any(|it| it.contains(".dbconfig defensive off")), "{commands:?}");
    let source = console.folder().join("blog.db");
    // A virtual table comes last in the restored file, so the order is another one.
    let same =
        format!("diff <(sqlite3 {} .dump | sort) <(sqlite3 new.db .dump | sort)", source.display());
    run(&same, &visitor, &cluster);
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_began_while_the_backup_was_made_is_the_whole_file() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let visitor = Visitor::administrator(&console).await;
    let wish = json!({ "database": "wide" });
    let (backup, held) = held::hold_backup(&console, &console.api(), &wish);
    visitor.open(&format!("/backups/{backup}")).await;
    visitor.press("Download while it is being made").await;
    let begun = || {
        let mut files = std::fs::read_dir(visitor.browser.downloads()).ok()?;
        files.next().map(|_| ())
    };
    cofferdam_tests::wait_until("the download's first bytes", Duration::from_secs(20), begun);
    held.release();
    visitor.sees("Whole and checked").await;
    visitor.browser.downloaded(Duration::from_mins(1));
    let commands = visitor.each(".howto pre").await;
    assert!(run(&commands[0], &visitor, &cluster).contains("OK"), "the checksum of the page");
    visitor.browser.quit().await;
}
