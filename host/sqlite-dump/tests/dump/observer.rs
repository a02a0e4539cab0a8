//! What the observer hears, and what it can stop.

use cofferdam_sqlite_dump::{DumpError, DumpObserver, Snapshot, TRAILER, TableInfo, TableKind};

use crate::common::Source;

#[derive(Default)]
struct Record {
    tables: Vec<(String, u64, u64, u64)>,
    questions: u32,
    /// Of these, the ones before the last row: later ones depend on how long
    /// the check takes.
    questions_by_rows: u32,
    patience: Option<u32>,
}

impl DumpObserver for Record {
    fn table_started(&mut self, name: &str, offset: u64) {
        self.tables.push((name.to_owned(), 0, offset, 0));
    }

    fn table_finished(&mut self, name: &str, rows: u64, offset_end: u64) {
        let last = self.tables.last_mut().unwrap();
        assert_eq!(last.0, name);
        (last.1, last.3) = (rows, offset_end);
        self.questions_by_rows = self.questions;
    }

    fn keep_going(&mut self) -> bool {
        self.questions += 1;
        self.patience.is_none_or(|patience| self.questions <= patience)
    }
}

const TABLES: &str = "CREATE TABLE empty(a);
    CREATE TABLE large(id INTEGER PRIMARY KEY AUTOINCREMENT, b);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)
    INSERT INTO large SELECT i, 'some text, and more of it, ' || i FROM n;
    CREATE VIRTUAL TABLE words USING fts5(w); INSERT INTO words VALUES('a b c'); ANALYZE large;";

#[test]
fn rows_are_counted_and_placed_for_each_table() {
    let source = Source::new(TABLES);
    let mut record = Record::default();
    let mut out = Vec::new();
    let snapshot = Snapshot::open(&source.path).unwrap();
    let summary = snapshot.dump(&mut out, &mut record).unwrap();
    assert_eq!(summary.tables, record.tables.len() as u64);
    assert_eq!(summary.rows, record.tables.iter().map(|table| table.1).sum::<u64>());
    assert!(summary.edits_schema);
    let of = |name: &str| record.tables.iter().find(|table| table.0 == name).unwrap();
    let piece = |name: &str| {
        let (_, _, from, to) = *of(name);
        std::str::from_utf8(&out[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()])
            .unwrap()
    };
    assert_eq!((of("empty").1, piece("empty")), (0, ""));
    assert_eq!(of("large").1, 70_000);
    assert!(piece("large").starts_with("INSERT INTO \"large\" VALUES\n(1,'some text"));
    assert!(piece("large").ends_with("70000');\n"));
    assert_eq!(piece("large").matches("\n(").count(), 70_000);
    assert_eq!(
        piece("sqlite_sequence"),
        "INSERT INTO \"sqlite_sequence\" VALUES\n('large',70000);\n"
    );
    assert!(!record.tables.iter().any(|table| table.0 == "words"));
    assert_eq!(of("words_content").1, 1);
}

#[test]
fn tables_are_listed_with_what_they_are_for() {
    let source = Source::new(TABLES);
    let snapshot = Snapshot::open(&source.path).unwrap();
    let tables = snapshot.tables().unwrap();
    let of = |name: &str| tables.iter().find(|table| table.name == name).unwrap();
    let large = TableInfo {
        name: "large".to_owned(),
        kind: TableKind::Ordinary,
        rows_estimate: Some(70_000),
    };
    assert_eq!(*of("large"), large);
    assert_eq!(of("words").kind, TableKind::Virtual);
    assert_eq!(of("words_data").kind, TableKind::Shadow);
    assert_eq!(of("sqlite_sequence").kind, TableKind::Internal);
    assert_eq!(snapshot.total_bytes(), std::fs::metadata(&source.path).unwrap().len());
    assert!(Snapshot::version().starts_with("3."));
}

#[test]
fn an_observer_can_stop_at_each_of_its_questions() {
    let source = Source::new(TABLES);
    let snapshot = Snapshot::open(&source.path).unwrap();
    let mut all = Record::default();
    snapshot.dump(&mut Vec::new(), &mut all).unwrap();
    assert!(all.questions_by_rows > 70);
    for patience in 0..all.questions_by_rows {
        let mut record = Record { patience: Some(patience), ..Record::default() };
        let mut out = Vec::new();
        let error = snapshot.dump(&mut out, &mut record).unwrap_err();
        assert!(matches!(error, DumpError::Cancelled), "{error:?}");
        assert!(!String::from_utf8(out).unwrap().contains(TRAILER));
    }
    // And the snapshot is still good.
    snapshot.dump(&mut Vec::new(), &mut Record::default()).unwrap();
}
