//! Components that lie, that fill up what they get, and that tell secrets.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use cofferdam_runtime::{
    Breach, CallError, Failure, Fetched, LimitBroken, Outcome, Plugin, Refusal,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    support::{
        Content, backup, cache, call, compiler, component, doing, load, misbehaving, runtime_in,
    },
    surgery::{bomb, with_instances},
};

async fn fetch(settings: Value, offset: u64, length: Option<u64>) -> (Outcome<Fetched>, u64) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(2);
    let count = tokio::spawn(async move {
        let mut sum = 0;
        while let Some(bytes) = receiver.recv().await {
            sum += bytes.len() as u64;
        }
        sum
    });
    let (call, _) = call(settings);
    let plugin = misbehaving().await;
    let outcome = plugin.open(call, "here".to_owned(), offset, length, sender).await;
    (outcome, count.await.expect("it counts"))
}

#[tokio::test]
async fn a_fetch_that_never_opens_the_sink_is_no_success() {
    let (outcome, received) = fetch(json!({ "mode": "sink-none" }), 0, None).await;
    assert_eq!(outcome.result, Err(CallError::Contract(Breach::Unopened)));
    assert_eq!(received, 0);
}

#[tokio::test]
async fn a_fetch_without_an_end_is_stopped_where_the_file_ends() {
    for (offset, length, wanted) in [(0, None, 1), (0, Some(500), 1), (1, None, 0)] {
        let (outcome, received) = fetch(json!({ "mode": "sink-endless" }), offset, length).await;
        assert_eq!(outcome.result, Err(CallError::Contract(Breach::Overrun { wanted })));
        assert!(received <= wanted, "{received}");
    }
}

#[tokio::test]
async fn a_fetch_of_fewer_bytes_than_there_are_is_no_success() {
    let (outcome, _) = fetch(json!({ "mode": "sink-short" }), 0, None).await;
    let breach = Breach::Fetched { written: 5, wanted: 1_000 };
    assert_eq!(outcome.result, Err(CallError::Contract(breach)));
    let (outcome, _) = fetch(json!({ "mode": "sink-twice" }), 0, None).await;
    assert!(matches!(outcome.result, Err(CallError::Failure(Failure::Denied(_)))));
}

#[tokio::test]
async fn a_million_lines_are_counted_and_the_call_goes_on() {
    let (mut call, ear) = call(json!({ "mode": "log", "times": 1_000_000 }));
    call.limits.cpu = Duration::from_mins(1);
    let start = Instant::now();
    let said = misbehaving().await.check(call).await.result;
    assert_eq!(said, Ok("1000000 lines".to_owned()));
    let lines = ear.lines();
    assert_eq!(lines.len(), 501);
    // Each of them is two: there is a line's end in it.
    assert_eq!(lines[0], "<script>alert(0)</script>");
    assert_eq!(lines[500], "1999500 more lines were left out");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_crash_is_told_with_the_components_own_last_words() {
    let words = async |mode: &str| {
        let (call, _) = call(json!({ "mode": mode }));
        misbehaving().await.check(call).await.result.expect_err("it crashes").to_string()
    };
    assert_eq!(
        words("trap").await,
        "the plugin crashed: wasm trap: wasm `unreachable` instruction executed; \
         the last that it wrote is: the component has given up"
    );
    assert_eq!(
        words("exit").await,
        "the plugin crashed: it ended itself in the middle of the call and reported failure"
    );
    // A gigabyte of last words is cut, and costs no more memory than a line.
    let (mut call, ear) = call(json!({ "mode": "words-huge" }));
    call.limits.cpu = Duration::from_mins(1);
    let outcome = misbehaving().await.check(call).await;
    let told = outcome.result.expect_err("it crashes").to_string();
    assert!(told.contains("the last that it wrote is: panic panic panic"), "{told}");
    assert!(told.ends_with('…') && told.len() < 500, "{}", told.len());
    assert!(outcome.usage.memory_bytes < 8 << 20, "{}", outcome.usage.memory_bytes);
    assert!(ear.lines().iter().all(|line| line.len() < 2_100));
}

#[tokio::test]
async fn secret_settings_are_not_in_lines_notes_failures_and_crashes() {
    const SECRET: &str = "hunter2/correct horse";
    let of = |mode: &str| call(json!({ "mode": mode, "secret": SECRET }));
    let plugin = misbehaving().await;
    let (leak, ear) = of("leak");
    let receipt = plugin.store(leak, backup(9), Content::new(9)).await.result.expect("stored");
    assert_eq!(receipt.note.as_deref(), Some("[secret] was told"));
    let lines = ear.lines();
    assert_eq!(lines[..2], ["the secret is [secret]", "the secret is [secret]"]);
    assert!(lines[2].ends_with("xxx[secret]…"), "{}", lines[2]);

    let told =
        async |mode: &str| plugin.check(of(mode).0).await.result.expect_err("it fails").to_string();
    assert_eq!(told("leak-failure").await, "refused: user:[secret] [secret]");
    assert!(told("leak-panic").await.ends_with("it wrote is: wrong password: [secret]"));
    // A host's name is the component's own text, too.
    let (mut denied, ear) = of("request");
    denied.settings["target"] = json!("http://hunter2-correct/");
    denied.settings["secret"] = json!("hunter2-correct");
    plugin.check(denied).await.result.expect_err("not granted");
    assert!(ear.denials()[0].starts_with("a connection to [secret]:80 was denied"));
}

/// A plugin with this core module in it, so many times.
async fn with(module: &str, count: usize) -> Result<Arc<Plugin>, Refusal> {
    let module = wat::parse_str(module).expect("a module");
    load(with_instances(&component(), &module, count)).await
}

fn too_much_memory(refused: Result<Arc<Plugin>, Refusal>) {
    let limit = LimitBroken::Memory(256 << 20).to_string();
    match refused {
        Err(Refusal::Describe(why)) => assert_eq!(why, limit),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_memories_and_tables_of_a_component_count_together() {
    // 16 MiB each, from the start on.
    assert!(with("(module (memory 256))", 10).await.is_ok());
    too_much_memory(with("(module (memory 256))", 20).await);
    // The same, grown.
    let grows = "(module (memory 1) (func (drop (memory.grow (i32.const 255)))) (start 0))";
    assert!(with(grows, 10).await.is_ok());
    too_much_memory(with(grows, 20).await);
    // Two million entries each.
    let table = "(module (table 0 funcref)
        (func (drop (table.grow 0 (ref.null func) (i32.const 2000000)))) (start 0))";
    assert!(with(table, 4).await.is_ok());
    too_much_memory(with(table, 20).await);
}

#[tokio::test]
async fn more_memories_or_tables_than_a_plugin_may_have_are_refused_before_it_runs() {
    let refused = with("(module (memory 0))", 60).await.expect_err("too many");
    assert!(
        matches!(&refused, Refusal::TooMany { what: "memories", limit: 50, .. }),
        "{refused:?}"
    );
    let refused = with("(module (table 0 funcref))", 400).await.expect_err("too many");
    assert!(matches!(&refused, Refusal::TooMany { what: "tables", limit: 300, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_loop_at_a_components_start_is_stopped_like_any_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime_in(folder.path().join("cache"));
    let module = wat::parse_str("(module (func (loop (br 0))) (start 0))").expect("a module");
    let refused = runtime.load(with_instances(&component(), &module, 1).into()).await;
    match refused {
        Err(Refusal::Describe(why)) => assert!(why.contains("it computed for 10.0 s"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(runtime.live_calls(), 0);
}

#[tokio::test]
async fn a_component_that_takes_too_long_to_compile_is_refused_and_its_compiler_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let time = Duration::from_secs(1);
    let compiler = cofferdam_runtime::Compiler { time, ..compiler() };
    let settings = cofferdam_runtime::RuntimeSettings {
        cache: folder.path().join("cache"),
        compiler,
        limits: cofferdam_runtime::Limits::default(),
        roots: Vec::new(),
    };
    let runtime = cofferdam_runtime::Runtime::new(settings).expect("a runtime");
    let start = Instant::now();
    let refused = runtime.load(bomb(5_000, 3_000).into()).await.expect_err("too slow");
    assert_eq!(refused, Refusal::CompileTime(time));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    for task in std::fs::read_dir("/proc/self/task").expect("the threads") {
        let children = task.expect("a thread").path().join("children");
        assert_eq!(std::fs::read_to_string(children).unwrap_or_default(), "");
    }
}

#[tokio::test]
async fn no_store_is_left_however_a_call_ends() {
    let runtime = runtime_in(cache());
    let plugin = runtime.load(component()).await.expect("a plugin");
    for deed in ["nothing", "panic", "exit", "recurse", "spin", "sleep", "grow", "fail"] {
        let (mut call, _) = doing(deed);
        call.limits.cpu = Duration::from_millis(100);
        call.limits.idle = Duration::from_millis(300);
        drop(plugin.check(call).await);
        assert_eq!(runtime.live_calls(), 0, "{deed}");
    }
    let (sleep, _) = doing("sleep");
    let given_up = tokio::time::timeout(Duration::from_millis(100), plugin.check(sleep)).await;
    assert!(given_up.is_err());
    let start = Instant::now();
    while runtime.live_calls() > 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "{}", runtime.live_calls());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
