//! What the audit log says of plugins, destinations and deliveries: who did
//! it, to what, and what was granted or changed, with no secret anywhere.

use std::fs;

use cofferdam_tests::{Api, Console, component};
use serde_json::{Value, json};

use crate::{
    deliveries::{back_up, shelf},
    plugins::plugin,
    roles::{SECRET, with_people},
};

/// An entry of the audit log.
struct Entry {
    actor: String,
    action: String,
    /// Its kind, id and name.
    object: (String, String, String),
    details: Value,
}

/// The entries about plugins, destinations and deliveries, in order. All of
/// them were allowed.
fn entries(console: &Console) -> Vec<Entry> {
    let told = console.catalog(
        "SELECT json_array(actor_kind || ' ' || actor, action, object_kind, object_id, object_name, \
         outcome, json(details)) FROM audit WHERE action LIKE 'plugin.%' \
         OR action LIKE 'destination.%' OR action LIKE 'delivery.%' ORDER BY seq;",
    );
    let read = |line: &str| {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let text = |at: usize| row[at].as_str().expect("text").to_owned();
        assert_eq!(text(5), "allowed", "{row}");
        let (actor, action, object) = (text(0), text(1), (text(2), text(3), text(4)));
        Entry { actor, action, object, details: row[6].clone() }
    };
    told.lines().map(read).collect()
}

/// Who, what, to which object, and the details.
type Wanted<'a> = (&'a str, &'a str, (&'a str, &'a str, &'a str), Value);

/// The next entries, which must be these.
#[track_caller]
fn are(found: &mut impl Iterator<Item = Entry>, wanted: &[Wanted<'_>]) {
    for (actor, action, (kind, id, name), details) in wanted {
        let next = found.next().expect("an entry");
        assert_eq!((&*next.actor, &*next.action), (*actor, *action), "{:?}", next.object);
        let object = (&*next.object.0, &*next.object.1, &*next.object.2);
        assert_eq!(object, (*kind, *id, *name), "{action}");
        assert_eq!(next.details, *details, "{action}");
    }
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().expect("text")
}

/// A bundled plugin's hash, and its name as the audit log has it.
fn bundled(api: &Api, id: &str) -> (String, String) {
    let found = plugin(api, |it| it["bundled"] == true && it["about"]["id"] == id);
    let found = found.expect("it is bundled");
    (text(&found, "hash").to_owned(), format!("{id} {}", text(&found["about"], "version")))
}

#[test]
fn what_is_done_to_plugins_is_told_with_the_grants_and_who_did_it() {
    let console = Console::builder().start();
    let api = console.api();
    let folder = shelf(&console);
    let (shelf, shelf_name) = bundled(&api, "local-retention");
    let (hook, hook_name) = bundled(&api, "webhook");
    let (mail, mail_name) = bundled(&api, "email");
    let before = entries(&console);
    // The program's own: they are there, and approved with it, with nothing granted.
    for action in ["plugin.appear", "plugin.approve"] {
        let own: Vec<_> = before.iter().filter(|it| it.action == action).collect();
        assert_eq!(own.len(), 5);
        assert!(own.iter().all(|it| it.actor == "system cofferdam" && it.details.is_null()));
        assert!(own.iter().any(|it| (&it.object.1, &it.object.2) == (&shelf, &shelf_name)));
    }
    assert_eq!(before.len(), 10);

    let path = |hash: &str, verb: &str| format!("/api/v1/plugins/{hash}/{verb}");
    api.post(&path(&shelf, "approve"), &json!({ "folder": folder })).expect(200);
    let hosts = json!({ "hosts": ["hooks.example.org:443", "127.0.0.1:9 private"] });
    api.post(&path(&hook, "approve"), &hosts).expect(200);
    api.post(&path(&mail, "approve"), &json!({ "mail": true })).expect(200);
    api.post(&path(&shelf, "revoke"), &json!({})).expect(200);
    api.post(&path(&shelf, "approve"), &json!({})).expect(200);
    // One that somebody brings: it appears by itself, and is approved by nobody.
    let bytes = fs::read(component("bare")).expect("a component");
    let kind = [("Content-Type", "application/wasm")];
    api.send("POST", "/api/v1/plugins?name=bare.wasm", &kind, Some(&bytes)).expect(201);
    let own = cofferdam_tests::wait_until("the plugin", crate::deliveries::PATIENCE, || {
        plugin(&api, |it| it["file"] == "bare.wasm" && it["about"].is_object())
    });
    let (bare, about) = (text(&own, "hash"), &own["about"]);
    let bare_name = format!("{} {}", text(about, "id"), text(about, "version"));

    // By a token: all of it is done over the API.
    let admin = "token admin";
    let grants = |hosts: &[&str], folder: Value, mail: bool| json!({ "hosts": hosts, "folder": folder, "mail": mail });
    let shelf = ("plugin", &*shelf, &*shelf_name);
    let mut found = entries(&console).into_iter().skip(10);
    are(
        &mut found,
        &[
            (admin, "plugin.approve", shelf, grants(&[], json!(folder), false)),
            (
                admin,
                "plugin.approve",
                ("plugin", &hook, &hook_name),
                grants(&["hooks.example.org:443", "127.0.0.1:9 private"], Value::Null, false),
            ),
            (
                admin,
                "plugin.approve",
                ("plugin", &mail, &mail_name),
                grants(&[], Value::Null, true),
            ),
            (admin, "plugin.revoke", shelf, Value::Null),
            (admin, "plugin.approve", shelf, grants(&[], Value::Null, false)),
            (
                admin,
                "plugin.upload",
                ("file", "bare.wasm", "bare.wasm"),
                json!({ "size_bytes": bytes.len(), "sha256": bare }),
            ),
            ("system cofferdam", "plugin.appear", ("plugin", bare, &bare_name), Value::Null),
        ],
    );
    assert!(found.next().is_none());
}

#[test]
fn what_is_done_to_destinations_and_deliveries_is_told_without_a_secret() {
    let console = with_people();
    let api = console.api();
    let (hash, hook) = bundled(&api, "webhook");
    let settings = |secret: &str, path: &str| {
        json!({
            "url": format!("http://127.0.0.1:9/{path}"), "secret": secret,
            "authorization": "Bearer canary-token",
        })
    };
    let wish = json!({
        "plugin": "webhook", "name": "hook", "grant": true, "grant_private": true,
        "settings": settings("canary-1-canary-1-canary", "one"),
    });
    let made = api.post("/api/v1/destinations", &wish).expect(201).json();
    let id = text(&made, "id").to_owned();
    // An operator's part: to try again, and to call off.
    let waits = |it: &Value| it["deliveries"][0]["status"] == "retrying";
    let backup = back_up(&api, &json!({ "database": "till" }), waits);
    let delivery = text(&backup["deliveries"][0], "id").to_owned();
    let otto = Api::sign_in(console.url(), "otto", SECRET);
    let path = format!("/api/v1/deliveries/{delivery}");
    otto.post(&format!("{path}/retry"), &json!({})).expect(202);
    cofferdam_tests::wait_until("the second attempt", crate::deliveries::PATIENCE, || {
        let now = otto.get(&path).expect(200).json();
        (now["attempts"] == 2 && now["status"] == "retrying").then_some(())
    });
    otto.post(&format!("{path}/cancel"), &json!({})).expect(202);

    let change = |wish: Value| {
        api.patch("/api/v1/destinations/hook", &wish).expect(200);
    };
    change(json!({ "enabled": false }));
    change(json!({ "enabled": true }));
    change(json!({ "settings": settings("canary-2-canary-2-canary", "two"), "keep_going": true }));
    change(json!({ "name": "bell" }));
    api.delete("/api/v1/destinations/bell").expect(204);

    // By a token: all of it is done over the API.
    let admin = "token admin";
    let hook = ("plugin", &*hash, &*hook);
    let named = |name: &'static str| ("destination", &*id, name);
    let about = format!("{} to hook", text(&backup, "id"));
    let about = ("delivery", &*delivery, &*about);
    let changed = |names: &[&str]| json!({ "changed": names });
    let mut found = entries(&console).into_iter().skip_while(|it| it.actor != admin);
    let grants = json!({ "hosts": ["127.0.0.1:9 private"], "folder": null, "mail": false });
    are(
        &mut found,
        &[
            (admin, "plugin.approve", hook, grants),
            (admin, "destination.create", named("hook"), Value::Null),
            ("token otto", "delivery.retry", about, Value::Null),
            ("token otto", "delivery.cancel", about, Value::Null),
            (admin, "destination.disable", named("hook"), changed(&["enabled"])),
            (admin, "destination.enable", named("hook"), changed(&["enabled"])),
            (
                admin,
                "destination.update",
                named("hook"),
                changed(&["keep_going", "settings.secret", "settings.url"]),
            ),
            (admin, "destination.update", named("bell"), changed(&["name"])),
            (admin, "destination.delete", named("bell"), Value::Null),
        ],
    );
    assert!(found.next().is_none());
    let all = console.catalog("SELECT * FROM audit;");
    assert!(all.contains("settings.secret") && !all.contains("canary"), "{all}");
}
