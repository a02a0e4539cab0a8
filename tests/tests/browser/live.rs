//! Pages that stay open: two tabs, a console that goes away, a sign-out.

use std::time::Duration;

use cofferdam_tests::{Console, Visitor};

use crate::stage::{back_up, console_with_blog};

const OFFLINE: &str = "return document.querySelector('#offline')?.checkVisibility()";

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_told_and_comes_back_by_itself() {
    let (mut console, api) = console_with_blog();
    back_up(&api, "blog", "");
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/backups").await;
    visitor.ask("window.stillTheSamePage = true").await;
    // Let the stream open first.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(visitor.ask(OFFLINE).await, false);
    console.kill9();
    visitor.until("the page says that it stands still", OFFLINE).await;
    visitor.sees("The connection to the console is lost.").await;

    console.restart();
    visitor
        .until("no notice", "return !document.querySelector('#offline').checkVisibility()")
        .await;
    // What happens from now on is seen again.
    back_up(&console.api(), "blog", "After the restart");
    visitor.sees("After the restart").await;
    assert_eq!(visitor.ask("return window.stillTheSamePage").await, true);
    visitor.assert_quiet(&["ERR_CONNECTION", "ERR_INCOMPLETE", "Failed to fetch", "htmx"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_see_what_the_other_does_and_close_together() {
    let (console, api) = console_with_blog();
    back_up(&api, "blog", "The first");
    let visitor = Visitor::administrator(&console).await;
    let driver = &visitor.browser.driver;
    visitor.open("/backups").await;
    let list = driver.window().await.expect("a window");
    let other = driver.new_tab().await.expect("a tab");

    driver.switch_to_window(other.clone()).await.expect("the tab");
    visitor.open("/").await;
    visitor.press("Options").await;
    visitor.fill("#generate-description", "From the other tab").await;
    visitor.choose("#generate-database", "blog").await;
    visitor.press("Generate Backup").await;
    driver.switch_to_window(list.clone()).await.expect("the first tab");
    visitor.sees("From the other tab").await;
    visitor.until("its end", "return document.querySelectorAll('.badge-good').length === 2").await;

    visitor.click("tr[data-backup] a.name").await;
    visitor.press("Delete").await;
    visitor.press("Delete the backup").await;
    visitor.sees("was deleted.").await;
    driver.switch_to_window(other.clone()).await.expect("the other tab");
    visitor
        .until(
            "the deleted one is gone from the other tab",
            "return !document.body.innerText.includes('From the other tab')",
        )
        .await;

    let kept = "return localStorage.length + sessionStorage.length + document.cookie.length";
    assert_eq!(visitor.ask(kept).await, 0, "nothing is kept in the browser");
    visitor.click("form[action='/logout'] button").await;
    visitor.until("the sign-in page", "return location.pathname === '/login'").await;
    driver.switch_to_window(list).await.expect("the first tab");
    visitor.until("the first tab is signed out", "return location.pathname === '/login'").await;
    driver.back().await.expect("back");
    visitor
        .until("nothing to go back to", "return document.querySelector('#login-username')")
        .await;
    visitor.assert_quiet(&["401", "ERR_INCOMPLETE"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_click_after_the_session_ended_goes_to_the_sign_in_at_once_and_says_why() {
    let console = Console::builder().start();
    let visitor = Visitor::administrator(&console).await;
    let api = console.api();
    back_up(&api, "cofferdam", "");
    visitor.open("/backups").await;
    let person = cofferdam_tests::Person::administrator(&console);
    person.post("/account/sessions/end", &[]).expect(303);
    visitor.press("Generate Backup").await;
    let clicked = std::time::Instant::now();
    visitor.sees("Your session has ended. Sign in and click again.").await;
    assert!(clicked.elapsed() < Duration::from_secs(3), "{:?}", clicked.elapsed());
    assert_eq!(visitor.path().await, "/login?ended=true");
    visitor.assert_quiet(&["401", "ERR_INCOMPLETE"]).await;
    visitor.browser.quit().await;
}
