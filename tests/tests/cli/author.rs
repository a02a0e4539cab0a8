//! `cofferdam plugin new`: what it writes builds on its own, and keeps the contract.

use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

use cofferdam_tests::{WebServer, component};
use serde_json::json;

use crate::{kit, shell::Shell};

/// Builds a new plugin in Rust with the toolchain that built this project's own,
/// and says where it is.
fn build(folder: &Path, file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut xtask = Command::new(cargo);
    xtask.args(["xtask", "plugin"]).arg(folder).current_dir(root);
    let told = xtask.output().expect("xtask runs");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let built = root.join("target/authors/wasm32-wasip2/release").join(file);
    built.display().to_string()
}

#[test]
fn a_new_plugin_in_rust_builds_by_itself_and_keeps_the_contract() {
    let shell = kit::shell();
    let told = shell.run(&["plugin", "new", "my-shelf"]).expect(0);
    assert!(told.out.contains("my-shelf is there"), "{}", told.out);
    shell.run(&["plugin", "new", "my-bell", "--role", "notifier"]).expect(0);
    let server = WebServer::start();
    let settings = json!({ "url": format!("http://127.0.0.1:{}/", server.port()) }).to_string();
    for (name, file) in [("my-shelf", "my_shelf.wasm"), ("my-bell", "my_bell.wasm")] {
        let file = build(&shell.path(name), file);
        let arguments =
            ["plugin", "test", &file, "--settings", "-", "--private", "--size", "8MiB", "--json"];
        let report = shell.run_with(&arguments, &settings).expect(0).json();
        assert_eq!(report["plugin"]["id"], name);
    }
}

/// Builds a new plugin as its README says, with the compiler that set-up has put
/// elsewhere, and tries it out.
fn builds_and_keeps(language: &str, role: &str, compiler: &str, link: &str) {
    if kit::is_left_out(language, &format!("a new {role}")) {
        return;
    }
    let finished = component("s3");
    let compiler = finished.ancestors().nth(2).expect("the target folder").join(compiler);
    let shell = kit::shell();
    shell.run(&["plugin", "new", "my-own", "--language", language, "--role", role]).expect(0);
    let folder = shell.path("my-own");
    symlink(&compiler, folder.join(link)).expect("a link");
    let readme = fs::read_to_string(folder.join("README.md")).expect("a README");
    let (_, commands) = readme.split_once("## Build\n\n```sh\n").expect("how it is built");
    let (commands, _) = commands.split_once("\n```").expect("their end");
    // What comes before the last one is done once, and was done by set-up.
    let command = commands.lines().last().expect("a command");
    let told = Command::new("sh").args(["-c", command]).current_dir(&folder).output();
    let told = told.expect("a shell");
    assert!(told.status.success(), "{command}\n{}", String::from_utf8_lossy(&told.stderr));
    let file = folder.join("my-own.wasm").display().to_string();
    let server = WebServer::start();
    let settings = json!({ "url": format!("http://127.0.0.1:{}/", server.port()) }).to_string();
    let arguments =
        ["plugin", "test", &file, "--settings", "-", "--private", "--size", "8MiB", "--json"];
    let report = shell.run_with(&arguments, &settings).expect(0).json();
    assert_eq!(report["plugin"]["id"], "my-own");
}

#[test]
fn large_example_of_a_new_storage_in_javascript_builds_as_its_readme_says() {
    builds_and_keeps("javascript", "storage", "javascript/node_modules", "node_modules");
}

#[test]
fn large_example_of_a_new_notifier_in_python_builds_as_its_readme_says() {
    builds_and_keeps("python", "notifier", "python", "venv");
}

#[test]
fn what_is_there_is_not_written_over_and_names_are_checked() {
    let shell = Shell::new();
    fs::create_dir(shell.path("mine")).expect("a folder");
    shell.run(&["plugin", "new", "mine"]).expect(2).says("the folder mine cannot be made");
    shell.run(&["plugin", "new", "../mine"]).expect(2).says("1 to 40 of the characters");
    shell.run(&["plugin", "new", "mine2", "--language", "cobol"]).expect(2);
    assert!(!shell.path("mine2").exists());
}

#[test]
fn the_examples_that_are_built_are_what_new_plugins_begin_with() {
    let shell = Shell::new();
    for (language, source, plugin) in [
        ("rust", "rust/src/lib.rs", "src/lib.rs"),
        ("javascript", "javascript/storage.js", "plugin.js"),
        ("python", "python/storage.py", "plugin.py"),
    ] {
        let name = format!("of-{language}");
        shell.run(&["plugin", "new", &name, "--language", language]).expect(0);
        let examples = component("s3").ancestors().nth(3).expect("the repository").to_owned();
        let source = fs::read_to_string(examples.join("plugins/examples").join(source));
        let (source, made) =
            (source.expect("the example"), fs::read_to_string(shell.path(&name).join(plugin)));
        let made = made.expect("the plugin");
        let differ = source.lines().zip(made.lines()).filter(|(one, other)| one != other).count();
        assert_eq!((source.lines().count(), differ), (made.lines().count(), 3), "{language}");
        let readme = fs::read_to_string(shell.path(&name).join("README.md")).expect("a README");
        assert!(readme.contains(&format!("cofferdam plugin test {name}.wasm")), "{readme}");
    }
}
