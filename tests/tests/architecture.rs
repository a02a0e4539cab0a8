//! What the source promises by absence: who never sees whom, what is in no file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

#[path = "architecture/asvs.rs"]
mod asvs;
#[path = "architecture/contract.rs"]
mod contract;

/// Which members each member of the workspace may use. The small shared types
/// (`model`) may be used by all of them.
const DIRECTION: &[(&str, &[&str])] = &[
    (
        "cofferdam",
        &[
            "cofferdam-artifact",
            "cofferdam-backup",
            "cofferdam-catalog",
            "cofferdam-runtime",
            "cofferdam-views",
        ],
    ),
    ("cofferdam-backup", &["cofferdam-artifact", "cofferdam-sqlite-dump"]),
    ("cofferdam-artifact", &[]),
    ("cofferdam-catalog", &[]),
    ("cofferdam-runtime", &[]),
    ("cofferdam-sqlite-dump", &[]),
    ("cofferdam-views", &[]),
    ("cofferdam-model", &[]),
    // Tests see the program from outside, so they use none of its crates.
    ("cofferdam-tests", &["xtask"]),
    ("xtask", &[]),
];

/// What a member must not reach, through any number of crates, and why.
const NEVER: &[(&str, &[&str], &str)] = &[
    (
        "cofferdam-views",
        &["actix-web", "sqlx", "tokio", "rusqlite", "reqwest", "ureq", "tempfile"],
        "views turns structs into markup; it never sees a request or a database",
    ),
    (
        "cofferdam-model",
        &["actix-web", "sqlx", "tokio", "rusqlite", "ureq"],
        "model is words that every part shares; it has no input or output",
    ),
    (
        "cofferdam-backup",
        &["actix-web", "sqlx", "ureq", "maud"],
        "backup has no HTTP and no SQL of the catalog",
    ),
    ("cofferdam-catalog", &["actix-web", "maud", "ureq"], "catalog has no HTTP"),
];

/// More lines than this are more than one topic.
const LONGEST: usize = 450;

/// Files that may hold `unsafe`, each with its reason.
const UNSAFE_ALLOWED: &[(&str, &str)] = &[(
    "host/runtime/src/cache.rs",
    "loading a component that this program has compiled is running native code from a file",
)];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository").to_owned()
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--all-features"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON")
}

/// The crates that each crate is built from, tests and build scripts left
/// out: identifiers to identifiers.
fn normal_edges(metadata: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a graph");
    nodes
        .iter()
        .map(|node| {
            let used = node["deps"].as_array().expect("dependencies").iter().filter(|dependency| {
                let kinds = dependency["dep_kinds"].as_array().expect("kinds");
                kinds.iter().any(|kind| kind["kind"].is_null())
            });
            let used = used.filter_map(|dependency| dependency["pkg"].as_str()).collect();
            (node["id"].as_str().expect("an identifier"), used)
        })
        .collect()
}

fn names(metadata: &Value) -> BTreeMap<&str, &str> {
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package["name"].as_str()?)))
        .collect()
}

fn members(metadata: &Value) -> BTreeSet<&str> {
    let members = metadata["workspace_members"].as_array().expect("members");
    members.iter().filter_map(Value::as_str).collect()
}

#[test]
fn members_use_each_other_in_one_direction() {
    let metadata = metadata();
    let (names, members, edges) = (names(&metadata), members(&metadata), normal_edges(&metadata));
    let mut wrong = vec![];
    for member in &members {
        let name = names[member];
        let Some((_, allowed)) = DIRECTION.iter().find(|(known, _)| *known == name) else {
            wrong.push(format!("{name} is not in the table of directions"));
            continue;
        };
        for used in edges[member].intersection(&members).map(|used| names[used]) {
            if used != "cofferdam-model" && !allowed.contains(&used) {
                wrong.push(format!("{name} must not use {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_member_reaches_what_its_task_excludes() {
    let metadata = metadata();
    let (names, edges) = (names(&metadata), normal_edges(&metadata));
    let mut wrong = vec![];
    for (member, never, reason) in NEVER {
        let start = members(&metadata).into_iter().find(|id| names[id] == *member);
        let mut waiting: Vec<_> = start.into_iter().collect();
        let mut reached = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if reached.insert(id) {
                waiting.extend(&edges[id]);
            }
        }
        for name in reached.iter().map(|id| names[id]).filter(|name| never.contains(name)) {
            wrong.push(format!("{member} reaches {name}, but {reason}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_dependency_is_locked_and_from_the_registry() {
    let metadata = metadata();
    let members = members(&metadata);
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the lock file");
    let mut wrong = vec![];
    for package in metadata["packages"].as_array().expect("packages") {
        let id = package["id"].as_str().expect("an identifier");
        let (name, version) = (&package["name"], &package["version"]);
        if members.contains(id) {
            continue;
        }
        if package["source"] != "registry+https://github.com/rust-lang/crates.io-index" {
            wrong.push(format!("{name} comes from {}", package["source"]));
        }
        if !lock.contains(&format!("name = {name}\nversion = {version}\n")) {
            wrong.push(format!("{name} {version} is not in the lock file"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All Rust files of the project: neither what Cargo built nor what npm fetched.
fn sources() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" && name != "node_modules" {
                    walk(&path, found);
                }
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = vec![];
    walk(&root(), &mut found);
    found.sort();
    assert!(found.len() > 10, "the sources are found");
    found
}

fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn views_and_model_never_ask_what_time_it_is() {
    // A record's identifier holds its time, and whoever makes the record asks for one.
    let allowed = "Uuid::now_v7()";
    let mut found = vec![];
    for path in sources() {
        let name = short(&path);
        if name.starts_with("views/src") || name.starts_with("host/model/src") {
            let text = fs::read_to_string(&path).expect("a source").replace(allowed, "");
            if ["Utc::now", "Local::now", "SystemTime::now", "Instant::now"]
                .iter()
                .any(|clock| text.contains(clock))
            {
                found.push(name);
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn no_source_file_is_longer_than_one_topic() {
    let long: Vec<_> = sources()
        .iter()
        .map(|path| (short(path), fs::read_to_string(path).expect("a source").lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .collect();
    assert!(long.is_empty(), "more than {LONGEST} lines: {long:?}");
}

#[test]
fn unsafe_code_is_nowhere_but_where_it_has_a_reason() {
    // Put together here, so that this file does not name what it looks for.
    let word = ["un", "safe"].concat();
    let forms = [" {", " fn", " impl", " trait", " extern", "(no_mangle)", "_code)"];
    let mut found = vec![];
    for path in sources() {
        let allowed = UNSAFE_ALLOWED.iter().any(|(file, _)| *file == short(&path));
        let text = fs::read_to_string(&path).expect("a source");
        for (number, line) in text.lines().enumerate() {
            let code = line.trim_start();
            if !allowed
                && !code.starts_with("//")
                && forms.iter().any(|form| code.contains(&format!("{word}{form}")))
            {
                found.push(format!("{}:{}: {code}", short(&path), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
