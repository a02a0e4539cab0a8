//! A command line in a folder of its own, and what it answered.

use std::{path::PathBuf, process::Command};

use cofferdam_tests::{console::program, inside::with_input};
use serde_json::Value;
use tempfile::TempDir;

/// A machine where nobody has used Cofferdam yet.
pub(crate) struct Shell {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// What a command answered.
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), variables: vec![] }
    }

    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(arguments);
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Told {
        self.run_with(arguments, "")
    }

    #[track_caller]
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Told {
        Told::of(&mut self.command(arguments), input)
    }
}

impl Told {
    #[track_caller]
    pub(crate) fn of(command: &mut Command, input: &str) -> Self {
        let told = with_input(command, input);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let code = told.status.code().expect("it ended by itself");
        let told = Self { code, out: text(&told.stdout), err: text(&told.stderr) };
        assert!(!told.err.contains("panicked"), "{}", told.err);
        told
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    /// Its one JSON document, with nothing beside it.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// That it failed with this said, on standard error only.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "{text:?} is not in: {}", self.err);
        self
    }
}
