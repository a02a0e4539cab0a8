//! What `cofferdam plugin new` writes: a folder with a working plugin that builds
//! anywhere, because everything that it needs is in it. The sources are those of
//! the examples in `plugins/examples`, with another name.

mod rust;

use std::{fmt, str::FromStr};

use cofferdam_model::PluginId;
use rust_embed::RustEmbed;

/// A file of the new folder: its path and its content.
pub type File = (String, String);

/// What the plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// Small and quick to load.
    Rust,
    /// With componentize-js, from npm.
    #[value(name = "javascript")]
    JavaScript,
    /// With componentize-py, from `PyPI`.
    Python,
}

/// What the plugin is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Keeps backups.
    Storage,
    /// Tells people what happened.
    Notifier,
}

/// The new plugin's name: a [`PluginId`] that every language takes as a name.
#[derive(Debug, Clone)]
pub struct Name(PluginId);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id: PluginId = text.parse().map_err(|_| FIT.to_owned())?;
        if text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.ends_with('-') {
            Ok(Self(id))
        } else {
            Err(FIT.to_owned())
        }
    }
}

const FIT: &str = "1 to 40 of the characters a-z, 0-9 and -, with a letter first";

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Name {
    /// For people: `my-shelf` is `My shelf`.
    fn title(&self) -> String {
        let words = self.to_string().replace('-', " ");
        let mut letters = words.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect()
    }
}

#[derive(RustEmbed)]
#[folder = "../../wit"]
#[include = "*.wit"]
#[include = "*.md"]
struct Wit;

/// The text of an example, or of something that is written beside it.
macro_rules! text {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/", $path))
    };
}
use text;

/// An example's source, and how it calls itself.
struct Example {
    source: &'static str,
    id: &'static str,
    name: &'static str,
}

impl Example {
    /// The source under the new name.
    fn renamed(&self, name: &Name) -> String {
        let quoted = |text: &str| format!("\"{text}\"");
        self.source
            .replace(&quoted(self.id), &quoted(&name.to_string()))
            .replace(&quoted(self.name), &quoted(&name.title()))
            .replace(&quoted("Cofferdam"), &quoted("Your name"))
    }
}

/// All files of the new folder.
pub fn files(name: &Name, language: Language, role: Role) -> Vec<File> {
    let mut files = match language {
        Language::Rust => rust::files(name, role),
        Language::JavaScript => javascript(name, role),
        Language::Python => python(name, role),
    };
    let settings = match role {
        Role::Storage => "{ \"url\": \"https://files.example.org/backups\" }\n",
        Role::Notifier => "{ \"url\": \"https://example.org/events\" }\n",
    };
    files.push(("settings.json".to_owned(), settings.to_owned()));
    for path in Wit::iter() {
        if let Some(file) = Wit::get(&path) {
            files.push((format!("wit/{path}"), String::from_utf8_lossy(&file.data).into_owned()));
        }
    }
    files
}

fn javascript(name: &Name, role: Role) -> Vec<File> {
    let (example, world) = match role {
        Role::Storage => (
            Example {
                source: text!("examples/javascript/storage.js"),
                id: "web-server-js",
                name: "Web server (JavaScript)",
            },
            "storage-plugin",
        ),
        Role::Notifier => (
            Example {
                source: text!("examples/javascript/notifier.js"),
                id: "post-js",
                name: "Post (JavaScript)",
            },
            "notifier-plugin",
        ),
    };
    let package = text!("examples/javascript/package.json").replace(
        "storage.js storage-plugin web-server-js.wasm",
        &format!("plugin.js {world} {name}.wasm"),
    );
    vec![
        ("plugin.js".to_owned(), example.renamed(name)),
        ("http.js".to_owned(), text!("examples/javascript/http.js").to_owned()),
        ("build.mjs".to_owned(), text!("examples/javascript/build.mjs").to_owned()),
        ("package.json".to_owned(), own_name(&package, name)),
        (
            "package-lock.json".to_owned(),
            own_name(text!("examples/javascript/package-lock.json"), name),
        ),
        (".gitignore".to_owned(), "/node_modules\n*.wasm\n".to_owned()),
        ("README.md".to_owned(), readme(include_str!("javascript.md"), name, role)),
    ]
}

/// What npm calls the package.
fn own_name(document: &str, name: &Name) -> String {
    document.replace("cofferdam-example-javascript", &name.to_string())
}

fn python(name: &Name, role: Role) -> Vec<File> {
    let example = match role {
        Role::Storage => Example {
            source: text!("examples/python/storage.py"),
            id: "web-server-py",
            name: "Web server (Python)",
        },
        Role::Notifier => Example {
            source: text!("examples/python/notifier.py"),
            id: "post-py",
            name: "Post (Python)",
        },
    };
    vec![
        ("plugin.py".to_owned(), example.renamed(name)),
        ("web.py".to_owned(), text!("examples/python/web.py").to_owned()),
        ("requirements.txt".to_owned(), text!("examples/python/requirements.txt").to_owned()),
        (".gitignore".to_owned(), "/venv\n__pycache__\n*.wasm\n".to_owned()),
        ("README.md".to_owned(), readme(include_str!("python.md"), name, role)),
    ]
}

/// The page about one language, and then what holds for all of them.
fn readme(language: &str, name: &Name, role: Role) -> String {
    let (world, role) = match role {
        Role::Storage => ("storage-plugin", "keeps backups"),
        Role::Notifier => ("notifier-plugin", "tells of events"),
    };
    format!("{language}\n{}", include_str!("use.md"))
        .replace("{name}", &name.to_string())
        .replace("{crate}", &name.to_string().replace('-', "_"))
        .replace("{title}", &name.title())
        .replace("{world}", world)
        .replace("{role}", role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_every_language_takes() {
        for name in ["shelf", "my-shelf-2"] {
            assert!(name.parse::<Name>().is_ok(), "{name}");
        }
        for name in ["", "2", "-a", "a-", "A", "a_b", "a/b", ".."] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
        assert_eq!("my-shelf".parse::<Name>().expect("a name").title(), "My shelf");
    }

    #[test]
    fn nothing_of_the_example_s_own_name_is_left() {
        let name: Name = "my-shelf".parse().expect("a name");
        for language in [Language::Rust, Language::JavaScript, Language::Python] {
            for role in [Role::Storage, Role::Notifier] {
                let files = files(&name, language, role);
                // The kit's own sources beside it are as they are.
                let own = |path: &str| !path.starts_with("vendor/");
                let all = |text: &str| {
                    files.iter().any(|(path, content)| own(path) && content.contains(text))
                };
                assert!(all("\"my-shelf\"") && all("\"My shelf\""), "{language:?} {role:?}");
                for old in
                    ["\"web-server", "\"post\"", "\"post-", "example-rust", "example-javascript"]
                {
                    assert!(!all(old), "{language:?} {role:?}: {old}");
                }
                let words = files.iter().find(|(path, _)| path == "README.md");
                let words = &words.expect("it has a README").1;
                assert!(!words.contains("{name}") && !words.contains("{world}"), "{words}");
                assert!(files.iter().any(|(path, _)| path == "wit/storage.wit"));
                assert!(files.iter().any(|(path, _)| path == "wit/deps/http.wit"));
            }
        }
    }
}
