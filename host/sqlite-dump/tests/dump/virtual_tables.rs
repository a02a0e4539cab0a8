//! Virtual tables come back through their shadow tables.

use rusqlite::Connection;

use crate::common::Source;

fn count(source: &Source, select: &str) -> i64 {
    let restored = Connection::open(source.folder.path().join("restored.db")).unwrap();
    restored.query_row(select, [], |row| row.get(0)).unwrap()
}

#[test]
fn full_text_indexes_answer_as_before() {
    let source = Source::new(
        "CREATE VIRTUAL TABLE own USING fts5(title, body);
         INSERT INTO own(rowid, title, body) VALUES(7, 'one', 'the quick fox'), (9, 'two', 'a slow fox');
         CREATE TABLE documents(body); INSERT INTO documents(rowid, body) VALUES(3, 'red apple'), (8, 'green apple');
         CREATE VIRTUAL TABLE outside USING fts5(body, content='documents', tokenize=\"porter unicode61\");
         INSERT INTO outside(outside) VALUES('rebuild');
         CREATE VIRTUAL TABLE contentless USING fts5(body, content='');
         INSERT INTO contentless(rowid, body) VALUES(5, 'blue sky');
         CREATE VIRTUAL TABLE older USING fts4(body); INSERT INTO older VALUES('an old horse');
         CREATE TRIGGER keep AFTER INSERT ON documents BEGIN INSERT INTO outside(rowid, body) VALUES(new.rowid, new.body); END;",
    );
    let text = source.round_trip();
    assert!(text.contains(".dbconfig defensive off"), "{text}");
    assert_eq!(count(&source, "SELECT count(*) FROM own WHERE own MATCH 'fox'"), 2);
    assert_eq!(count(&source, "SELECT rowid FROM outside WHERE outside MATCH 'green'"), 8);
    assert_eq!(count(&source, "SELECT rowid FROM contentless WHERE contentless MATCH 'sky'"), 5);
    assert_eq!(count(&source, "SELECT count(*) FROM older WHERE older MATCH 'horse'"), 1);
}

#[test]
fn spatial_indexes_answer_as_before() {
    let source = Source::new(
        "CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1, y0, y1, +label);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
         INSERT INTO boxes SELECT i, i, i + 1, i, i + 1, 'box ' || i FROM n;",
    );
    source.round_trip();
    assert_eq!(count(&source, "SELECT count(*) FROM boxes WHERE x0 >= 100 AND x1 <= 111"), 11);
}

#[test]
fn a_virtual_table_of_an_unknown_module_is_carried_over() {
    let source = Source::new(
        "CREATE TABLE strange_data(k INTEGER PRIMARY KEY, v); INSERT INTO strange_data VALUES(4, 'kept');
         PRAGMA writable_schema=ON;
         INSERT INTO sqlite_schema VALUES('table', 'strange', 'strange', 0,
            'CREATE VIRTUAL TABLE strange USING nobody_has_this(a, ''it''''s'',' || char(13,10) || ' b)');",
    );
    let text = source.round_trip();
    assert!(text.contains("nobody_has_this"), "{text}");
}
