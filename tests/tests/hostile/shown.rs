//! What an administrator reads on the pages of what was stopped.

use cofferdam_tests::Person;
use serde_json::json;

use crate::stage::Stage;

const MEMORY: &str = "The plugin was stopped: it asked for more than 67.1 MB of memory.";
const CPU: &str =
    "The plugin was stopped: it computed for 1.0 s without passing on a byte of a file.";

#[test]
fn what_a_limit_has_stopped_is_told_on_the_pages_of_its_backup_and_its_plugin() {
    let mut stage = Stage::new(&[]);
    stage.the_good_one_works();
    let before = stage.rest();
    let found = stage.plugin("misbehaving.wasm", "approved");
    let plugin = format!("/plugins/{}", found["hash"].as_str().expect("a hash"));
    let person = Person::administrator(&stage.console);
    let shows = |path: &str, sentence: &str| {
        person.get(path).expect(200).text().contains(&format!(">{sentence}<"))
    };
    for sentence in [MEMORY, CPU] {
        assert!(!shows(&plugin, sentence), "{sentence}");
    }
    for (mode, sentence) in [("memory", MEMORY), ("loop", CPU)] {
        let delivery = stage.suffer(&json!({ "mode": mode }));
        let id = |it: &str| delivery[it].as_str().expect("an id").to_owned();
        let backup = format!("/backups/{}", id("backup"));
        let own = format!("/deliveries/{}", id("id"));
        for path in [&backup, &own, &plugin] {
            assert!(shows(path, sentence), "{path}: {}", person.get(path).text());
        }
        stage.nothing_is_left(before);
        stage.the_good_one_works();
    }
}
