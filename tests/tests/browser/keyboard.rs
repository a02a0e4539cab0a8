//! Everything with the keyboard alone, and the focus always to be seen.

use cofferdam_tests::Visitor;
use thirtyfour::Key;

use crate::{
    forms::approve_all_fields,
    stage::{back_up, console_with_blog},
};

/// Goes on with Tab until the focus is on the control of this name. The focus
/// must be visible on the way.
async fn tab_to(visitor: &Visitor, name: &str) {
    let script = "const it = document.activeElement, style = getComputedStyle(it);
        const label = it.labels?.[0]?.innerText;
        const shown = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
        return [words(it.getAttribute('aria-label') ?? label ?? it.innerText), shown, it.outerHTML]";
    for _ in 0..40 {
        visitor.keys(Key::Tab + "").await;
        let found = visitor.ask(script).await;
        assert_eq!(found[1], true, "the focus cannot be seen on {}", found[2]);
        if found[0].as_str().is_some_and(|it| it.starts_with(name)) {
            return;
        }
    }
    panic!("{name} is not reached with Tab");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_asked_for_with_tab_enter_and_escape_alone() {
    let (console, api) = console_with_blog();
    back_up(&api, "blog", "");
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/").await;
    visitor.keys(Key::Tab + "").await;
    let first = visitor.ask("return document.activeElement.innerText").await;
    assert_eq!(first, "Skip to the content");
    visitor.keys(Key::Enter + "").await;
    visitor.until("the content", "return document.activeElement.id === 'main'").await;

    tab_to(&visitor, "Options").await;
    let open = "return document.querySelector('details.popover').open";
    visitor.keys(Key::Enter + "").await;
    visitor.until("open options", open).await;
    tab_to(&visitor, "Description").await;
    visitor.keys(Key::Escape + "").await;
    visitor.until("closed options", &format!("{open} === false")).await;
    let back = "return document.activeElement.closest('details.popover') && document.activeElement.tagName";
    assert_eq!(visitor.ask(back).await, "SUMMARY", "the focus goes back to what opened them");
    visitor.keys(Key::Enter + "").await;
    tab_to(&visitor, "Description").await;
    visitor.keys("With the keyboard").await;
    // Enter submits.
    visitor.keys(Key::Enter + "").await;
    visitor.sees("With the keyboard").await;
    visitor.until("closed options", &format!("{open} === false")).await;
    visitor.until("its end", "return !document.querySelector('.badge-run, .badge-wait')").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_takes_the_focus_keeps_it_and_gives_it_back() {
    let (console, api) = console_with_blog();
    let id = back_up(&api, "blog", "");
    let visitor = Visitor::administrator(&console).await;
    visitor.open(&format!("/backups/{id}")).await;
    tab_to(&visitor, "Delete").await;
    visitor.keys(Key::Enter + "").await;
    let inside = "return document.activeElement.closest('dialog[open]')";
    visitor.until("the focus in the dialog", inside).await;
    let first = visitor.ask("return words(document.activeElement.innerText)").await;
    assert_eq!(first, "Keep it", "the harmless answer comes first");
    visitor.keys(Key::Escape + "").await;
    visitor.until("no dialog", "return !document.querySelector('dialog[open]')").await;
    let focused = visitor.ask("return words(document.activeElement.innerText)").await;
    assert_eq!(focused, "Delete");
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_nothing_that_has_the_focus_is_covered() {
    let (console, api) = console_with_blog();
    let id = back_up(&api, "blog", "");
    let visitor = Visitor::administrator(&console).await;
    visitor.browser.resize(375, 600).await;
    for path in ["/".to_owned(), "/databases/new".to_owned(), format!("/backups/{id}")] {
        visitor.open(&path).await;
        for _ in 0..30 {
            visitor.keys(Key::Tab + "").await;
            let covered = "const it = document.activeElement, box = it.getBoundingClientRect();
                const y = Math.min(box.bottom - 2, innerHeight - 1);
                const top = document.elementFromPoint(box.left + box.width / 2, Math.max(y, 1));
                return it === document.body || it.contains(top) || top?.contains(it) ? '' : \
                    it.outerHTML + ' is behind ' + top?.outerHTML";
            let covered = visitor.ask(covered).await;
            assert_eq!(covered, "", "{path}");
        }
    }
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_is_filled_in_tried_out_and_added_with_the_keyboard_alone() {
    let (console, api) = console_with_blog();
    approve_all_fields(&console, &api);
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/destinations/new?plugin=all-fields").await;
    tab_to(&visitor, "Name").await;
    visitor.keys("refused").await;
    tab_to(&visitor, "Lock what is stored").await;
    visitor.keys(" ").await;
    tab_to(&visitor, "Service").await;
    // A choice is made by its first letters.
    visitor.keys("The").await;
    tab_to(&visitor, "Region").await;
    visitor.keys("north").await;
    tab_to(&visitor, "Test connection").await;
    visitor.keys(Key::Enter + "").await;
    visitor.sees("This name is taken on the other side.").await;
    // What is wrong takes the focus, and is beside its field.
    let focused = "return document.activeElement.matches('.error-summary')";
    visitor.until("the focus on what is wrong", focused).await;
    visitor.open("/destinations/new?plugin=all-fields").await;
    tab_to(&visitor, "Name").await;
    visitor.keys("shop").await;
    tab_to(&visitor, "Service").await;
    visitor.keys("Own").await;
    tab_to(&visitor, "Key of the machine").await;
    visitor.keys("canary").await;
    tab_to(&visitor, "Add the destination").await;
    visitor.keys(Key::Enter + "").await;
    visitor.sees("all-fields was added.").await;
    visitor.assert_quiet(&["422"]).await;
    visitor.browser.quit().await;
}
