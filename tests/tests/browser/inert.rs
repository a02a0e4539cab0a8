//! Texts of strangers are shown as they are and do nothing.

use cofferdam_tests::{Console, TestCluster, Visitor};
use serde_json::json;

use crate::stage::id;

const HURT: &str = "<img src=x onerror=window.hurt=1><script>window.hurt=1</script>\
    <b hx-get='/account' hx-trigger='load' hx-on:click='window.hurt=1'>b</b>\
    <a href='javascript:window.hurt=1'>a</a>{{7*7}}";

/// Nothing ran, and nothing of it became an element.
async fn assert_inert(visitor: &Visitor, path: &str) {
    visitor.open(path).await;
    visitor.until("the page", "return document.querySelector('h1')").await;
    // Time for a fragment to be fetched, if one were.
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    let script = "return [window.hurt === undefined, document.querySelectorAll(\
        'img, main script, b, [hx-on\\\\:click], a[href^=javascript]').length]";
    assert_eq!(visitor.ask(script).await, json!([true, 0]), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_notes_labels_names_tables_and_searches_is_only_text() {
    let cluster = TestCluster::start();
    let dbname = "<img src=x onerror=window.hurt=1>";
    cluster.psql("postgres", &format!("CREATE DATABASE \"{dbname}\""));
    cluster.psql(dbname, "CREATE TABLE \"<script>window.hurt=1</script>\" AS SELECT 1 AS n;");
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({
        "name": "odd", "host": "127.0.0.1", "port": cluster.port(), "dbname": dbname,
        "user": "postgres", "password": cluster.password(),
    });
    let database = id(&api.post("/api/v1/databases", &wish).expect(201).json());
    let wish = json!({ "name": "bad", "path": format!("/no/{}", HURT.replace('/', "|")) });
    let bad = id(&api.post("/api/v1/databases", &wish).expect(201).json());
    let backup = crate::stage::back_up(&api, "odd", HURT);
    let failed = crate::stage::back_up(&api, "bad", HURT);

    let visitor = Visitor::administrator(&console).await;
    visitor.open(&format!("/backups/{backup}")).await;
    visitor.sees("Whole and checked").await;
    visitor.fill("#backup-labels", "<b>x</b>, javascript:x").await;
    visitor.press("Save the labels").await;
    visitor.until("an answer", "return document.querySelector('#backup-labels')").await;
    for path in [
        "/".to_owned(),
        "/backups".to_owned(),
        "/backups?q=%3Cscript%3Ewindow.hurt%3D1%3C%2Fscript%3E%22%3E%3Cimg+src%3Dx%3E".to_owned(),
        "/backups?database=%22%3E%3Cimg+src%3Dx+onerror%3Dwindow.hurt%3D1%3E".to_owned(),
        "/databases".to_owned(),
        format!("/backups/{backup}"),
        format!("/backups/{backup}/log"),
        format!("/backups/{backup}/delete"),
        format!("/backups/{failed}"),
        format!("/backups/{failed}/log"),
        format!("/databases/{database}"),
        format!("/databases/{database}/edit"),
        format!("/databases/{bad}"),
        format!("/databases/{bad}/edit"),
        format!("/databases/{bad}/delete"),
    ] {
        assert_inert(&visitor, &path).await;
    }
    visitor.open(&format!("/backups/{backup}")).await;
    visitor.sees("<script>window.hurt=1</script>").await;
    visitor.sees("{{7*7}}").await;
    visitor.assert_quiet(&["422"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_policy_refuses_is_heard_by_these_tests() {
    let console = Console::builder().start();
    let visitor = Visitor::administrator(&console).await;
    visitor.assert_quiet(&[]).await;
    let attack = "const image = new Image(); image.src = 'http://127.0.0.1:9/x.png';
        document.body.append(image);
        let refused = 0;
        try { document.body.insertAdjacentHTML('beforeend', '<b>b</b>') } catch { refused += 1 }
        try { document.body.setAttribute('onclick', 'window.hurt = 1') } catch { refused += 1 }
        return refused";
    assert_eq!(visitor.ask(attack).await, 2, "texts never become markup or code");
    let heard = async || {
        let messages = visitor.browser.messages().await.join("\n");
        messages.contains("img-src").then_some(())
    };
    for _ in 0..50 {
        if heard().await.is_some() {
            return visitor.browser.quit().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the refused picture is not in the browser's log");
}
