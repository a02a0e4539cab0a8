//! Settings of a destination that are tried out before they are stored, with a
//! plugin whose form has every kind of field.

use std::{fs, time::Duration};

use cofferdam_tests::{Api, Console, Person, component, wait_until};
use serde_json::{Value, json};

use crate::plugins::plugin;

/// A console on which the plugin with all fields may run.
fn with_all_fields() -> (Console, Api) {
    let console = Console::builder().start();
    let api = console.api();
    fs::copy(component("all-fields"), console.data().join("plugins/all-fields.wasm"))
        .expect("copied");
    let found = wait_until("the plugin", Duration::from_secs(30), || {
        plugin(&api, |it| it["about"]["id"] == "all-fields" && it["state"] == "waiting")
    });
    let path = format!("/api/v1/plugins/{}/approve", found["hash"].as_str().expect("a hash"));
    api.post(&path, &json!({})).expect(200);
    (console, api)
}

fn settings(name: &str) -> Value {
    json!({ "name": name, "service": "cloud", "region": "north", "token": "canary-7" })
}

#[test]
fn a_test_before_saving_names_wrong_fields_and_stores_nothing() {
    let (console, api) = with_all_fields();
    let check = |settings: Value| {
        api.post(
            "/api/v1/destinations/check",
            &json!({ "plugin": "all-fields", "settings": settings }),
        )
    };
    // What does not fit the schema is not even asked.
    let told = check(json!({ "name": "x", "service": "cloud" })).expect(422).json();
    let fields: Vec<_> = told["errors"].as_array().expect("errors").iter().collect();
    assert!(fields.iter().any(|it| it["field"] == "settings.name"), "{told}");
    // What the plugin itself refuses stands at its field.
    let told = check(settings("refused")).expect(200).json();
    assert_eq!(
        (&told["ok"], &told["errors"][0]["field"]),
        (&false.into(), &"settings.name".into())
    );
    assert_eq!(told["errors"][0]["message"], "this name is taken on the other side");
    let told = check(settings("later")).expect(200).json();
    assert_eq!((&told["ok"], &told["errors"]), (&false.into(), &json!([])));
    assert_eq!(told["message"], "the other side is busy");
    let told = check(settings("shop")).expect(200).json();
    assert_eq!(told["ok"], true);
    let said = told["message"].as_str().expect("a message");
    // It was given the defaults, too; a secret comes to it whole.
    assert!(said.contains("token has 8 characters") && said.contains("parts is 4"), "{said}");
    assert_eq!(api.get("/api/v1/destinations").json()["destinations"], json!([]));
    let tried = console.catalog("SELECT count(*) FROM audit WHERE action = 'destination.try'");
    assert_eq!(tried, "3");
}

#[test]
fn changes_are_tried_out_over_what_is_stored_and_the_last_test_stays_with_its_time() {
    let (_console, api) = with_all_fields();
    let wish = json!({ "plugin": "all-fields", "name": "fields", "settings": settings("shop") });
    let made = api.post("/api/v1/destinations", &wish).expect(201).json();
    assert_eq!((&made["roles"], &made["last_check"]), (&json!(["retention"]), &Value::Null));
    let path = "/api/v1/destinations/fields/check";
    // The stored secret goes along where none is typed.
    let change = json!({ "settings": { "name": "crm", "service": "cloud", "region": "south" } });
    let told = api.post(path, &change).expect(200).json();
    let said = told["message"].as_str().expect("a message");
    assert!(said.contains("name is \"crm\"") && said.contains("token has 8 characters"), "{said}");
    let show = || api.get("/api/v1/destinations/fields").expect(200).json();
    assert_eq!(
        (&show()["settings"]["name"], &show()["last_check"]),
        (&"shop".into(), &Value::Null)
    );

    let told = api.post(path, &json!({})).expect(200).json();
    let kept = show()["last_check"].clone();
    assert_eq!((&kept["ok"], &kept["message"]), (&true.into(), &told["message"]));
    assert!(kept["at"].is_string() && !kept.to_string().contains("canary"), "{kept}");
    // A policy without a place of its own has nothing to let go.
    let told = api.get("/api/v1/destinations/fields/retention").expect(409).json();
    assert!(told["detail"].as_str().is_some_and(|it| it.contains("keeps no copies")), "{told}");
    // Another name is no other setting; other settings are not tested yet.
    api.patch("/api/v1/destinations/fields", &json!({ "keep_going": true })).expect(200);
    assert_eq!(show()["last_check"]["ok"], true);
    api.patch("/api/v1/destinations/fields", &json!({ "settings": settings("later") })).expect(200);
    assert_eq!(show()["last_check"], Value::Null);
    api.post(path, &json!({})).expect(200);
    assert_eq!(show()["last_check"]["message"], "the other side is busy");
}

#[test]
fn a_stored_secret_stays_when_it_is_left_out_and_goes_when_it_is_null() {
    let (_console, api) = with_all_fields();
    let wish = json!({ "plugin": "all-fields", "name": "fields", "settings": settings("shop") });
    api.post("/api/v1/destinations", &wish).expect(201);
    let save = |token: Option<Value>| {
        let mut settings = settings("shop");
        match token {
            Some(token) => settings["token"] = token,
            None => drop(settings.as_object_mut().map(|it| it.remove("token"))),
        }
        let wish = json!({ "settings": settings });
        api.patch("/api/v1/destinations/fields", &wish).expect(200).json()["secrets"].clone()
    };
    assert_eq!(save(None), json!(["token"]));
    assert_eq!(save(Some("".into())), json!(["token"]));
    assert_eq!(save(Some(Value::Null)), json!([]));
    assert_eq!(save(None), json!([]));
}

#[test]
fn the_form_tries_out_what_is_typed_without_scripts_and_can_forget_a_secret() {
    let (console, api) = with_all_fields();
    let person = Person::administrator(&console);
    let typed = |name| {
        vec![
            ("plugin", "all-fields"),
            ("name", "fields"),
            ("s.name", name),
            ("s.service", "cloud"),
            ("s.region", "north"),
            ("s.parts", "7"),
            ("s.token", "canary-7"),
        ]
    };
    let page = person.post("/destinations/try", &typed("refused")).expect(200).text();
    assert!(page.contains("id=\"destination-s-name-error\""), "{page}");
    assert!(
        page.contains("This name is taken on the other side")
            && page.contains("It does not work yet")
    );
    assert!(page.contains("value=\"7\"") && !page.contains("canary"), "{page}");
    let page = person.post("/destinations/try", &typed("s")).expect(422).text();
    assert!(page.contains("error-summary") && !page.contains("id=\"trial\""));
    let page = person.post("/destinations/try", &typed("shop")).expect(200).text();
    assert!(page.contains("It works") && page.contains("token has 8 characters"), "{page}");
    assert_eq!(api.get("/api/v1/destinations").json()["destinations"], json!([]));
    person.post("/destinations", &typed("shop")).expect(303);

    let made = api.get("/api/v1/destinations/fields").expect(200).json();
    assert_eq!((&made["settings"]["parts"], &made["secrets"]), (&7.into(), &json!(["token"])));
    let own = format!("/destinations/{}", made["id"].as_str().expect("an id"));
    let edit = person.get(&format!("{own}/edit")).expect(200).text();
    assert!(edit.contains("Remove the stored one (Token)"), "{edit}");
    let change =
        [("s.name", "shop"), ("s.service", "cloud"), ("s.region", "south"), ("name", "fields")];
    let page = person.post(&format!("{own}/try"), &change).expect(200).text();
    assert!(page.contains("token has 8 characters"), "{page}");
    let forget = [&change[..], &[("forget", "s.token")]].concat();
    let page = person.post(&format!("{own}/try"), &forget).expect(200).text();
    assert!(!page.contains("token has") && page.contains("value=\"s.token\" checked"), "{page}");
    person.post(&format!("{own}/edit"), &forget).expect(303);
    let now = api.get("/api/v1/destinations/fields").expect(200).json();
    assert_eq!((&now["settings"]["region"], &now["secrets"]), (&"south".into(), &json!([])));
    // The page of the destination tells of the last test, and so does the next one.
    assert!(person.get(&own).expect(200).text().contains("Not tested yet"));
    person.post(&format!("{own}/check"), &[]).expect(200);
    let page = person.get(&own).expect(200).text();
    assert!(page.contains("It works") && page.contains("region is"), "{page}");
}

#[test]
fn what_a_notifier_is_given_to_tell_is_asked_for_once() {
    let (console, _) = with_all_fields();
    let person = Person::administrator(&console);
    for name in ["email", "webhook", "chat"] {
        let page = person.get(&format!("/destinations/new?plugin={name}")).expect(200).text();
        assert_eq!(page.matches("value=\"backup.failed\"").count(), 1, "{name}: {page}");
        assert!(!page.contains("s.events"));
    }
}
