//! The page for authors names everything that the contract has.

use std::{collections::BTreeSet, fs};

/// Everything that has a name in the contract's own files: interfaces,
/// functions, types, fields and cases.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(super::root().join("wit")).expect("wit/") {
        let path = entry.expect("an entry").path();
        // Worlds only put together what the other files have.
        let is_wit = path.extension().is_some_and(|ending| ending == "wit");
        if !is_wit || path.file_name().is_some_and(|name| name == "worlds.wit") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file");
        names.extend(text.lines().filter_map(name).map(str::to_owned));
    }
    assert!(names.len() > 60, "{names:?}");
    names
}

/// The name that a line gives to something.
fn name(line: &str) -> Option<&str> {
    let line = line.trim();
    let of = |rest: &'static str| line.strip_prefix(rest);
    let kinds = ["interface ", "record ", "variant ", "enum ", "flags "];
    let named = kinds.into_iter().find_map(of);
    if line.starts_with("//") || line.starts_with("package ") || line.starts_with("use ") {
        return None;
    }
    // A field or a function is `name: …`, a case is `name,` or `name(…),`.
    let rest = named.unwrap_or(line).trim_start_matches('%');
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let fits = named.is_some() || after.starts_with([':', ',', '(']);
    (fits && !name.is_empty()).then_some(name)
}

#[test]
fn the_page_for_authors_names_everything_in_the_contract() {
    let page = fs::read_to_string(super::root().join("wit/README.md")).expect("wit/README.md");
    let words: BTreeSet<&str> = page.split('`').skip(1).step_by(2).collect();
    let within = |name: &str| words.iter().any(|word| word.split('.').any(|part| part == name));
    let missing: Vec<_> = names().into_iter().filter(|name| !within(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
