//! What can be done with a backup once it is there: pin, label, delete.

use cofferdam_tests::Visitor;

use crate::stage::{back_up, console_with_blog};

const DIALOG: &str = "return document.querySelector('dialog[open] #confirm')";
const NO_DIALOG: &str = "return !document.querySelector('dialog[open]')";

#[tokio::test(flavor = "multi_thread")]
async fn deleting_asks_first_in_a_dialog_and_on_a_page_of_its_own() {
    let (console, api) = console_with_blog();
    let (first, last) = (back_up(&api, "blog", ""), back_up(&api, "blog", ""));
    let file = |id: &str| {
        let record = api.get(&format!("/api/v1/backups/{id}")).expect(200).json();
        console.data().join("backups").join(record["filename"].as_str().expect("a file"))
    };
    let (first_file, last_file) = (file(&first), file(&last));
    let visitor = Visitor::administrator(&console).await;

    visitor.open(&format!("/backups/{last}")).await;
    visitor.press("Delete").await;
    visitor.until("a dialog", DIALOG).await;
    visitor.sees("Delete this backup of blog?").await;
    visitor.sees("This cannot be undone.").await;
    assert!(!visitor.can_see("It is the only good backup").await, "there is another one");
    visitor.press("Keep it").await;
    visitor.until("no dialog", NO_DIALOG).await;
    assert!(last_file.exists());
    visitor.press("Delete").await;
    visitor.until("a dialog", DIALOG).await;
    visitor.press("Delete the backup").await;
    visitor.until("the list", "return location.pathname === '/backups'").await;
    visitor.sees("was deleted.").await;
    assert_eq!(visitor.each("tr[data-backup]").await.len(), 1);
    assert!(!last_file.exists() && first_file.exists());

    visitor.open(&format!("/backups/{first}/delete")).await;
    visitor.sees("It is the only good backup of this database.").await;
    visitor.press("Delete the backup").await;
    visitor.sees("was deleted.").await;
    visitor.sees("No backups yet").await;
    assert!(!first_file.exists());
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_backup_cannot_be_deleted() {
    let (console, api) = console_with_blog();
    let id = back_up(&api, "blog", "");
    let visitor = Visitor::administrator(&console).await;
    visitor.open(&format!("/backups/{id}")).await;
    visitor.press("Pin").await;
    visitor.sees("Pinned: never deleted").await;
    visitor.press("Delete").await;
    visitor.until("a dialog", DIALOG).await;
    visitor.sees("This backup is pinned. Take the pin off first.").await;
    assert!(visitor.each("#confirm button[type=submit]").await.is_empty());
    visitor.press("Back to it").await;
    visitor.until("no dialog", NO_DIALOG).await;
    visitor.open(&format!("/backups/{id}/delete")).await;
    assert!(visitor.each("main button[type=submit]").await.is_empty());
    visitor.press("Back to it").await;
    visitor.press("Unpin").await;
    visitor.until("no pin", "return !document.querySelector('main .badge-off')").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_kept_shown_found_and_refused_with_what_was_typed() {
    let (console, api) = console_with_blog();
    let id = back_up(&api, "blog", "");
    let visitor = Visitor::administrator(&console).await;
    visitor.open(&format!("/backups/{id}")).await;
    visitor.fill("#backup-labels", "weekly, release").await;
    visitor.press("Save the labels").await;
    let kept = "return document.querySelector('#backup-labels')?.defaultValue.includes('release')";
    visitor.until("the labels", kept).await;
    visitor.open("/backups?q=release").await;
    let mut labels = visitor.each("tr[data-backup] .label").await;
    labels.sort();
    assert_eq!(labels, ["release", "weekly"]);

    let long = "x".repeat(500);
    visitor.open(&format!("/backups/{id}")).await;
    visitor.fill("#backup-labels", &long).await;
    visitor.press("Save the labels").await;
    visitor
        .until("an error", "return document.querySelector('#backup-labels[aria-invalid]')")
        .await;
    let typed = visitor.ask("return document.querySelector('#backup-labels').value").await;
    assert_eq!(typed, long.as_str());
    visitor.assert_quiet(&["422"]).await;
    visitor.browser.quit().await;
}
