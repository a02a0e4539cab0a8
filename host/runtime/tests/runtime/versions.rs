//! Components that were built against other versions than the console's own: a
//! real one, with other names for what it imports and exports.

use bytes::Bytes;
use cofferdam_runtime::{Refusal, Role};

use crate::support::{component, doing, runtime_in};

/// The component with other texts in the names of its imports and exports.
fn renamed(changes: &[(&str, &str)]) -> Bytes {
    let mut text = wasmprinter::print_bytes(component()).expect("it can be printed");
    for (old, new) in changes {
        assert!(text.contains(old), "{old} is not in it");
        text = text.replace(old, new);
    }
    wat::parse_str(text).expect("it is a component again").into()
}

#[track_caller]
fn refused(changes: &[(&str, &str)]) -> Refusal {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime_in(folder.path().join("cache"));
    let threads = tokio::runtime::Runtime::new().expect("threads");
    threads.block_on(runtime.load(renamed(changes))).expect_err("it is not taken")
}

async fn works(changes: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = runtime_in(folder.path().join("cache"));
    let plugin = runtime.load(renamed(changes)).await.expect("it is taken");
    let roles: Vec<_> = plugin.roles().iter().collect();
    assert_eq!(roles, [Role::Storage, Role::Notifier, Role::Retention]);
    let (call, _) = doing("nothing");
    assert_eq!(plugin.check(call).await.result, Ok("done".to_owned()));
}

#[tokio::test]
async fn a_component_of_an_older_wasi_works() {
    works(&[("@0.2.12\"", "@0.2.6\"")]).await;
}

#[tokio::test]
async fn a_component_of_another_patch_of_the_contract_works() {
    // A console of 0.1.1 takes one of 0.1.0 in the same way.
    works(&[("@0.1.0\"", "@0.1.1\"")]).await;
}

#[test]
fn a_component_of_another_contract_or_wasi_is_refused_by_the_name_of_the_import() {
    for (old, new, name) in [
        ("@0.1.0\"", "@0.2.0\"", "cofferdam:plugin/"),
        ("wasi:http/types@0.2.12\"", "wasi:http/types@0.3.0\"", "wasi:http/types@0.3.0"),
    ] {
        match refused(&[(old, new)]) {
            Refusal::Import { name: found } => assert!(found.starts_with(name), "{found}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_function_that_the_console_lacks_is_named() {
    // As if a later patch had added it.
    let refusal = refused(&[("\"digest\"", "\"digest-of-all\"")]);
    assert!(refusal.to_string().contains("digest-of-all"), "{refusal}");
}
