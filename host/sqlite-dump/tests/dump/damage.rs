//! A damaged file never gives something that looks like a whole dump.

use std::fs;

use cofferdam_sqlite_dump::{DumpError, Snapshot, TRAILER, Unobserved};

use crate::common::{Source, dump};

fn source() -> Source {
    Source::new(
        "PRAGMA page_size=1024; CREATE TABLE t(a, b); CREATE INDEX i ON t(b);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO t SELECT i, 'row ' || i FROM n;
         CREATE TABLE w(k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w SELECT b, a FROM t;",
    )
}

fn outcome(source: &Source, bytes: &[u8]) -> Result<u64, DumpError> {
    let path = source.folder.path().join("damaged.db");
    fs::write(&path, bytes).unwrap();
    let mut out = Vec::new();
    let result = Snapshot::open(&path).and_then(|s| s.dump(&mut out, &mut Unobserved));
    let whole = out.ends_with(format!("\n{TRAILER}\n").as_bytes());
    assert_eq!(whole, result.is_ok());
    result.map(|summary| summary.rows)
}

#[test]
fn damage_to_the_structure_of_any_page_is_found() {
    let source = source();
    let bytes = fs::read(&source.path).unwrap();
    let (_, summary) = dump(&source.path).unwrap();
    for page in 1..bytes.len() / 1024 {
        // The page's type, its count of cells, and its first cell's place.
        for (place, flip) in [(0, 0xff), (3, 0x01), (4, 0x01), (5, 0x04), (8, 0x03), (13, 0x80)] {
            let mut damaged = bytes.clone();
            damaged[page * 1024 + place] ^= flip;
            let result = outcome(&source, &damaged);
            match result {
                Err(DumpError::Corrupt { .. }) => {}
                // A flipped bit of a value is a value; no row may be missing.
                Ok(rows) => assert_eq!(rows, summary.rows, "page {page} byte {place}"),
                Err(other) => panic!("page {page} byte {place}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_page_that_was_overwritten_is_found() {
    let source = source();
    let bytes = fs::read(&source.path).unwrap();
    for page in 1..bytes.len() / 1024 {
        for filler in [0x00, 0x55, 0xff] {
            let mut damaged = bytes.clone();
            damaged[page * 1024..(page + 1) * 1024].fill(filler);
            let error = outcome(&source, &damaged).unwrap_err();
            assert!(matches!(error, DumpError::Corrupt { .. }), "page {page}: {error:?}");
        }
    }
}

#[test]
fn a_file_that_was_cut_is_found() {
    let source = source();
    let bytes = fs::read(&source.path).unwrap();
    for length in [1024, 1500, bytes.len() / 2, bytes.len() - 1024] {
        let error = outcome(&source, &bytes[..length]).unwrap_err();
        assert!(matches!(error, DumpError::Corrupt { .. }), "{length}: {error:?}");
    }
}

#[test]
fn a_schema_that_cannot_be_read_is_found() {
    for text in ["CREATE TABLE t(", "nonsense", "CREATE TABLE other(a)", "ATTACH 'x' AS y", ""] {
        let source = Source::with(|connection| {
            connection.execute_batch("CREATE TABLE t(a); PRAGMA writable_schema=ON;").unwrap();
            connection.execute("UPDATE sqlite_schema SET sql = ?1", [text]).unwrap();
        });
        let error = dump(&source.path).unwrap_err();
        assert!(matches!(error, DumpError::Corrupt { .. }), "{text}: {error:?}");
    }
}
