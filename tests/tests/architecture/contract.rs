//! The contract stays what it was, and the page for authors names everything
//! that it has, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cofferdam_tests::inside::with_input;

/// Version 0.1.0: the SHA-256 of each file, comments and spacing left out.
const FROZEN: [(&str, &str); 10] = [
    ("artifact.wit", "787876a67b1adc83a91a77917aa8bc98832b4694dd3e24b03adc87084be3b08a"),
    ("log.wit", "4373f653d6e6603abb1abaacd88a05b3e6df70a765eeacde940c24ec94743745"),
    ("mail.wit", "99ee4c03f8e8c44643678b445205ce55dda93277cc43329b94d5fbc9f2f76bf6"),
    ("notifier.wit", "897495b7483c583ce705e43f370e15dba8123d239993ebc0198c54abb29d7785"),
    ("plugin.wit", "5886d95379b271824d43cf686c77042728d73d7c605cf383686345bcc72d68bd"),
    ("retention.wit", "6c7e6b30ef8f5cc3d7fb2e290e8afecb6c9fbc60e65b53a6f29694b8ed1a0729"),
    ("sink.wit", "c8defa301119533ee013ea8661c427cfa54d4596db39dd4ff7fa162be0dcbb13"),
    ("storage.wit", "5741a2d5a4ff304cd32bd0477a857d2a74243bb68d0a4c0dbc3f62ac318e2665"),
    ("types.wit", "96bcd665b55ce9a33836d5769732336df8bf8d4f0b3e9dc3e99e28cb23d50116"),
    ("worlds.wit", "88defbaf693fc98e107edd411f9ccc50f12faa1c096fce78173103e0f9f1fc74"),
];

/// The contract's own files.
fn own() -> Vec<PathBuf> {
    files(&super::root().join("wit"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|ending| ending == "wit")).collect()
}

/// Everything that has a name in the contract's own files: interfaces,
/// functions, types, fields and cases.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // Worlds only put together what the other files have.
    for path in own().into_iter().filter(|path| !path.ends_with("worlds.wit")) {
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

/// What comments in the contract's files have in backquotes: kinds of event,
/// say, which are no names of the interface but promised all the same.
fn promised() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for path in own() {
        let text = fs::read_to_string(&path).expect("a file");
        let comments = text.lines().filter_map(|line| line.trim().strip_prefix("///"));
        let comments = comments.collect::<Vec<_>>().join(" ");
        // What has an ellipsis is the beginning of something.
        let quoted = comments.split('`').skip(1).step_by(2).map(|it| it.trim_end_matches('…'));
        words.extend(quoted.map(str::to_owned));
    }
    words
}

/// The names in WASI's own files, and its packages: `wasi:io`, `wasi:http/outgoing-handler`.
fn of_wasi() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(&super::root().join("wit/deps")) {
        let text = fs::read_to_string(&path).expect("a file");
        let package = text.lines().find_map(|line| line.strip_prefix("package "));
        let package = package.and_then(|it| it.split('@').next()).expect("a package");
        names.insert(package.to_owned());
        names.extend(text.lines().filter_map(name).map(str::to_owned));
        names.extend(text.lines().filter_map(name).map(|name| format!("{package}/{name}")));
    }
    names
}

#[test]
fn what_the_page_for_authors_names_is_in_the_contract() {
    let page = fs::read_to_string(super::root().join("wit/README.md")).expect("wit/README.md");
    let (_, rest) = page.split_once("\n## What a component exports\n").expect("the exports");
    let (exports, rest) = rest.split_once("\n## What a component imports\n").expect("the imports");
    let (imports, _) = rest.split_once("\n## ").expect("what follows");
    let (names, promised, of_wasi) = (names(), promised(), of_wasi());
    let is_known = |word: &str| {
        let parts = || word.split('.');
        promised.contains(word)
            || parts().all(|part| names.contains(part))
            || parts().all(|part| of_wasi.contains(part))
    };
    for section in [exports, imports] {
        let words: BTreeSet<&str> = section.split('`').skip(1).step_by(2).collect();
        assert!(words.len() > 40, "{words:?}");
        let unknown: Vec<_> = words.into_iter().filter(|word| !is_known(word)).collect();
        assert!(unknown.is_empty(), "in no file of the contract: {unknown:?}");
    }
}

/// What a file says to a component: without comments, and with single spaces.
fn normal(text: &str) -> String {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_contract_of_this_version_is_the_one_that_plugins_were_built_against() {
    let mut found = BTreeMap::new();
    for path in own() {
        let text = normal(&fs::read_to_string(&path).expect("a file"));
        assert!(text.starts_with("package cofferdam:plugin@0.1.0; "), "{}", path.display());
        let told = with_input(&mut Command::new("sha256sum"), &text);
        let sum = String::from_utf8(told.stdout).expect("text");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        found.insert(name, sum.split(' ').next().unwrap_or_default().to_owned());
    }
    let frozen = FROZEN.map(|(name, sum)| (name.to_owned(), sum.to_owned()));
    let frozen = BTreeMap::from(frozen);
    assert_eq!(
        found, frozen,
        "the contract is another one than plugins were built against. Nothing that is there may \
         be changed or go (wit/README.md, Versions). Where it was meant, before the first \
         release: put these sums here, build all plugins and examples anew, and look at them with \
         the kit. After it: what was added makes it 0.1.x, with a folder and sums of its own \
         beside these, and anything else makes it 0.2.0"
    );
}

#[test]
fn comments_and_spacing_are_no_change_of_the_contract_and_everything_else_is() {
    let text = "/// One.\ninterface a {\n    /// Two.\n    b: func() -> u8;\n}\n";
    assert_eq!(normal(text), "interface a { b: func() -> u8; }");
    assert_eq!(normal(text), normal(&text.replace("Two", "Three").replace("    ", "\t")));
    assert_ne!(normal(text), normal(&text.replace("u8", "u16")));
}
