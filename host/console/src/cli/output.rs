//! What the command line prints.
#![allow(clippy::print_stdout, clippy::print_stderr)] // This is the place for it.

use std::fmt::Write as _;

use serde::Serialize;

use super::problem::Problem;

/// An error as its reader wants it: what happened, then what to do; for a
/// program, one JSON object. Both on standard error.
pub fn problem(problem: &Problem, as_json: bool) {
    if as_json {
        // Plain text in it cannot fail to be written as JSON.
        eprintln!("{}", serde_json::to_string(problem).unwrap_or_default());
        return;
    }
    for line in problem.lines() {
        eprintln!("{line}");
    }
}

/// Something worth knowing that is not the answer, for people.
pub fn note(text: &str) {
    eprintln!("cofferdam: {text}");
}

/// A moment to the second, in UTC.
pub fn exact(at: cofferdam_model::Timestamp) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// One JSON document.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// One line. A reader that has gone, such as `head`, has seen what it wanted.
pub fn line(text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// A table with as much room for each column as its widest cell needs.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let print = |cells: Vec<&str>| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(text, "{cell:width$}  ");
        }
        line(text.trim_end())
    };
    print(head.to_vec())?;
    for row in rows {
        print(row.iter().map(String::as_str).collect())?;
    }
    Ok(())
}

/// Asks before something that cannot be undone; without a terminal the answer is no.
pub fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    use std::io::{BufRead as _, IsTerminal as _, Write as _};
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        anyhow::bail!(
            "nothing was done, because nobody could be asked\nHINT: --yes answers beforehand"
        );
    }
    eprint!("{question} [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { anyhow::bail!("nothing was done") }
}
