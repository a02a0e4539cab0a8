//! What an operator on the console's own machine sees and does.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{Api, Console, wait_until};

impl Console {
    /// Runs SQL on the catalog with SQLite's own shell. Rows as lines,
    /// columns separated by `|`.
    ///
    /// # Panics
    /// When the shell is missing or complains.
    #[track_caller]
    pub fn catalog(&self, sql: &str) -> String {
        let file = self.data().join("catalog.db");
        let mut shell = Command::new("sqlite3");
        shell.arg("-batch").arg("-cmd").arg(".timeout 10000").arg(file).arg(sql);
        let told = shell.output().expect("sqlite3 is installed");
        assert!(told.status.success(), "{sql}: {}", String::from_utf8_lossy(&told.stderr));
        String::from_utf8_lossy(&told.stdout).trim_end().to_owned()
    }

    /// Adds a person with the command line.
    #[track_caller]
    pub fn add_user(&self, name: &str, role: &str, password: &str) {
        let told = with_input(
            self.cli().args(["user", "add", name, "--role", role, "--password-stdin"]),
            &format!("{password}\n"),
        );
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    }
}

impl Api {
    /// Makes a backup and waits for its end, however it ends.
    #[track_caller]
    pub fn back_up(&self, database: &str) -> Value {
        let created =
            self.post("/api/v1/backups", &json!({ "database": database })).expect(202).json();
        self.ended(created["id"].as_str().expect("an id"))
    }

    /// Waits for a backup's end and returns its record.
    #[track_caller]
    pub fn ended(&self, id: &str) -> Value {
        wait_until("the backup's end", Duration::from_mins(2), || {
            let backup = self.get(&format!("/api/v1/backups/{id}")).expect(200).json();
            (backup["status"] != "pending" && backup["status"] != "running").then_some(backup)
        })
    }
}

/// Runs a command with this on its standard input.
///
/// # Panics
/// When it does not start.
#[track_caller]
pub fn with_input(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // Whoever does not read its input ends all the same.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}
