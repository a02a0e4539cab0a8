//! The whole main path without scripts: plain links, plain posts, full pages.

use std::time::Duration;

use cofferdam_tests::{
    Console, TestCluster, Visitor,
    console::{ADMIN, PASSWORD},
};

use crate::stage::{back_up, console_with_blog};

/// Loads the page until it says so: nothing moves by itself here.
async fn reload_until(visitor: &Visitor, words: &str) {
    for _ in 0..100 {
        if visitor.can_see(words).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        visitor.browser.driver.refresh().await.expect("the page");
    }
    panic!("the page never says {words:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_database_is_added_backed_up_downloaded_and_removed() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 100);
    let console = Console::builder().start();
    let visitor = Visitor::stranger(&console).await;
    visitor.browser.scripts(false).await;
    visitor.sign_in(ADMIN, PASSWORD).await;
    assert_eq!(visitor.ask("return typeof window.htmx").await, "undefined", "scripts are off");

    visitor.open("/databases/new").await;
    visitor.fill("#database-host", "127.0.0.1").await;
    visitor.fill("#database-port", &cluster.port().to_string()).await;
    visitor.fill("#database-dbname", "shop").await;
    visitor.press("Add the database").await;
    // What was typed stays after an error.
    visitor.until("an error", "return document.querySelector('.error-summary')").await;
    let host = visitor.ask("return document.querySelector('#database-host').value").await;
    assert_eq!(host, "127.0.0.1");
    visitor.fill("#database-user", "postgres").await;
    visitor.fill("#database-password", cluster.password()).await;
    visitor.press("Add the database").await;
    visitor.sees("shop was added.").await;
    visitor.press("Check again").await;
    visitor.sees("Ready to back up").await;

    visitor.press("Options").await;
    visitor.fill("#generate-description", "No scripts").await;
    visitor.choose("#generate-format", "custom").await;
    visitor.press("Generate Backup").await;
    visitor.until("its page", "return location.pathname.startsWith('/backups/')").await;
    reload_until(&visitor, "Whole and checked").await;
    visitor.press("Download").await;
    let file = visitor.browser.downloaded(Duration::from_secs(20));
    assert!(file.extension().is_some_and(|it| it == "dump"), "{}", file.display());
    assert!(std::fs::read(&file).expect("the file").starts_with(b"PGDMP"));

    visitor.press("Pin").await;
    visitor.sees("Pinned: never deleted").await;
    visitor.press("Unpin").await;
    visitor.until("no pin", "return !document.querySelector('main .badge-off')").await;
    visitor.fill("#backup-labels", "plain").await;
    visitor.press("Save the labels").await;
    let kept = "return document.querySelector('#backup-labels')?.defaultValue === 'plain'";
    visitor.until("the labels", kept).await;
    visitor.open("/backups").await;
    visitor.choose("#filter-status", "failed").await;
    visitor.press("Apply").await;
    visitor.sees("Nothing fits these filters").await;
    visitor.press("Clear the filters").await;
    visitor.fill("#q", "plain").await;
    visitor.press("Apply").await;
    visitor.sees("No scripts").await;
    visitor.click("tr[data-backup] a.name").await;
    visitor.press("Delete").await;
    visitor.sees("Delete this backup of shop?").await;
    visitor.press("Delete the backup").await;
    visitor.sees("was deleted.").await;

    visitor.open("/databases").await;
    visitor.press("shop").await;
    visitor.press("Remove").await;
    visitor.press("Remove the database").await;
    visitor.sees("shop was removed.").await;
    visitor.click("form[action='/logout'] button").await;
    visitor.until("the sign-in page", "return location.pathname === '/login'").await;
    visitor.assert_quiet(&["422"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_destination_is_tried_out_added_tested_and_cleared() {
    let (console, api) = console_with_blog();
    let folder = console.folder().join("shelf");
    std::fs::create_dir_all(&folder).expect("a folder");
    let folder = folder.display().to_string();
    let visitor = Visitor::stranger(&console).await;
    visitor.browser.scripts(false).await;
    visitor.sign_in(ADMIN, PASSWORD).await;
    visitor.open("/destinations/new?plugin=local-retention").await;
    visitor.fill("#destination-s-folder", &folder).await;
    // Parts that depend on others say where they count.
    visitor.sees("Only where Keep is").await;
    visitor.choose("#destination-s-keep", "count").await;
    visitor.fill("#destination-s-count", "1").await;
    visitor.press("Test connection").await;
    visitor.sees("grant this folder to it first").await;
    visitor.click("#destination-grant-true").await;
    visitor.press("Test connection").await;
    visitor.sees("The folder may be written to. Kept is the newest backup. The folder holds").await;
    let typed = visitor.ask("return document.querySelector('#destination-s-folder').value").await;
    assert_eq!(typed, folder);
    visitor.fill("#destination-name", "shelf").await;
    visitor.press("Add the destination").await;
    visitor.sees("shelf was added.").await;
    visitor.press("Test connection").await;
    visitor.sees("It works").await;
    visitor.press("Switch off").await;
    visitor.sees("It is switched off").await;
    visitor.press("Switch on").await;
    visitor
        .until("it is on", "return !document.body.innerText.includes('It is switched off')")
        .await;
    let backup = back_up(&api, "blog", "");
    visitor.open(&format!("/backups/{backup}")).await;
    reload_until(&visitor, "Delivered").await;
    visitor.press("shelf").await;
    visitor.press("What would go").await;
    visitor.sees("What would go from shelf").await;
    visitor.sees("Nothing here has had its time.").await;
    visitor.press("shelf").await;
    visitor.press("Remove").await;
    visitor.press("Remove the destination").await;
    visitor.sees("shelf was removed.").await;
    visitor.assert_quiet(&["422"]).await;
    visitor.browser.quit().await;
}
