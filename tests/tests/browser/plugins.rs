//! A plugin comes in, is approved, configured and tried out, takes a backup
//! away, and asks again when its file changes.

use std::fs;

use cofferdam_tests::{Console, Visitor, WebServer};
use serde_json::json;

use crate::stage::{add_blog, id};

/// A component that puts backups on a web server; `cargo xtask setup` builds it.
pub(crate) fn component() -> Vec<u8> {
    fs::read(cofferdam_tests::component("example-rust")).expect("the component")
}

/// The same component in other bytes: with a section that says nothing.
pub(crate) fn changed(component: &[u8]) -> Vec<u8> {
    [component, b"\x00\x05\x04note"].concat()
}

/// Puts a file into the plugin folder as an operator would: at once.
pub(crate) fn drop_in(console: &Console, bytes: &[u8]) {
    let folder = console.data().join("plugins");
    let draft = console.folder().join("draft.wasm");
    fs::write(&draft, bytes).expect("a file");
    fs::rename(&draft, folder.join("web-server.wasm")).expect("the plugin folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_is_dropped_in_approved_configured_tried_out_and_delivers() {
    let server = WebServer::start();
    let console = Console::builder().start();
    let api = console.api();
    add_blog(&console, &api, "blog");
    let visitor = Visitor::administrator(&console).await;

    // It appears by itself, and can do nothing.
    visitor.open("/plugins").await;
    drop_in(&console, &component());
    visitor.sees("Waits for approval").await;
    visitor.sees("It asks to connect to hosts you name; nothing else.").await;
    visitor.press("Look and approve: Web server").await;
    visitor.sees("Connect to hosts that you name").await;

    // A host without its port is no grant.
    let host = format!("127.0.0.1:{}", server.port());
    visitor.fill("#approve-private_hosts", "127.0.0.1").await;
    visitor.press("Approve").await;
    visitor
        .until("an error", "return document.querySelector('#approve-private_hosts-error')")
        .await;
    visitor.fill("#approve-private_hosts", &host).await;
    visitor.press("Approve").await;
    visitor.sees("may run, with what is granted below").await;

    // Its own form.
    visitor.press("Add a destination").await;
    visitor.fill("#destination-s-url", "not a host").await;
    visitor.press("Add the destination").await;
    visitor.until("an error", "return document.querySelector('#destination-s-url-error')").await;
    let typed = visitor.ask("return document.querySelector('#destination-s-url').value").await;
    assert_eq!(typed, "not a host");
    visitor.fill("#destination-s-url", &format!("http://{host}/shelf")).await;
    visitor.fill("#destination-name", "shelf").await;
    visitor.press("Add the destination").await;
    visitor.sees("shelf was added. Test the connection next.").await;

    visitor.press("Test connection").await;
    visitor.sees("It works").await;
    visitor.sees(&format!("http://{host} answers")).await;

    // A backup goes there by itself, and the page of the backup says so.
    let wish = json!({ "database": "blog" });
    let backup = id(&api.post("/api/v1/backups", &wish).expect(202).json());
    visitor.open(&format!("/backups/{backup}")).await;
    visitor.until("the delivery", "return document.querySelector('.deliveries .badge-good')").await;
    visitor.sees("Delivered").await;
    let files = server.files();
    let stored = files.keys().filter(|path| path.starts_with("/shelf/backup_blog_")).count();
    assert_eq!(stored, 2, "the file and its sidecar: {:?}", files.keys());

    // Another file under the same name asks again, and shows what it might do.
    drop_in(&console, &changed(&component()));
    visitor.open("/plugins").await;
    visitor.sees("Changed since approval").await;
    visitor.press("See what changed: Web server").await;
    visitor.sees("Its file is another one, under the same version").await;
    // Both hashes stand there, to be held against what the author says.
    let hashes = visitor.each(".hashes code").await;
    assert!(hashes.len() == 2 && hashes[0] != hashes[1], "{hashes:?}");
    assert!(hashes.iter().all(|it| it.len() == 64), "{hashes:?}");
    let kept = visitor.ask("return document.querySelector('#approve-private_hosts').value").await;
    assert_eq!(kept, json!(host));
    visitor.open("/destinations").await;
    visitor.sees("Waits for its plugin").await;
    visitor.open("/plugins").await;
    visitor.press("See what changed: Web server").await;
    visitor.press("Approve").await;
    visitor.sees("may run, with what is granted below").await;
    visitor.open("/destinations").await;
    visitor.sees("Ready").await;
    // Taken away, the destinations say so by themselves.
    fs::remove_file(console.data().join("plugins/web-server.wasm")).expect("removed");
    visitor.sees("The plugin web-server is not there.").await;
    visitor.open("/plugins").await;
    visitor.sees("File removed").await;
    drop_in(&console, &changed(&component()));
    visitor.open("/destinations").await;
    visitor.sees("Ready").await;
    visitor.assert_quiet(&["422"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_waits_for_approval_and_a_revoked_plugin_runs_no_more() {
    let console = Console::builder().start();
    let visitor = Visitor::administrator(&console).await;
    let file = console.folder().join("web-server.wasm");
    fs::write(&file, component()).expect("a file");
    visitor.open("/plugins").await;
    visitor.attach("#upload-component", &file).await;
    visitor.press("Upload").await;
    visitor.sees("web-server.wasm is in the plugin folder.").await;
    visitor.sees("Waits for approval").await;
    visitor.press("Approve").await;
    visitor.sees("may run, with what is granted below").await;
    visitor.press("Revoke").await;
    visitor.sees("No destination uses it.").await;
    visitor.press("Revoke the approval").await;
    visitor.sees("may not run any more").await;
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
