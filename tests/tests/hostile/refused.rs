//! Files that are not taken as plugins, each in its own words; meanwhile, and
//! afterwards, everything else goes on.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::{
    stage::{Stage, component, fits},
    surgery::{bomb, with_instances},
};

const MEMORY: &str = "the plugin could not be asked what it is: \
     the plugin was stopped: it asked for more than 67.1 MB of memory";

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("it is WebAssembly")
}

/// Drops each in and looks at why it was refused.
fn refuse(stage: &Stage, table: Vec<(&str, Vec<u8>, &str)>) {
    stage.the_good_one_works();
    let before = stage.rest();
    for (name, bytes, reason) in table {
        let file = format!("{name}.wasm");
        stage.drop_in(&file, &bytes);
        let found = stage.plugin(&file, "refused");
        let told = found["reason"].as_str().unwrap_or_default();
        assert!(fits(told, reason), "{name}: {told}");
        assert!(found["hash"].is_null() && found["about"].is_null());
        stage.nothing_is_left(before);
        stage.the_good_one_works();
    }
    stage.is_as_before(before);
}

#[test]
fn what_is_no_component_or_none_of_ours_is_refused() {
    let stage = Stage::new(&[]);
    let cache = fs::read_dir(stage.console.data().join("cache/plugins")).expect("the cache");
    let native = cache
        .map(|it| it.expect("an entry").path())
        .find(|it| it.extension().is_some_and(|it| it == "cwasm"));
    let native = fs::read(native.expect("compiled code")).expect("a file");
    let odd =
        "(component (instance $none) (export \"cofferdam:plugin/plugin@0.1.0\" (instance $none)))";
    refuse(
        &stage,
        vec![
            (
                "junk",
                b"PK\x03\x04 and so on".to_vec(),
                "this file is not a WebAssembly component\nHINT: build the plugin for the target wasm32-wasip2 and take the .wasm file",
            ),
            (
                "empty",
                Vec::new(),
                "this file is not a WebAssembly component\nHINT: build the plugin for the target wasm32-wasip2 and take the .wasm file",
            ),
            (
                "module",
                wat("(module)"),
                "this file is a core WebAssembly module, not a component\nHINT: build the plugin for the target wasm32-wasip2, or wrap it with wasm-tools component new",
            ),
            (
                "native",
                native,
                "this file holds compiled native code, which a plugin must not bring along\nHINT: take the .wasm file that it was compiled from",
            ),
            (
                "imports",
                wat(
                    "(component (import \"evil:shell/run@1.0.0\" (instance (export \"run\" (func)))))",
                ),
                "the component needs evil:shell/run@1.0.0, which the console does not have\nHINT: build it against this version of the console's WIT",
            ),
            (
                "nothing",
                wat("(component)"),
                "the component is not a plugin: it does not export cofferdam:plugin/plugin@0.1.0\nHINT: see the interfaces in wit/",
            ),
            (
                "shape",
                wat(odd),
                "the component does not fit the contract: instance export `cofferdam:plugin/plugin@0.1.0` does not have export `describe`\nHINT: build it against this version of the console's WIT",
            ),
            (
                "cut",
                component("misbehaving")[..50_000].to_vec(),
                "the component is damaged, or uses WebAssembly features that are not supported: *",
            ),
            (
                "memories",
                with_instances(&component("misbehaving"), &wat("(module (memory 0))"), 60),
                "the component has 61 memories, and a plugin has 50 at most",
            ),
        ],
    );
}

#[test]
fn what_cannot_say_what_it_is_is_refused() {
    let stage = Stage::new(&[]);
    let good = component("misbehaving");
    let each = "(module (memory 1) (func (drop (memory.grow (i32.const 63)))) (start 0))";
    refuse(
        &stage,
        vec![
            (
                "loop",
                component("misbehaving-describe-loop"),
                "the plugin could not be asked what it is: the plugin was stopped: it computed for 1.0 s without passing on a byte of a file",
            ),
            (
                "trap",
                component("misbehaving-describe-trap"),
                "the plugin could not be asked what it is: the plugin crashed: wasm trap: wasm `unreachable` instruction executed; the last that it wrote is: it does not say what it is",
            ),
            ("memory", component("misbehaving-describe-memory"), MEMORY),
            ("huge", component("misbehaving-describe-huge"), MEMORY),
            (
                "odd",
                component("misbehaving-describe-junk"),
                "the plugin's description is not right: id: 1 to 40 of the characters a-z, 0-9 and - are allowed",
            ),
            (
                "no-schema",
                component("misbehaving-schema-none"),
                "the plugin's description is not right: settings-schema: it is not JSON: key must be a string at line 1 column 3",
            ),
            (
                "wrong-schema",
                component("misbehaving-schema-wrong"),
                "the plugin's description is not right: settings-schema: it is not the schema of an object: \"type\": \"object\" is missing",
            ),
            ("many-memories", with_instances(&good, &wat(each), 40), MEMORY),
            (
                "stack",
                with_instances(
                    &good,
                    &wat("(module (func $deeper (call $deeper)) (start $deeper))"),
                    1,
                ),
                "the plugin could not be asked what it is: the plugin crashed: wasm trap: call stack exhausted",
            ),
            (
                "tables",
                with_instances(
                    &good,
                    &wat(
                        "(module (table 0 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 500000)))) (start 0))",
                    ),
                    40,
                ),
                MEMORY,
            ),
        ],
    );
}

#[test]
fn a_compile_bomb_is_refused_and_holds_up_nobody_meanwhile() {
    let mut stage = Stage::new(&[]);
    let limit = |seconds: &'static str| {
        move |builder: cofferdam_tests::console::Builder| {
            builder.env("COFFERDAM_PLUGIN_COMPILE_SECONDS", seconds)
        }
    };
    // What is there has been compiled by now, however busy the machine is.
    stage.console.restart_with(limit("8"));
    stage.the_good_one_works();
    let before = stage.rest();
    stage.drop_in("bomb.wasm", &bomb(5_000, 3_000));
    stage.plugin("bomb.wasm", "new");
    stage.the_good_one_works();
    // Nor is another one held up that comes while it is being compiled.
    let mut other = component("misbehaving");
    other.extend([0, 3, 1, b'n', 7]);
    stage.drop_in("other.wasm", &other);
    stage.plugin("other.wasm", "changed");
    let list = stage.api.get("/api/v1/plugins").expect(200).json();
    let mut all = list["plugins"].as_array().expect("a list").iter();
    assert!(all.any(|it| it["file"] == "bomb.wasm" && it["state"] == "new"), "{list}");
    fs::remove_file(stage.console.data().join("plugins/other.wasm")).expect("removed");
    let found = stage.plugin("bomb.wasm", "refused");
    assert_eq!(
        found["reason"],
        "compiling the component took longer than 8 s and was stopped\nHINT: the console tries it again by itself"
    );
    let children = fs::read_dir(format!("/proc/{}/task", stage.console.pid())).expect("threads");
    for thread in children {
        let children = fs::read_to_string(thread.expect("a thread").path().join("children"));
        assert_eq!(children.unwrap_or_default(), "", "no compiler is left");
    }
    stage.is_as_before(before);

    // Nor does it hold up a start.
    stage.console.restart_with(limit("3600"));
    let begun = Instant::now();
    stage.plugin("misbehaving.wasm", "approved");
    stage.the_good_one_works();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    stage.plugin("bomb.wasm", "new");

    // Nor whoever uploads another one meanwhile.
    let mut third = component("misbehaving");
    third.extend([0, 3, 1, b'n', 8]);
    let kind = [("Content-Type", "application/wasm")];
    let begun = Instant::now();
    stage.api.send("POST", "/api/v1/plugins?name=third.wasm", &kind, Some(&third)).expect(201);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    stage.plugin("third.wasm", "changed");
    stage.plugin("bomb.wasm", "new");
}
