//! Removals of copies that a policy has asked for and that did not come to pass
//! at once: who may try them again, and how long the policy's word counts.

use std::fs;

use cofferdam_tests::{Api, Person};
use serde_json::{Value, json};

use crate::retention::{back_up, copy, count, removal, shelf, text};

/// A backup whose copy has had its time, and its removal, which waits for a
/// destination that is switched off.
fn waiting_removal(api: &Api) -> (Value, Value) {
    let all: Vec<Value> = (0..2).map(|_| back_up(api)).collect();
    count(api, 1);
    switch(api, false);
    api.post("/api/v1/destinations/shelf/retention", &json!({})).expect(202);
    let waits = removal(api, &all[0], "blocked");
    (all[0].clone(), waits)
}

fn switch(api: &Api, on: bool) {
    api.patch("/api/v1/destinations/shelf", &json!({ "enabled": on })).expect(200);
}

#[test]
fn a_removal_is_tried_again_by_an_administrator_alone_and_only_while_the_policy_wants_it() {
    let (console, api, folder) = shelf(9);
    let (old, waits) = waiting_removal(&api);
    let path = format!("/api/v1/deliveries/{}", text(&waits["id"]));
    api.post(&format!("{path}/cancel"), &json!({})).expect(202);
    switch(&api, true);
    let retry = format!("{path}/retry");

    console.add_user("otto", "operator", "seven tall green windows");
    let otto = Api::sign_in(console.url(), "otto", "seven tall green windows");
    otto.post(&retry, &json!({})).expect(403);
    let of_backup =
        format!("/api/v1/backups/{}/deliveries/{}/retry", text(&old["id"]), text(&waits["id"]));
    otto.post(&of_backup, &json!({})).expect(403);
    let otto = Person::sign_in(&console, "otto", "seven tall green windows");
    let page = otto.get(&format!("/deliveries/{}", text(&waits["id"]))).expect(200).text();
    assert!(!page.contains("/retry"), "{page}");

    let refused = |words: &str| {
        let told = api.post(&retry, &json!({})).expect(409).json();
        assert!(text(&told["detail"]).contains(words), "{told}");
    };
    count(&api, 9);
    refused("the policy does not name it any more");
    count(&api, 1);
    let pin = format!("/api/v1/backups/{}/pin", text(&old["id"]));
    api.post(&pin, &json!({})).expect(200);
    refused("the copy stays");
    api.post(&pin, &json!({ "pinned": false })).expect(200);
    assert!(copy(&folder, &old).exists());
    api.post(&retry, &json!({})).expect(202);
    removal(&api, &old, "completed");
    assert!(!copy(&folder, &old).exists());
}

#[test]
fn a_copy_that_was_left_with_its_backups_deletion_is_not_removed_by_an_old_removal() {
    let (console, api, folder) = shelf(9);
    let (old, waits) = waiting_removal(&api);
    let path = format!("/api/v1/backups/{}?keep_remote=true", text(&old["id"]));
    api.delete(&path).expect(204);
    switch(&api, true);
    let path = format!("/api/v1/deliveries/{}", text(&waits["id"]));
    let told = api.post(&format!("{path}/retry"), &json!({})).expect(409).json();
    assert!(text(&told["detail"]).contains("were to stay"), "{told}");
    let admin = Person::administrator(&console);
    let page = admin.get(&format!("/deliveries/{}", text(&waits["id"]))).expect(200).text();
    assert!(page.contains("were to stay") && !page.contains("/retry"), "{page}");
    assert!(copy(&folder, &old).exists());
    let list = api.get("/api/v1/destinations/shelf/deliveries").expect(200).json();
    assert_eq!(list["left_behind"], json!([]));
}

#[test]
fn what_a_policy_said_counts_for_an_hour_and_is_asked_anew_after_the_next_delivery() {
    let (console, api, folder) = shelf(9);
    let (old, _) = waiting_removal(&api);
    console.catalog("UPDATE jobs SET created_at = created_at - 3700000");
    switch(&api, true);
    let off = removal(&api, &old, "cancelled");
    assert!(text(&off["error"]).contains("more than an hour ago"), "{off}");
    assert!(copy(&folder, &old).exists());
    back_up(&api);
    removal(&api, &old, "completed");
    assert!(!copy(&folder, &old).exists());
}

#[test]
fn a_policys_removal_that_keeps_failing_is_given_up_within_its_hour_and_told() {
    let (console, api, folder) = shelf(9);
    let (old, _) = waiting_removal(&api);
    // Its folder cannot be written, and half of its hour and more is over.
    let path = copy(&folder, &old);
    fs::remove_file(&path).expect("removed");
    fs::create_dir_all(path.join("in the way")).expect("a folder");
    console.catalog("UPDATE jobs SET created_at = created_at - 3580000");
    switch(&api, true);
    let failed = removal(&api, &old, "failed");
    assert_eq!(failed["attempts"], 1, "{failed}");
}
