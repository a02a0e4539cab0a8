//! The form of a plugin's settings, with every kind of field that there is.

use std::{fs, path::PathBuf, time::Duration};

use cofferdam_tests::{Api, Console, Visitor, wait_until};
use serde_json::{Value, json};

/// A component that `cargo xtask setup` has built.
pub(crate) fn built(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../target/plugins/{name}.wasm"))
}

/// Puts the plugin with all fields into the folder and lets it run.
pub(crate) fn approve_all_fields(console: &Console, api: &Api) {
    fs::copy(built("all-fields"), console.data().join("plugins/all-fields.wasm")).expect("copied");
    let hash = wait_until("the plugin", Duration::from_secs(30), || {
        let list = api.get("/api/v1/plugins").expect(200).json();
        let list = list["plugins"].as_array().expect("a list").clone();
        let is_it = |it: &&Value| it["about"]["id"] == "all-fields" && it["state"] == "waiting";
        list.iter().find(is_it).map(|it| it["hash"].as_str().expect("a hash").to_owned())
    });
    api.post(&format!("/api/v1/plugins/{hash}/approve"), &json!({})).expect(200);
}

/// What a field holds.
async fn value(visitor: &Visitor, name: &str) -> Value {
    visitor.ask(&format!("return document.querySelector('#destination-s-{name}').value")).await
}

async fn error(visitor: &Visitor, name: &str) -> String {
    visitor.words(&format!("#destination-s-{name}-error")).await
}

async fn the_defaults_are_there(visitor: &Visitor) {
    // Defaults are there from the beginning.
    for (name, expected) in [
        ("parts", "4"),
        ("class", "hot"),
        ("wait", "30s"),
        ("chunk", "64 MiB"),
        ("path", "{database}/{yyyy}/{filename}"),
    ] {
        assert_eq!(value(visitor, name).await, expected, "{name}");
    }
    let ticked = "return [document.querySelector('#destination-s-lock').checked,
        [...document.querySelectorAll('[name=\"s.days\"]:checked')].map(it => it.value)]";
    assert_eq!(visitor.ask(ticked).await, json!([true, ["friday"]]));
}

async fn a_template_says_what_it_makes(visitor: &Visitor) {
    // A template says what it makes while it is being typed.
    visitor.sees("shop/2026/backup_shop_20260131_020000.sql.gz").await;
    visitor.fill("#destination-s-path", "{engine}/{database}-{dd}").await;
    visitor.sees("postgres/shop-31").await;
    visitor.fill("#destination-s-path", "{databse}/x").await;
    visitor.sees("There is no {databse}.").await;
    visitor.fill("#destination-s-path", "{database}/{filename}").await;
}

async fn parts_come_and_go(visitor: &Visitor) {
    // Parts that depend on others come and go.
    let shown = |name: &str| {
        format!("return document.querySelector('#destination-s-{name}').checkVisibility()")
    };
    assert_eq!(visitor.ask(&shown("region")).await, false);
    visitor.choose("#destination-s-service", "own").await;
    visitor.until("the key", &shown("key")).await;
    assert_eq!(visitor.ask(&shown("region")).await, false);
    visitor.choose("#destination-s-service", "cloud").await;
    visitor.until("the region", &shown("region")).await;
    assert_eq!(visitor.ask(&shown("key")).await, false);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_field_is_filled_in_judged_tried_out_and_stored() {
    let console = Console::builder().start();
    let api = console.api();
    approve_all_fields(&console, &api);
    let visitor = Visitor::administrator(&console).await;
    visitor.open("/destinations/new?plugin=all-fields").await;

    the_defaults_are_there(&visitor).await;
    a_template_says_what_it_makes(&visitor).await;
    parts_come_and_go(&visitor).await;

    // Everything that is wrong is said at once, each beside its field.
    for (name, text) in [
        ("name", "x"),
        ("parts", "12"),
        ("ratio", "much"),
        ("labels", "a\nb\nc\nd"),
        ("wait", "soon"),
        ("chunk", "large"),
        ("extra", "{x"),
    ] {
        visitor.fill(&format!("#destination-s-{name}"), text).await;
    }
    visitor.press("Add the destination").await;
    visitor.until("errors", "return document.querySelector('.error-summary')").await;
    for (name, words) in [
        ("name", "At least 2 characters."),
        ("parts", "At most 9."),
        ("ratio", "Write a number, such as 1.5."),
        ("labels", "At most 3 entries."),
        ("wait", "Write a number and s, m, h, d or w: 12h, 7d."),
        ("chunk", "Write a size such as 64 MiB or 2 GB."),
        ("region", "Region is needed."),
    ] {
        assert_eq!(error(&visitor, name).await, words, "{name}");
    }
    assert!(error(&visitor, "extra").await.starts_with("This is not JSON"));
    assert_eq!(value(&visitor, "labels").await, "a\nb\nc\nd");
    let summary = "return document.activeElement.matches('.error-summary')";
    visitor.until("the focus on what is wrong", summary).await;

    // Put right, and tried out before it is stored: what is typed stays, secrets too.
    for (name, text) in [
        ("name", "refused"),
        ("parts", "3"),
        ("ratio", "0.5"),
        ("labels", "a\nb"),
        ("wait", "2m"),
        ("chunk", "8 MB"),
        ("extra", "{\"a\": 1}"),
        ("region", "north"),
        ("note", "two\nlines"),
        ("token", "canary-7"),
    ] {
        visitor.fill(&format!("#destination-s-{name}"), text).await;
    }
    visitor.choose("#destination-s-class", "cold").await;
    visitor.click("#destination-s-lock").await;
    visitor.click("#destination-s-days-monday").await;
    visitor.press("Test connection").await;
    visitor.sees("It does not work yet").await;
    assert_eq!(error(&visitor, "name").await, "This name is taken on the other side.");
    assert_eq!(value(&visitor, "token").await, "canary-7");
    assert_eq!(value(&visitor, "region").await, "north");
    visitor.fill("#destination-s-name", "shop").await;
    visitor.press("Test connection").await;
    visitor.sees("It works").await;
    visitor.sees("token has 8 characters").await;
    let left = "return document.querySelectorAll('[id$=\"-error\"]').length";
    assert_eq!(visitor.ask(left).await, 0);
    assert_eq!(api.get("/api/v1/destinations").json()["destinations"], json!([]));
    visitor.fill("#destination-name", "fields").await;
    visitor.press("Add the destination").await;
    visitor.sees("fields was added.").await;
    let made = api.get("/api/v1/destinations/fields").expect(200).json();
    assert_eq!(
        made["settings"],
        json!({
            "name": "shop", "parts": 3, "ratio": 0.5, "lock": false, "class": "cold",
            "labels": ["a", "b"], "days": ["monday", "friday"], "wait": "2m", "chunk": "8 MB",
            "path": "{database}/{filename}", "note": "two\nlines", "extra": { "a": 1 },
            "service": "cloud", "region": "north",
        })
    );
    assert_eq!(made["secrets"], json!(["token"]));

    // Changed: what is stored of a secret can go.
    visitor.press("Edit").await;
    visitor.sees("One is stored, encrypted.").await;
    visitor.press("Remove the stored one (Token)").await;
    visitor.press("Test connection").await;
    visitor.sees("It works").await;
    assert!(!visitor.can_see("token has").await);
    visitor.press("Save the changes").await;
    visitor.sees("fields was saved.").await;
    let made = api.get("/api/v1/destinations/fields").expect(200).json();
    assert_eq!(made["secrets"], json!([]));
    visitor.assert_quiet(&["422"]).await;
    visitor.browser.quit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_go_is_shown_on_the_page_and_goes_when_it_is_asked_for() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = console.folder().join("shelf");
    fs::create_dir_all(&folder).expect("a folder");
    let mut wish = json!({
        "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": folder, "keep": "count", "count": 9 },
    });
    let made = api.post("/api/v1/destinations", &wish).expect(201).json();
    for _ in 0..3 {
        let backup = api.back_up("cofferdam")["id"].as_str().expect("an id").to_owned();
        wait_until("the copy", Duration::from_secs(30), || {
            let now = api.get(&format!("/api/v1/backups/{backup}")).json();
            (now["deliveries"][0]["status"] == "completed").then_some(())
        });
    }
    let visitor = Visitor::administrator(&console).await;
    visitor.open(&format!("/destinations/{}", made["id"].as_str().expect("an id"))).await;
    visitor.press("What would go").await;
    visitor.sees("Nothing here has had its time.").await;
    wish["settings"]["count"] = 1.into();
    let change = json!({ "settings": wish["settings"] });
    api.patch("/api/v1/destinations/shelf", &change).expect(200);
    visitor.press("Look again").await;
    visitor.sees("Not the newest.").await;
    visitor.press("Remove these 2 copies").await;
    visitor.sees("2 copies are being removed.").await;
    visitor
        .until(
            "two removals",
            "return words(document.querySelector('#recent').innerText)
        .split('Removed').length > 2",
        )
        .await;
    let left = fs::read_dir(folder.join("cofferdam")).expect("the folder").count();
    assert_eq!(left, 2, "the newest copy and its sidecar");
    visitor.assert_quiet(&[]).await;
    visitor.browser.quit().await;
}
