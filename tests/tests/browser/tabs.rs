//! Many tabs of one browser. A browser keeps six connections to a console,
//! and an event stream needs one for as long as it lasts.

use std::time::{Duration, Instant};

use cofferdam_tests::{Console, TestCluster, Visitor, held};
use serde_json::json;
use thirtyfour::WindowHandle;

use crate::stage::{add_blog, add_postgres, back_up, console_with_blog};

/// Opens this page in a new tab.
async fn tab(visitor: &Visitor, path: &str) -> WindowHandle {
    let driver = &visitor.browser.driver;
    let tab = driver.new_tab().await.expect("a tab");
    driver.switch_to_window(tab.clone()).await.expect("the tab");
    visitor.open(path).await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_tabs_load_and_all_of_them_hear_what_happens() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().start();
    let api = console.api();
    add_postgres(&api, &cluster, "wide", cluster.password());
    add_blog(&console, &api, "blog");
    let visitor = Visitor::administrator(&console).await;
    let driver = &visitor.browser.driver;
    let first = driver.window().await.expect("a window");
    let mut tabs = vec![];
    for _ in 0..6 {
        tabs.push(tab(&visitor, "/backups").await);
    }
    let (id, dump) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
    let start = Instant::now();
    let last = tab(&visitor, &format!("/backups/{id}")).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    visitor.until("the eighth page", "return document.querySelector('#live progress')").await;
    dump.release();
    visitor.until("its end", "return document.querySelector('#live .badge-good')").await;
    driver.switch_to_window(tabs[0].clone()).await.expect("the second tab");
    let ended = "return document.querySelector('.badge-good')";
    assert_ne!(visitor.ask(ended).await, serde_json::Value::Null, "it heard in the background");

    // The tab that listened for all of them goes; another one listens.
    driver.switch_to_window(first).await.expect("the first tab");
    driver.close_window().await.expect("closed");
    driver.switch_to_window(last).await.expect("the last tab");
    visitor.open("/backups").await;
    back_up(&api, "blog", "After the first tab was closed");
    visitor.sees("After the first tab was closed").await;
    for tab in tabs {
        driver.switch_to_window(tab).await.expect("a tab");
        visitor.sees("After the first tab was closed").await;
    }
    visitor.assert_quiet(&["ERR_INCOMPLETE", "ERR_ABORTED"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tab_says_when_the_one_that_listens_for_it_fell_silent() {
    let (console, api) = console_with_blog();
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/backups").await;
    let driver = &visitor.browser.driver;
    let listens = driver.window().await.expect("a window");
    let other = tab(&visitor, "/backups").await;
    let lists = "return performance.getEntriesByType('resource') \
                 .some(it => it.initiatorType === 'fetch' && it.name.includes('/backups'))";
    visitor.until("what it missed while it was made", lists).await;
    let offline = "return document.getElementById('offline').hidden === false";

    driver.switch_to_window(listens.clone()).await.expect("the first tab");
    visitor.browser.cdp("Page.setWebLifecycleState", json!({ "state": "frozen" })).await;
    driver.switch_to_window(other.clone()).await.expect("the other tab");
    // Three pulses, of five seconds each.
    tokio::time::sleep(Duration::from_secs(14)).await;
    visitor.until("that nothing is heard", offline).await;
    back_up(&api, "blog", "Made in the silence");
    // Once it is gone, this one listens itself.
    driver.switch_to_window(listens).await.expect("the first tab");
    driver.close_window().await.expect("closed");
    driver.switch_to_window(other).await.expect("the other tab");
    visitor.sees("Made in the silence").await;
    visitor.until("that all is well", "return document.getElementById('offline').hidden").await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_in_one_tab_leaves_the_others_alone_and_signing_out_does_not() {
    let (console, _) = console_with_blog();
    let visitor = Visitor::administrator(&console).await;
    let driver = &visitor.browser.driver;
    visitor.open("/databases/new").await;
    visitor.ask("window.kept = true; return true").await;
    let typing = driver.window().await.expect("a window");
    let other = tab(&visitor, "/backups").await;
    // Past the time in which no page reloads itself.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let spoil =
        "document.querySelectorAll('[name=csrf]').forEach(it => it.value = 'old'); return true";
    visitor.ask(spoil).await;
    visitor.choose("#generate-database", "blog").await;
    visitor.press("Generate Backup").await;
    let refused = "return document.readyState === 'complete' \
                   && !document.querySelector('form[data-started]')";
    visitor.until("the refusal", refused).await;
    driver.switch_to_window(typing.clone()).await.expect("the first tab");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(visitor.ask("return window.kept === true").await, true);

    // Signed out, every tab goes to the door.
    driver.switch_to_window(other).await.expect("the other tab");
    visitor.open("/").await;
    visitor.press("Sign out").await;
    driver.switch_to_window(typing).await.expect("the first tab");
    visitor.until("the door", "return location.pathname === '/login'").await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_tabs_cannot_share_each_listens_for_itself() {
    let (console, api) = console_with_blog();
    let visitor = Visitor::administrator(&console).await;
    // As plain HTTP from another machine has it.
    let script = json!({ "source": "delete Navigator.prototype.locks" });
    visitor.browser.cdp("Page.addScriptToEvaluateOnNewDocument", script).await;
    visitor.open("/backups").await;
    assert_eq!(visitor.ask("return 'locks' in navigator").await, false);
    back_up(&api, "blog", "Heard without locks");
    visitor.sees("Heard without locks").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
