//! What is taken as a plugin, and what is not.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    time::{Duration, Instant},
};

use bytes::Bytes;
use cofferdam_runtime::{Compiler, Limits, Refusal, Role, Runtime, RuntimeError, RuntimeSettings};

use crate::support::{compiler, component, doing, runtime_in};

fn refusal(text: &str) -> Refusal {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = wat::parse_str(text).expect("it is WebAssembly");
    load(&runtime_in(folder.path().join("cache")), bytes)
}

fn load(runtime: &Runtime, bytes: Vec<u8>) -> Refusal {
    let threads = tokio::runtime::Runtime::new().expect("threads");
    threads.block_on(runtime.load(Bytes::from(bytes))).expect_err("it is not a plugin")
}

#[tokio::test]
async fn a_plugin_is_compiled_once_and_then_found_in_milliseconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let plugin = runtime_in(cache.clone()).load(component()).await.expect("a plugin");
    assert_eq!(plugin.description().id, "bare");
    let roles: Vec<_> = plugin.roles().iter().collect();
    assert_eq!(roles, [Role::Storage, Role::Notifier, Role::Retention]);
    assert_eq!(plugin.hash().as_str().len(), 64);
    let http = plugin.imports().iter().find(|import| import.name.starts_with("wasi:http/"));
    assert_eq!(
        http.expect("it uses HTTP").words,
        "Requests over HTTP, to the hosts that are granted"
    );

    let runtime = runtime_in(cache.clone());
    let start = Instant::now();
    runtime.load(component()).await.expect("a plugin");
    let took = start.elapsed();
    assert!(took < Duration::from_millis(200), "{took:?}");
    assert_eq!(fs::read_dir(&cache).expect("a folder").count(), 1);
}

#[tokio::test]
async fn a_damaged_file_in_the_cache_is_compiled_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    runtime_in(cache.clone()).load(component()).await.expect("a plugin");
    let file =
        fs::read_dir(&cache).expect("a folder").next().expect("a file").expect("a file").path();
    for damage in [&b""[..], b"not native code", b"\x7fELF and nothing more"] {
        fs::write(&file, damage).expect("it can be written");
        let plugin = runtime_in(cache.clone()).load(component()).await.expect("a plugin");
        let (call, _) = doing("nothing");
        assert_eq!(plugin.check(call).await.result, Ok("done".to_owned()));
        assert!(fs::metadata(&file).expect("it is there").len() > 1000);
    }
}

#[test]
fn junk_core_modules_and_native_code_are_refused_each_in_its_own_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let runtime = runtime_in(cache.clone());
    assert_eq!(load(&runtime, b"PK\x03\x04 a zip".to_vec()), Refusal::NotWasm);
    assert_eq!(load(&runtime, wat::parse_str("(module)").expect("a module")), Refusal::CoreModule);
    let damaged = load(&runtime, b"\0asm\x0d\0\x01\0 and then nothing good".to_vec());
    assert!(matches!(damaged, Refusal::Invalid(_)), "{damaged:?}");

    let threads = tokio::runtime::Runtime::new().expect("threads");
    threads.block_on(runtime.load(component())).expect("a plugin");
    let file =
        fs::read_dir(&cache).expect("a folder").next().expect("a file").expect("a file").path();
    assert_eq!(load(&runtime, fs::read(file).expect("a file")), Refusal::Native);
}

#[test]
fn a_component_that_needs_what_is_not_there_is_refused_by_the_name_of_that() {
    let text = r#"(component (import "evil:shell/run@1.0.0" (instance (export "run" (func)))))"#;
    assert_eq!(refusal(text), Refusal::Import { name: "evil:shell/run@1.0.0".to_owned() });
}

#[test]
fn a_component_that_uses_an_interface_in_another_shape_is_refused() {
    let text = r#"(component
        (import "cofferdam:plugin/log@0.1.0" (instance (export "shout" (func))))
        (instance $none)
        (export "cofferdam:plugin/plugin@0.1.0" (instance $none)))"#;
    let refusal = refusal(text);
    assert!(matches!(&refusal, Refusal::Shape(why) if why.contains("shout")), "{refusal:?}");
}

#[test]
fn a_component_that_is_no_plugin_is_refused() {
    assert_eq!(refusal("(component)"), Refusal::NotAPlugin("cofferdam:plugin/plugin@0.1.0"));
    let text =
        r#"(component (instance $none) (export "cofferdam:plugin/plugin@0.1.0" (instance $none)))"#;
    let refusal = refusal(text);
    assert!(matches!(refusal, Refusal::Shape(_)), "{refusal:?}");
}

#[test]
fn compiling_is_bounded_in_time_and_memory() {
    let with = |change: &dyn Fn(&mut Compiler)| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut compiler = compiler();
        change(&mut compiler);
        let cache = folder.path().join("cache");
        let limits = Limits::default();
        let settings = RuntimeSettings { cache, compiler, limits, roots: Vec::new() };
        load(&Runtime::new(settings).expect("a runtime"), component().to_vec())
    };
    let time = Duration::from_millis(1);
    assert_eq!(with(&|compiler| compiler.time = time), Refusal::CompileTime(time));
    let memory = with(&|compiler| compiler.memory_bytes = 16 << 20);
    assert!(matches!(memory, Refusal::CompileCrash { .. } | Refusal::Host(_)), "{memory:?}");
}

#[test]
fn a_cache_that_others_can_write_to_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("a change");
    let cache = folder.path().to_owned();
    let settings = RuntimeSettings {
        cache,
        compiler: compiler(),
        limits: Limits::default(),
        roots: Vec::new(),
    };
    assert!(matches!(Runtime::new(settings), Err(RuntimeError::Cache { .. })));
}
