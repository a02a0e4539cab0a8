//! Many tabs of one browser. A browser keeps six connections to a console,
//! and an event stream needs one for as long as it lasts.

use std::time::{Duration, Instant};

use cofferdam_tests::{Console, TestCluster, Visitor, held};
use serde_json::json;
use thirtyfour::WindowHandle;

use crate::stage::{add_blog, add_postgres, back_up};

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
async fn where_tabs_cannot_share_each_listens_for_itself() {
    let console = Console::builder().start();
    let api = console.api();
    add_blog(&console, &api, "blog");
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
