//! `tests/ASVS.md` names tests; they must be there.

use std::{collections::BTreeSet, fs};

use super::{root, sources};

/// The names of all tests: the function that follows a test's attribute.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in sources() {
        let text = fs::read_to_string(&path).expect("a source");
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                let rest = lines.by_ref().find_map(|line| line.split_once("fn "));
                let name = rest.and_then(|(_, rest)| rest.split_once('('));
                found.extend(name.map(|(name, _)| name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_test_that_the_security_list_names_exists() {
    let page = fs::read_to_string(root().join("tests/ASVS.md")).expect("the list");
    let tests = tests();
    assert!(tests.len() > 300, "the tests are found");
    let mut wrong = vec![];
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| item"));
    let mut count = 0;
    for row in rows.filter(|row| !row.starts_with("| ---")) {
        count += 1;
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[item, holds, names] = cells.as_slice() else {
            wrong.push(format!("not three cells: {row}"));
            continue;
        };
        // Between every second pair of backquotes is a name.
        let names: Vec<_> = names.split('`').skip(1).step_by(2).collect();
        if names.is_empty() && !holds.starts_with("*Not yet*") {
            wrong.push(format!("{item} names no test"));
        }
        let missing = names.iter().filter(|name| !tests.contains(**name));
        wrong.extend(missing.map(|name| format!("{item} names {name}, which is no test")));
    }
    assert!(count > 40, "the rows are found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
