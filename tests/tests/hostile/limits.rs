//! Time, memory, and everything else of which there is only so much.

use serde_json::json;

use crate::stage::Stage;

const CPU: &str =
    "the plugin was stopped: it computed for 1.0 s without passing on a byte of a file";
const IDLE: &str = "the plugin was stopped: 6 s went by without an answer or a byte of a file";
const MEMORY: &str = "the plugin was stopped: it asked for more than 67.1 MB of memory";
const STREAMS: &str = "the plugin was stopped: it held more than 32 streams of the file open";
const HANDLES: &str =
    "the plugin was stopped: it held more than 256 streams, requests and files open";

#[test]
fn endless_work_is_stopped() {
    Stage::new(&[]).play(&[
        (json!({ "mode": "loop" }), "failed", CPU),
        (json!({ "mode": "sleep" }), "retrying", IDLE),
        (json!({ "mode": "sleep-often" }), "retrying", IDLE),
        (json!({ "mode": "stderr" }), "failed", CPU),
        (
            json!({ "mode": "digests" }),
            "failed",
            "the plugin was stopped: it read more than * of the file, which is many times its size",
        ),
    ]);
}

#[test]
fn memory_and_handles_have_an_end() {
    Stage::new(&[]).play(&[
        (json!({ "mode": "memory" }), "failed", MEMORY),
        (json!({ "mode": "log-line" }), "failed", MEMORY),
        (json!({ "mode": "message-huge" }), "failed", MEMORY),
        (json!({ "mode": "receipt-huge" }), "failed", MEMORY),
        (json!({ "mode": "resources" }), "failed", HANDLES),
        (json!({ "mode": "streams" }), "failed", STREAMS),
        (json!({ "mode": "random" }), "failed", "the plugin crashed: *"),
    ]);
}

#[test]
fn a_crash_ends_the_call_and_nothing_else() {
    const CRASH: &str = "the plugin crashed: wasm trap: wasm `unreachable` instruction executed; \
         the last that it wrote is: ";
    Stage::new(&[]).play(&[
        (json!({ "mode": "trap" }), "failed", &format!("{CRASH}the component has given up")),
        // The component needs the whole text in its memory.
        (json!({ "mode": "trap-huge" }), "failed", MEMORY),
        (
            json!({ "mode": "stack" }),
            "failed",
            "the plugin crashed: wasm trap: out of bounds memory access",
        ),
        (
            json!({ "mode": "exit" }),
            "failed",
            "the plugin crashed: it ended itself in the middle of the call and reported failure",
        ),
        (json!({ "mode": "message-odd" }), "failed", "red\n<script>alert(1)</script>desrever"),
    ]);
}

#[test]
fn a_flood_of_lines_is_cut_clean_and_inert() {
    let mut stage = Stage::new(&[]);
    stage.play(&[]);
    let before = stage.rest();
    let flood = stage.suffer(&json!({ "mode": "log", "times": 100_000 }));
    assert_eq!((&flood["status"], &flood["note"]), (&"completed".into(), &"100000 lines".into()));
    let lines = flood["history"][0]["log"].as_array().expect("lines");
    assert_eq!(lines.len(), 501);
    assert_eq!(lines[0]["text"], "<script>alert(0)</script>");
    assert_eq!(lines[500]["text"], "199500 more lines were left out");
    stage.the_good_one_works();
    stage.is_as_before(before);

    // On the pages it is text like any other.
    let person = cofferdam_tests::Person::administrator(&stage.console);
    let odd = stage.suffer(&json!({ "mode": "message-odd" }));
    for delivery in [&flood, &odd] {
        let own = format!("/backups/{}", delivery["backup"].as_str().expect("a backup"));
        for path in [own.as_str(), "/destinations", "/destinations/bad-2", "/plugins", "/"] {
            let text = person.get(path).expect(200).text();
            assert!(!text.contains("<script>alert"), "{path}");
            assert!(!text.contains(['\u{1b}', '\u{202e}', '\0']), "{path}");
        }
    }
}

#[test]
fn a_test_of_the_connection_is_bounded_like_a_delivery() {
    let mut stage = Stage::new(&[]);
    stage.play(&[]);
    let before = stage.rest();
    for (mode, sentence) in [("loop", CPU), ("sleep", IDLE), ("memory", MEMORY)] {
        let name = stage.destination(&json!({ "mode": mode }));
        let path = format!("/api/v1/destinations/{name}/check");
        let told = stage.api.post(&path, &json!({})).expect(200).json();
        assert_eq!((&told["ok"], &told["message"]), (&false.into(), &sentence.into()));
        stage.nothing_is_left(before);
        stage.the_good_one_works();
    }
    stage.is_as_before(before);
}
