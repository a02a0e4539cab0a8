//! What goes wrong, as the page tells it, and the way out of it.

use std::time::Duration;

use cofferdam_tests::{Console, TestCluster, Visitor, held, wait_until};
use xtask::postgres::Durability;

use crate::stage::add_postgres;

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_corrected_and_tried_again() {
    let cluster = TestCluster::start();
    cluster.create_shop("crm", 50);
    let console = Console::builder().start();
    let database = add_postgres(&console.api(), &cluster, "crm", "not the password");
    let visitor = Visitor::administrator(&console).await;

    visitor.open(&format!("/databases/{database}")).await;
    visitor.press("Generate Backup").await;
    visitor.click("tr[data-backup] a.name").await;
    visitor.sees("Failed after").await;
    visitor.sees("The server refused the user name or the password.").await;
    visitor.sees("HINT: Correct the user name and the password").await;
    visitor.sees("password authentication failed for user").await;
    assert!(!visitor.can_see("not the password").await);
    let page = visitor.path().await;
    visitor.click(".callout a[href$='/log']").await;
    visitor.until("the log", "return location.pathname.endsWith('/log')").await;
    assert_eq!(visitor.words("h1").await, "Log of the backup of crm");
    visitor.sees("password authentication failed").await;

    visitor.open(&format!("/databases/{database}/edit")).await;
    visitor.fill("#database-password", cluster.password()).await;
    visitor.press("Save the changes").await;
    visitor.sees("crm was saved.").await;
    visitor.open(&page).await;
    visitor.click(".callout form[action='/backups'] button").await;
    visitor.until("another backup", &format!("return location.pathname !== '{page}'")).await;
    visitor.sees("Whole and checked").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_told_and_works_when_it_is_back() {
    let mut cluster = TestCluster::start();
    cluster.create_shop("shop", 50);
    let console = Console::builder().database(&cluster, "shop").start();
    let visitor = Visitor::administrator(&console).await;
    cluster.server_mut().stop_fast().expect("it stops");

    visitor.open("/").await;
    visitor.press("Back up this database now").await;
    visitor.sees("Failed after").await;
    visitor.sees("HINT:").await;
    assert!(visitor.title().await.starts_with("Failed · shop"));
    visitor.open("/").await;
    visitor.sees("Your database needs you").await;
    visitor.press("See what happened: shop").await;
    cluster.server_mut().start_again(Durability::None).expect("it starts");
    visitor.click(".callout form[action='/backups'] button").await;
    visitor.sees("Whole and checked").await;
    visitor.open("/").await;
    visitor.sees("shop has a good backup").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_backup_is_cancelled_with_one_click_and_nothing_stays() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let visitor = Visitor::administrator(&console).await;
    let wish = serde_json::json!({ "database": "wide" });
    let (id, held) = held::hold_backup(&console, &console.api(), &wish);
    visitor.open(&format!("/backups/{id}")).await;
    visitor.sees("Download while it is being made").await;
    visitor.press("Cancel").await;
    held.release();
    visitor.sees("This backup was cancelled").await;
    assert!(visitor.title().await.starts_with("Cancelled · wide"));
    wait_until("no file", Duration::from_secs(10), || {
        let backups = std::fs::read_dir(console.data().join("backups")).ok()?;
        let names = backups.filter_map(|it| it.ok()?.file_name().into_string().ok());
        let left = names.filter(|name| name.contains("wide")).count();
        (left == 0).then_some(())
    });
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
