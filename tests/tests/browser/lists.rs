//! The list of backups: filters, search, order, pages.

use cofferdam_tests::{Console, Visitor};
use thirtyfour::Key;

use crate::stage::{add_blog, back_up, console_with_blog};

const ROWS: &str = "tr[data-backup]";

fn count_is(count: usize) -> String {
    format!("return document.querySelectorAll('{ROWS}').length === {count}")
}

/// A console with 28 backups: two of them failed, one with a note.
fn full() -> Console {
    let (console, api) = console_with_blog();
    add_blog(&console, &api, "gone");
    std::fs::remove_file(console.folder().join("gone.db")).expect("it was there");
    for _ in 0..24 {
        back_up(&api, "blog", "");
    }
    back_up(&api, "cofferdam", "Before the move to Ghent");
    back_up(&api, "gone", "");
    back_up(&api, "gone", "");
    back_up(&api, "blog", "");
    console
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_search_order_and_pages_are_in_the_address_and_survive_going_back() {
    let console = full();
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/backups").await;
    assert_eq!(visitor.each(ROWS).await.len(), 25);
    visitor.sees("1–25 of 28").await;
    visitor.press("Next").await;
    visitor.sees("26–28 of 28").await;
    assert_eq!(visitor.path().await, "/backups?page=2");
    visitor.browser.driver.back().await.expect("back");
    visitor.sees("1–25 of 28").await;
    visitor.browser.driver.forward().await.expect("forward");
    visitor.sees("26–28 of 28").await;
    visitor.press("Previous").await;
    visitor.sees("1–25 of 28").await;

    visitor.ask("window.stillTheSamePage = true").await;
    visitor.choose("#filter-status", "failed").await;
    visitor.until("two failed ones", &count_is(2)).await;
    assert!(visitor.path().await.contains("status=failed"), "{}", visitor.path().await);
    assert_eq!(visitor.ask("return window.stillTheSamePage").await, true);
    visitor.click("tr[data-backup] a.name").await;
    visitor.sees("Failed after").await;
    visitor.browser.driver.back().await.expect("back");
    visitor.until("the filter after going back", &count_is(2)).await;
    let chosen = visitor.ask("return document.querySelector('#filter-status').value").await;
    assert_eq!(chosen, "failed");
    visitor.choose("#filter-database", "blog").await;
    visitor.sees("Nothing fits these filters").await;
    visitor.press("Clear the filters").await;
    visitor.sees("1–25 of 28").await;

    // A slash goes to the search, and is not typed into it.
    visitor.keys("/").await;
    visitor.until("the search has the focus", "return document.activeElement.id === 'q'").await;
    visitor.keys("GHENT").await;
    visitor.until("one backup", &count_is(1)).await;
    visitor.sees("Before the move to Ghent").await;
    assert_eq!(visitor.ask("return document.querySelector('#q').value").await, "GHENT");
    visitor.keys(Key::Home + "/").await;
    visitor.sees("Nothing fits these filters").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_sort_both_ways_and_keep_the_filters() {
    let console = full();
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/backups?status=completed").await;
    let sizes =
        "return [...document.querySelectorAll('.cell-size data')].map(it => Number(it.value))";
    for (dir, order) in [("desc", "descending"), ("asc", "ascending")] {
        visitor.press("Size").await;
        let sorted = format!("return document.querySelector('th[aria-sort={order}] a')?.innerText");
        let column = visitor.until("the order", &sorted).await;
        assert!(column.as_str().is_some_and(|it| it.contains("Size")), "{column}");
        let path = visitor.path().await;
        assert!(path.contains("sort=size") && path.contains(dir), "{path}");
        assert!(path.contains("status=completed"), "{path}");
        let found = visitor.ask(sizes).await;
        let found: Vec<u64> =
            found.as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64).collect();
        assert_eq!(found.len(), 25);
        let ordered =
            if dir == "asc" { found.is_sorted() } else { found.is_sorted_by(|a, b| a >= b) };
        assert!(ordered, "{dir}: {found:?}");
    }
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
