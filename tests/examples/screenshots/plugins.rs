//! Plugins, destinations and deliveries in every state.

use std::{fs, time::Duration};

use cofferdam_tests::{Api, Console, WebServer, wait_until};
use serde_json::{Value, json};

use crate::{Camera, id, resize};

const PATIENCE: Duration = Duration::from_mins(1);

fn component(name: &str) -> Vec<u8> {
    fs::read(cofferdam_tests::component(name)).expect("the component")
}

fn put(console: &Console, name: &str, bytes: &[u8]) {
    fs::write(console.data().join("plugins").join(name), bytes).expect("the plugin folder");
}

/// Waits for a plugin in a state, and gives the address of its page.
fn plugin(api: &Api, file: &str, state: &str) -> String {
    let found = wait_until(state, PATIENCE, || {
        let list = api.get("/api/v1/plugins").expect(200).json();
        let list = list["plugins"].as_array().expect("a list").clone();
        list.into_iter().find(|it| it["file"] == file && it["state"] == state)
    });
    found["hash"].as_str().unwrap_or(file).to_owned()
}

fn approve(api: &Api, hash: &str, hosts: &[String]) {
    let wish = json!({ "hosts": hosts });
    api.post(&format!("/api/v1/plugins/{hash}/approve"), &wish).expect(200);
}

fn deliveries(api: &Api, backup: &str, fit: impl Fn(&[Value]) -> bool) {
    wait_until("the deliveries", PATIENCE, || {
        let now = api.get(&format!("/api/v1/backups/{backup}")).expect(200).json();
        fit(now["deliveries"].as_array().expect("a list")).then_some(())
    });
}

pub(crate) async fn take(camera: &Camera<'_>, console: &Console, api: &Api) {
    let visitor = camera.visitor;
    camera.take("destinations-empty", "/destinations").await;
    camera.take("destination-choose", "/destinations/new").await;
    let server = WebServer::start();
    let host = format!("127.0.0.1:{} private", server.port());
    put(console, "web-server.wasm", &component("example-rust"));
    let web_server = plugin(api, "web-server.wasm", "waiting");
    camera.take("plugin-waiting", &format!("/plugins/{web_server}")).await;
    visitor.fill("#approve-hosts", "files.example.org").await;
    visitor.press("Approve").await;
    visitor.until("an error", "return document.querySelector('.error-summary')").await;
    camera.take("plugin-error", "").await;
    approve(api, &web_server, &[host]);
    put(console, "all-fields.wasm", &component("all-fields"));
    approve(api, &plugin(api, "all-fields.wasm", "waiting"), &[]);
    put(console, "notes.wasm", b"these are notes, and no component");
    plugin(api, "notes.wasm", "refused");

    let shelf = console.folder().join("shelf");
    fs::create_dir_all(&shelf).expect("a folder");
    let url = |path: &str| json!({ "url": format!("http://127.0.0.1:{}{path}", server.port()) });
    let add = |wish: Value| id(&api.post("/api/v1/destinations", &wish).expect(201).json());
    let shelf = add(json!({ "plugin": "local-retention", "name": "shelf", "grant": true,
        "settings": { "folder": shelf, "keep": "count", "count": 9 } }));
    add(json!({ "plugin": "web-server", "name": "offsite", "settings": url("/backups") }));
    add(json!({ "plugin": "web-server", "name": "slow-line", "settings": url("/stuck") }));
    add(json!({ "plugin": "web-server", "name": "archive", "settings": url("/refused") }));
    let hook = add(json!({ "plugin": "webhook", "name": "pager", "grant": true,
        "grant_private": true, "settings": { "url": "http://127.0.0.1:9/hook" } }));
    let chat = json!({ "plugin": "chat", "name": "ops-channel", "grant": true,
        "grant_private": true, "settings": { "service": "ntfy", "ntfy_server": "http://127.0.0.1:9",
        "ntfy_topic": "backups" } });
    add(chat);
    let chat = plugin(api, "chat.wasm", "approved");
    api.post(&format!("/api/v1/plugins/{chat}/revoke"), &json!({})).expect(200);

    let ask_for = |database: &str| {
        let wish = json!({ "database": database });
        let made = id(&api.post("/api/v1/backups", &wish).expect(202).json());
        api.ended(&made);
        made
    };
    let first = ask_for("shop");
    let is = |list: &[Value], status: &str| list.iter().any(|it| it["status"] == status);
    deliveries(api, &first, |list| {
        ["completed", "running", "retrying", "failed", "blocked"].iter().all(|it| is(list, it))
    });
    visitor.open(&format!("/backups/{first}")).await;
    visitor.press("1 attempt: archive").await;
    camera.take("backup-deliveries", "").await;
    let backup = api.get(&format!("/api/v1/backups/{first}")).expect(200).json();
    for status in ["completed", "retrying", "failed", "blocked"] {
        let list = backup["deliveries"].as_array().expect("deliveries");
        let one = list.iter().find(|it| it["status"] == status).expect("one of each");
        camera.take(&format!("delivery-{status}"), &format!("/deliveries/{}", id(one))).await;
    }
    camera.take("destinations", "/destinations").await;
    camera.take("destination-failing", &format!("/destinations/{hook}")).await;
    for _ in 0..3 {
        let made = ask_for("blog");
        deliveries(api, &made, |list| {
            list.iter().any(|it| it["destination"] == "shelf" && it["status"] == "completed")
        });
    }
    let change = json!({ "settings": { "folder": console.folder().join("shelf"),
        "keep": "count", "count": 1 } });
    api.patch("/api/v1/destinations/shelf", &change).expect(200);
    visitor.open(&format!("/destinations/{shelf}")).await;
    resize(visitor, 1440, 900).await;
    visitor.press("Test connection").await;
    visitor.sees("It works").await;
    visitor.press("What would go").await;
    visitor.sees("Not the newest.").await;
    camera.take("destination", "").await;
    camera.take("retention", &format!("/destinations/{shelf}/retention")).await;
    camera.take("destination-edit", &format!("/destinations/{shelf}/edit")).await;
    camera.take("destination-delete", &format!("/destinations/{shelf}/delete")).await;
    for name in ["s3", "email", "webhook", "local-retention"] {
        camera.take(&format!("new-{name}"), &format!("/destinations/new?plugin={name}")).await;
    }
    visitor.open("/destinations/new?plugin=all-fields").await;
    resize(visitor, 1440, 900).await;
    visitor.fill("#destination-s-name", "x").await;
    visitor.fill("#destination-s-parts", "12").await;
    visitor.press("Add the destination").await;
    visitor.until("errors", "return document.querySelector('.error-summary')").await;
    camera.take("form-errors", "").await;
    resize(visitor, 1440, 900).await;
    visitor.fill("#destination-s-name", "refused").await;
    visitor.fill("#destination-s-parts", "3").await;
    visitor.choose("#destination-s-service", "own").await;
    visitor.press("Test connection").await;
    visitor.sees("It does not work yet").await;
    camera.take("form-tried", "").await;

    components(camera, console, api).await;
}

/// Components that changed, are gone, or are none.
async fn components(camera: &Camera<'_>, console: &Console, api: &Api) {
    // The same component with one more section, one that is gone, and one that is refused.
    let changed = [component("example-rust"), b"\x00\x05\x04note".to_vec()].concat();
    put(console, "web-server.wasm", &changed);
    let changed = plugin(api, "web-server.wasm", "changed");
    fs::remove_file(console.data().join("plugins/all-fields.wasm")).expect("removed");
    let gone = plugin(api, "all-fields.wasm", "removed");
    camera.take("plugins", "/plugins").await;
    camera.take("plugin-changed", &format!("/plugins/{changed}")).await;
    camera.take("plugin-gone", &format!("/plugins/{gone}")).await;
    camera.take("plugin-refused", "/plugins/notes.wasm").await;
    let s3 = plugin(api, "s3.wasm", "approved");
    camera.take("plugin", &format!("/plugins/{s3}")).await;
    camera.take("plugin-revoke", &format!("/plugins/{s3}/revoke")).await;
    camera.take("destinations-blocked", "/destinations").await;
}
