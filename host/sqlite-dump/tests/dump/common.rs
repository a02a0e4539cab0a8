//! Making, dumping, restoring and comparing.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cofferdam_sqlite_dump::{DumpError, DumpSummary, HEADER, Snapshot, TRAILER, Unobserved};
use rusqlite::{Connection, types::Value};
use tempfile::TempDir;

/// A folder with a database in it.
pub(crate) struct Source {
    pub(crate) folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Source {
    /// A database made by a script.
    pub(crate) fn new(script: &str) -> Self {
        Self::with(|connection| connection.execute_batch(script).unwrap())
    }

    pub(crate) fn with(make: impl FnOnce(&Connection)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source.db");
        let connection = Connection::open(&path).unwrap();
        make(&connection);
        connection.close().unwrap();
        Self { folder, path }
    }

    /// Dumps, restores, compares everything, and gives the dump's text.
    pub(crate) fn round_trip(&self) -> String {
        let (text, summary) = dump(&self.path).unwrap();
        assert_eq!(summary.bytes, text.len() as u64);
        assert!(text.starts_with(&format!("{HEADER}\n")));
        assert!(text.ends_with(&format!("\n{TRAILER}\n")));

        let restored = self.folder.path().join("restored.db");
        let _ = std::fs::remove_file(&restored);
        restore(&text, &restored);
        compare(&self.path, &restored);
        let (again, _) = dump(&restored).unwrap();
        assert!(again == text, "the restored database gives another dump:\n{again}\n{text}");

        // And without the shell.
        let direct = self.folder.path().join("direct.db");
        let _ = std::fs::remove_file(&direct);
        Connection::open(&direct).unwrap().execute_batch(&text).unwrap();
        compare(&self.path, &direct);
        text
    }
}

pub(crate) fn dump(path: &Path) -> Result<(String, DumpSummary), DumpError> {
    let mut out = Vec::new();
    let summary = Snapshot::open(path)?.dump(&mut out, &mut Unobserved)?;
    Ok((String::from_utf8(out).unwrap(), summary))
}

/// Runs the dump through the shell, which must have nothing to say.
pub(crate) fn restore(text: &str, into: &Path) {
    let script = into.with_extension("sql");
    std::fs::write(&script, text).unwrap();
    let shell = Command::new("sqlite3")
        .args(["-batch", "-bail"])
        .arg(into)
        .stdin(File::open(&script).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&shell.stderr).into_owned();
    assert!(shell.status.success() && said.is_empty(), "{said}");
    assert_eq!(String::from_utf8_lossy(&shell.stdout), "");
}

const PRAGMAS: [&str; 5] =
    ["page_size", "encoding", "auto_vacuum", "user_version", "application_id"];

pub(crate) fn compare(left: &Path, right: &Path) {
    let (left, right) = (Connection::open(left).unwrap(), Connection::open(right).unwrap());
    for pragma in PRAGMAS {
        let value = |c: &Connection| -> Value {
            c.pragma_query_value(None, pragma, |row| row.get(0)).unwrap()
        };
        assert_eq!(value(&left), value(&right), "{pragma}");
    }
    let schema = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2, 3";
    assert_eq!(read(&left, schema), read(&right, schema));
    for table in stored_tables(&left) {
        assert_eq!(rows(&left, &table), rows(&right, &table), "table {table:?}");
    }
    // Some tests have virtual tables of modules nobody has, which the check
    // cannot open, and rows that violate constraints on purpose.
    right.pragma_update(None, "ignore_check_constraints", true).unwrap();
    let check: String = right.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert!(check == "ok" || check.contains("no such module"), "{check}");
}

/// All tables with rows of their own.
fn stored_tables(connection: &Connection) -> Vec<String> {
    let select = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0";
    let mut statement = connection.prepare(select).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The rows with their rowids where there are any, in stored order. The key
/// of a row of statistics or sequences is nobody's business.
fn rows(connection: &Connection, table: &str) -> Vec<Vec<String>> {
    let quoted = table.replace('"', "\"\"");
    let mut columns: Vec<String> = read(connection, &format!("PRAGMA table_xinfo(\"{quoted}\")"))
        .into_iter()
        .map(|row| row[1].trim_start_matches("text ").to_owned())
        .map(|hex| String::from_utf8(unhex(&hex)).unwrap())
        .map(|name| format!("\"{}\"", name.replace('"', "\"\"")))
        .collect();
    if !table.starts_with("sqlite_")
        && connection.prepare(&format!("SELECT oid FROM \"{quoted}\"")).is_ok()
    {
        columns.push("oid".to_owned());
    }
    let raw: Vec<String> = columns
        .iter()
        .map(|c| format!("{c}, CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) END"))
        .collect();
    read(connection, &format!("SELECT {} FROM \"{quoted}\" NOT INDEXED", raw.join(", ")))
}

/// Every value with its type and its exact bytes.
fn read(connection: &Connection, select: &str) -> Vec<Vec<String>> {
    use rusqlite::types::ValueRef;
    let mut statement = connection.prepare(select).unwrap();
    let width = statement.column_count();
    let exact = |value: ValueRef<'_>| match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => format!("integer {number}"),
        ValueRef::Real(number) => format!("real {:016x} {number:e}", number.to_bits()),
        ValueRef::Text(bytes) => format!("text {}", hex(bytes)),
        ValueRef::Blob(bytes) => format!("blob {}", hex(bytes)),
    };
    let rows = statement.query_map([], |row| {
        (0..width).map(|column| row.get_ref(column).map(exact)).collect::<Result<Vec<_>, _>>()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}
