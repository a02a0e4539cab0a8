//! What a plugin says does not show the secrets that it was given.

use std::fs;

use serde_json::{Value, json};

use crate::stage::Stage;

const SECRET: &str = "canary/correct horse+battery";

#[test]
fn a_secret_that_a_plugin_tells_is_neither_stored_nor_shown() {
    let mut stage = Stage::new(&[]);
    stage.play(&[]);
    let before = stage.rest();
    let mut seen: Vec<Value> = Vec::new();
    for mode in ["leak", "leak-failure", "leak-panic"] {
        seen.push(stage.suffer(&json!({ "mode": mode, "secret": SECRET })));
        let name = stage.destination(&json!({ "mode": mode, "secret": SECRET }));
        let path = format!("/api/v1/destinations/{name}/check");
        seen.push(stage.api.post(&path, &json!({})).expect(200).json());
        stage.nothing_is_left(before);
    }
    assert_eq!(seen[0]["note"], "[secret] was told");
    assert_eq!(seen[1]["message"], "[secret] was told");
    assert_eq!(seen[2]["error"], "refused: user:[secret] [secret]");
    let crash = seen[4]["error"].as_str().expect("an error");
    assert!(crash.ends_with("the last that it wrote is: wrong password: [secret]"), "{crash}");
    let lines = seen[0]["history"][0]["log"].to_string();
    assert!(lines.contains("the secret is [secret]"), "{lines}");
    for text in seen.iter().map(Value::to_string).chain([stage.console.stderr()]) {
        assert!(!text.contains("canary"), "{text}");
    }
    let catalog = fs::read(stage.console.data().join("catalog.db")).expect("the catalog");
    let log = fs::read(stage.console.data().join("catalog.db-wal")).unwrap_or_default();
    for bytes in [catalog, log] {
        assert!(!bytes.windows(6).any(|part| part == b"canary"));
    }
    stage.the_good_one_works();
    stage.is_as_before(before);
}
