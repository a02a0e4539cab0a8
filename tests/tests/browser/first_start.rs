//! From the first start to a restored database, on the pages alone.

use std::time::Duration;

use cofferdam_tests::{Api, Console, TestCluster, Visitor, held, wait_until};

use crate::stage::run;

/// Adds the database on the page and ends on its own page.
async fn add_database(visitor: &Visitor, cluster: &TestCluster, name: &str) {
    visitor.fill("#database-host", "127.0.0.1").await;
    visitor.fill("#database-port", &cluster.port().to_string()).await;
    visitor.fill("#database-dbname", name).await;
    visitor.fill("#database-user", "postgres").await;
    visitor.fill("#database-password", cluster.password()).await;
    visitor.press("Add the database").await;
    visitor.until("the database's page", "return document.querySelector('#check-title')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_set_up_link_to_a_restored_database() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 2000);
    cluster.psql(
        "shop",
        "CREATE TABLE wide AS SELECT n, md5(n::text) || md5((n * 7)::text) || md5((n * 11)::text) \
         AS noise FROM generate_series(1, 400000) AS n; ANALYZE;",
    );
    let console = Console::builder().without_administrator().start();
    let visitor = Visitor::stranger(&console).await;

    visitor.open(&console.setup_link()).await;
    assert_eq!(visitor.words("h1").await, "Set up Cofferdam");
    visitor.fill("#setup-username", "ada").await;
    visitor.fill("#setup-password", "a coffer by the dam").await;
    visitor.fill("#setup-password_again", "a coffer by the dam").await;
    visitor.press("Create the administrator").await;
    visitor.until("the overview", "return location.pathname === '/'").await;
    visitor.sees("ada").await;

    visitor.click("a[href='/databases/new']").await;
    add_database(&visitor, &cluster, "shop").await;
    assert_eq!(visitor.words("h1").await, "shop");

    visitor.press("Options").await;
    visitor.fill("#generate-description", "Before the upgrade").await;
    visitor.choose("#generate-compression_level", "6").await;
    visitor.choose("#generate-format", "plain").await;
    visitor.ask("window.stillTheSamePage = true").await;
    visitor.press("Generate Backup").await;

    // The dump stands still now and then, so that the page's steps can be seen.
    let pid = console.pid();
    let held = wait_until("pg_dump", Duration::from_secs(30), || held::stop_dump(pid));
    visitor.sees("Running").await;
    held.release();
    let api = Api::sign_in(console.url(), "ada", "a coffer by the dam");
    let held = wait_until("bytes in the file", Duration::from_mins(1), || {
        let list = api.get("/api/v1/backups").expect(200).json();
        let id = list["backups"][0]["id"].as_str()?.to_owned();
        let state = api.get(&format!("/api/v1/backups/{id}/status")).expect(200).json();
        (state["progress"]["written_bytes"].as_u64()? > 0).then(|| held::stop_dump(pid))?
    });
    let percent =
        "return /\\d+ %/.exec(document.querySelector('[data-title] .moving')?.innerText)?.[0]";
    visitor.until("a percentage in the row", percent).await;
    let same = "return window.stillTheSamePage";
    assert_eq!(visitor.ask(same).await, true, "progress came without loading the page");
    let title = visitor.title().await;
    assert!(title.contains('%') && title.contains("shop"), "the tab says how far it is: {title}");

    visitor.click("tr[data-backup] a.name").await;
    visitor.ask("window.stillTheSamePage = true").await;
    visitor.sees("Download while it is being made").await;
    visitor.sees("of 7").await;
    let now = "return document.querySelector('.run-percent')?.innerText";
    let before = visitor.until("a percentage", now).await;
    held.release();
    let other = format!(
        "const now = document.querySelector('.run-percent')?.innerText; return now !== {before}"
    );
    visitor.until("another percentage", &other).await;
    visitor.sees("Whole and checked").await;
    visitor.sees("Before the upgrade").await;
    assert_eq!(visitor.ask(same).await, true, "the end came without loading the page");
    assert!(visitor.title().await.starts_with("Completed · shop"));

    visitor.press("Download").await;
    let file = visitor.browser.downloaded(Duration::from_secs(30));
    let name = file.file_name().and_then(|it| it.to_str()).expect("a name").to_owned();
    assert_eq!(visitor.words(".filename span").await, name);
    let commands = visitor.each(".howto pre").await;
    assert_eq!(commands.len(), 3, "{commands:?}");
    assert!(run(&commands[0], &visitor, &cluster).contains("OK"));
    run(&commands[1], &visitor, &cluster);
    run(&commands[2], &visitor, &cluster);
    cluster.assert_same("shop", "newdb");

    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
