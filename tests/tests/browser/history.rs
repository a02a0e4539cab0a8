//! Addresses that people keep, and pages that they come back to.

use cofferdam_tests::{
    Console, TestCluster, Visitor,
    console::{ADMIN, PASSWORD},
    held,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_address_leads_through_the_sign_in_to_its_page() {
    let console = Console::builder().start();
    let visitor = Visitor::stranger(&console).await;
    visitor.open("/backups?status=failed").await;
    assert!(visitor.path().await.starts_with("/login?next="));
    visitor.fill("#login-username", ADMIN).await;
    visitor.fill("#login-password", "not the password").await;
    visitor.press("Sign in").await;
    visitor.until("an error", "return document.querySelector('.error-summary')").await;
    let name = visitor.ask("return document.querySelector('#login-username').value").await;
    assert_eq!(name, ADMIN, "the name stays after an error");
    visitor.fill("#login-password", PASSWORD).await;
    visitor.press("Sign in").await;
    visitor.until("the list", "return location.pathname === '/backups'").await;
    assert_eq!(visitor.path().await, "/backups?status=failed");
    visitor.assert_quiet(&["401", "422"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_a_running_backup_and_coming_back_changes_nothing() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().database(&cluster, "wide").start();
    let visitor = Visitor::administrator(&console).await;
    let wish = serde_json::json!({ "database": "wide" });
    let (id, held) = held::hold_backup(&console, &console.api(), &wish);
    visitor.open(&format!("/backups/{id}")).await;
    visitor.sees("Download while it is being made").await;
    visitor.press("Databases").await;
    visitor.sees("Add a database").await;
    visitor.browser.driver.back().await.expect("back");
    visitor.sees("Download while it is being made").await;
    visitor.press("Overview").await;
    visitor.sees("Running now").await;
    held.release();
    visitor.sees("wide has a good backup").await;
    visitor.browser.driver.back().await.expect("back");
    visitor.sees("Whole and checked").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
