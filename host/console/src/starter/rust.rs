//! A plugin in Rust, with the SDK beside it: a workspace of the two.

use rust_embed::RustEmbed;
use toml::{Table, Value};

use super::{Example, File, Name, Role, readme, text};

#[derive(RustEmbed)]
#[folder = "../../plugins/sdk/src"]
struct Sdk;

const SDK: &str = "vendor/cofferdam-plugin";

/// See the module.
pub(super) fn files(name: &Name, role: Role) -> Vec<File> {
    let example = match role {
        Role::Storage => Example {
            source: text!("examples/rust/src/lib.rs"),
            id: "web-server",
            name: "Web server",
        },
        Role::Notifier => {
            Example { source: text!("examples/rust-notifier/src/lib.rs"), id: "post", name: "Post" }
        }
    };
    let mut files = vec![
        ("src/lib.rs".to_owned(), example.renamed(name)),
        ("Cargo.toml".to_owned(), manifest(name)),
        ("Cargo.lock".to_owned(), lock()),
        (format!("{SDK}/Cargo.toml"), text!("sdk/Cargo.toml").to_owned()),
        (format!("{SDK}/LICENSE"), include_str!("../../../../LICENSE").to_owned()),
        (".gitignore".to_owned(), "/target\n".to_owned()),
        ("README.md".to_owned(), readme(include_str!("rust.md"), name, role)),
    ];
    for path in Sdk::iter() {
        let Some(file) = Sdk::get(&path) else { continue };
        let content = String::from_utf8_lossy(&file.data)
            // The example of its first page is the new plugin.
            .replace("../../examples/rust/src/lib.rs", "../../../src/lib.rs");
        files.push((format!("{SDK}/src/{path}"), content));
    }
    files
}

/// The versions that this console's own plugins are built with. Cargo adds the
/// new package, and takes out what that does not use.
fn lock() -> String {
    let ours = text!("Cargo.lock");
    let (head, packages) = ours.split_once("[[package]]").unwrap_or((ours, ""));
    let used = packages.split("[[package]]").filter(|package| {
        package.contains("\nsource = ") || package.contains("name = \"cofferdam-plugin\"")
    });
    used.fold(head.to_owned(), |lock, package| lock + "[[package]]" + package)
}

/// The package, and the part of the plugins' own workspace that the SDK refers to.
fn manifest(name: &Name) -> String {
    let ours: Table = text!("Cargo.toml").parse().unwrap_or_default();
    let sdk: Table = text!("sdk/Cargo.toml").parse().unwrap_or_default();
    let used = |crate_name: &str| {
        ["dependencies", "dev-dependencies"]
            .iter()
            .any(|kind| sdk.get(*kind).is_some_and(|it| it.get(crate_name).is_some()))
    };
    let mut workspace =
        ours.get("workspace").and_then(Value::as_table).cloned().unwrap_or_default();
    workspace.insert("members".to_owned(), vec![SDK].into());
    if let Some(all) = workspace.get_mut("dependencies").and_then(Value::as_table_mut) {
        all.retain(|crate_name, _| used(crate_name));
        let path = Table::from_iter([("path".to_owned(), SDK.into())]);
        all.insert("cofferdam-plugin".to_owned(), path.into());
    }
    let mut rest = Table::new();
    rest.insert("workspace".to_owned(), workspace.into());
    rest.extend(ours.get("profile").cloned().map(|it| ("profile".to_owned(), it)));
    format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[lib]
crate-type = ["cdylib"]

[dependencies]
cofferdam-plugin.workspace = true

# What the SDK in {SDK} is built with.
{rest}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_has_every_dependency_of_the_sdk_and_no_other() {
        let manifest: Table =
            manifest(&"shelf".parse().expect("a name")).parse().expect("it is TOML");
        let there = manifest["workspace"]["dependencies"].as_table().expect("a table");
        assert_eq!(there["cofferdam-plugin"]["path"].as_str(), Some(SDK));
        assert!(there.contains_key("wit-bindgen") && !there.contains_key("rusty-s3"), "{there}");
        assert_eq!(manifest["profile"]["release"]["panic"].as_str(), Some("abort"));
    }
}
