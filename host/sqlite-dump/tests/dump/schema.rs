//! Every object comes back with its text, to the letter.

use rusqlite::{Connection, functions::FunctionFlags};

use crate::common::{Source, compare, dump};

fn comes_back(script: &str) -> String {
    Source::new(script).round_trip()
}

#[test]
fn a_database_without_content_comes_back() {
    let zero_bytes = Source::with(|_| {});
    assert_eq!(std::fs::metadata(&zero_bytes.path).unwrap().len(), 0);
    zero_bytes.round_trip();
    comes_back("CREATE TABLE t(a); DROP TABLE t;");
    comes_back("CREATE TABLE empty(a, b);");
}

#[test]
fn the_files_own_settings_come_back() {
    comes_back(
        "PRAGMA page_size=16384; PRAGMA auto_vacuum=2; PRAGMA encoding='UTF-16be';
         PRAGMA user_version=-7; PRAGMA application_id=1196444487; CREATE TABLE t(a);",
    );
    comes_back("PRAGMA page_size=512; PRAGMA auto_vacuum=1; CREATE TABLE t(a);");
}

#[test]
fn generated_columns_are_computed_again() {
    let text = comes_back(
        "CREATE TABLE t(a INT, v AS (a * 2) VIRTUAL, b TEXT, s TEXT GENERATED ALWAYS AS (b || a) STORED);
         INSERT INTO t(a, b) VALUES(1, 'x'), (2, 'y');
         CREATE TABLE gaps(a INT, v AS (a + 1));
         INSERT INTO gaps(rowid, a) VALUES(5, 5), (9, 9);",
    );
    assert!(text.contains("INSERT INTO \"t\"(\"a\",\"b\") VALUES\n"), "{text}");
    assert!(text.contains("INSERT INTO \"gaps\"(rowid,\"a\") VALUES\n"), "{text}");
}

#[test]
fn rowids_come_back_where_they_are_not_the_row_numbers() {
    let text = comes_back(
        "CREATE TABLE plain(a); INSERT INTO plain VALUES('x'), ('y');
         CREATE TABLE gaps(a); INSERT INTO gaps(rowid, a) VALUES(1, 'a'), (2, 'b'), (7, 'c'), (9, 'd');
         CREATE TABLE negative(a); INSERT INTO negative(rowid, a) VALUES(-9223372036854775808, 1), (9223372036854775807, 2);
         CREATE TABLE hidden(rowid TEXT, a); INSERT INTO hidden(_rowid_, rowid, a) VALUES(3, 'r', 1);
         CREATE TABLE more(rowid, \"_RowID_\", a); INSERT INTO more(oid, a) VALUES(3, 1);
         CREATE TABLE descending(id INTEGER PRIMARY KEY DESC, a); INSERT INTO descending(rowid, id, a) VALUES(5, 2, 1), (6, 1, 1);
         CREATE TABLE key(id INTEGER, a, PRIMARY KEY(id)); INSERT INTO key VALUES(-3, 1), (8, 2);
         CREATE INDEX covering ON gaps(a DESC);",
    );
    assert!(text.contains("INSERT INTO \"plain\" VALUES\n('x'),\n('y');"), "{text}");
    assert!(
        text.contains(
            "\"gaps\" VALUES\n('a'),\n('b');\nINSERT INTO \"gaps\"(rowid,\"a\") VALUES\n(7,"
        ),
        "{text}"
    );
    assert!(text.contains("\"hidden\"(_rowid_,"), "{text}");
    assert!(text.contains("\"more\"(oid,"), "{text}");
}

#[test]
fn a_table_that_hides_its_rowid_altogether_keeps_its_rows() {
    let source = Source::new(
        "CREATE TABLE t(rowid, _rowid_, oid); INSERT INTO t VALUES(1, 2, 3), (4, 5, 6);",
    );
    source.round_trip();
}

#[test]
fn tables_of_every_kind_come_back() {
    comes_back(
        "CREATE TABLE pairs(a TEXT COLLATE NOCASE, b INT, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID;
         INSERT INTO pairs VALUES('x', 1, NULL), ('Y', 3, x'00'), ('z', 2, 1.5);
         CREATE TABLE strict_one(i INT, r REAL, t TEXT, b BLOB, n INTEGER PRIMARY KEY, a ANY) STRICT;
         INSERT INTO strict_one VALUES(1, 1.0, '1', x'31', 5, '001'), (2, 2.5, 'x', x'', 6, 1.0);
         CREATE TABLE both(k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
         INSERT INTO both VALUES('a', 1), ('b', 'x');
         CREATE TABLE nulls(a TEXT PRIMARY KEY); INSERT INTO nulls VALUES(NULL), (NULL), ('a');
         CREATE TABLE checked(a INT CHECK(a > 0)); INSERT INTO checked VALUES(1);
         PRAGMA ignore_check_constraints=ON; INSERT INTO checked VALUES(-1);
         PRAGMA foreign_keys=OFF;
         CREATE TABLE child(p INT REFERENCES parent(id) ON DELETE CASCADE, FOREIGN KEY(p) REFERENCES nowhere(x));
         INSERT INTO child VALUES(99); CREATE TABLE parent(id INTEGER PRIMARY KEY);
         CREATE TABLE added(a); INSERT INTO added VALUES(1);
         ALTER TABLE added ADD COLUMN b TEXT NOT NULL DEFAULT 'it''s'; ALTER TABLE added ADD COLUMN c DEFAULT -1.5;
         CREATE TABLE dropped(a, b, c); INSERT INTO dropped VALUES(1, 2, 3); ALTER TABLE dropped DROP COLUMN b;
         CREATE TABLE old_name(a); ALTER TABLE old_name RENAME TO \"new name\";
         CREATE TABLE selected AS SELECT 1 AS \"a b\", 'x' AS \"c\"\"d\";",
    );
}

#[test]
fn autoincrement_goes_on_where_it_was() {
    let text = comes_back(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, v); INSERT INTO a(v) VALUES(1), (2), (3);
         DELETE FROM a WHERE id > 1; CREATE TABLE b(id INTEGER PRIMARY KEY AUTOINCREMENT);
         INSERT INTO b VALUES(100);",
    );
    assert!(text.contains("('a',3),\n('b',100);"), "{text}");
    assert!(!text.contains("writable_schema"), "{text}");
    // The table of sequences outlives the last table that needs it.
    comes_back(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE a; CREATE TABLE b(c DEFAULT 'AUTOINCREMENT');",
    );
    comes_back(
        "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO a VALUES(5); UPDATE sqlite_sequence SET seq='text'; INSERT INTO sqlite_sequence VALUES('gone', 1.5), (NULL, NULL);",
    );
}

#[test]
fn statistics_come_back() {
    // The bundled SQLite makes sqlite_stat4, which Debian's shell cannot.
    let script = "CREATE TABLE t(a, b); CREATE INDEX i ON t(a, b);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t SELECT i % 7, i FROM n;
        ANALYZE;";
    let text = comes_back(script);
    assert!(text.contains("CREATE TABLE sqlite_stat4"), "{text}");
    let text = comes_back(&format!("{script} DROP TABLE sqlite_stat4;"));
    assert!(!text.contains("writable_schema"), "{text}");
}

#[test]
fn indexes_views_and_triggers_come_back() {
    comes_back(
        "CREATE TABLE t(a TEXT, b INT, c, UNIQUE(a, b), UNIQUE(c));
         CREATE TABLE log(what);
         CREATE UNIQUE INDEX one ON t(b) WHERE b > 1; CREATE INDEX two ON t(a COLLATE NOCASE DESC, c);
         CREATE INDEX three ON t(lower(a), b + 1); CREATE INDEX four ON t(a) WHERE c = \"legacy string\";
         CREATE TRIGGER counted AFTER INSERT ON t BEGIN INSERT INTO log VALUES(new.a); UPDATE t SET c = CASE WHEN c THEN 1 END WHERE 0; END;
         CREATE TRIGGER refused BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no; never'); END;
         INSERT INTO t VALUES('x', 1, 2), ('y', 5, 'legacy string');
         CREATE VIEW outer_view AS SELECT * FROM inner_view; CREATE VIEW inner_view(x, y) AS SELECT a, b FROM t;
         CREATE VIEW broken AS SELECT gone FROM nowhere;
         CREATE TRIGGER instead INSTEAD OF INSERT ON inner_view BEGIN INSERT INTO t(a, b) VALUES(new.x, new.y); END;
         CREATE VIEW commented AS SELECT 1 AS one -- with an end like this",
    );
}

#[test]
fn names_of_any_kind_come_back() {
    let names = [
        "",
        "it's",
        "a\"b",
        "two words",
        "line\nfeed",
        "日本",
        "-dash",
        "--",
        "select",
        "table",
        "table\"; DROP",
        "[x]",
        "`y`",
        "a;b",
        ".shell",
        "rowid",
        "'",
        "%s",
        "trailing ",
        "CamelCase",
        "\n.shell true\n",
        "\ngo\n",
        "/*",
        "\\",
        "tab\t",
    ];
    Source::with(|connection| {
        for (number, name) in names.iter().enumerate() {
            let name = format!("\"{}\"", name.replace('"', "\"\""));
            let script = format!(
                "CREATE TABLE {name}({name} TEXT, b, c AS (b + 1));
                 INSERT INTO {name}(rowid, {name}, b) VALUES(3, 'v', {number});
                 CREATE INDEX \"i{number} \"\" ' of\" ON {name}({name});
                 CREATE VIEW \"v{number} \n\" AS SELECT * FROM {name};"
            );
            connection.execute_batch(&script).unwrap();
        }
    })
    .round_trip();
}

#[test]
fn line_ends_of_other_systems_come_back_wherever_they_are() {
    comes_back(
        "CREATE TABLE crlf(\r\n  a TEXT DEFAULT 'x\r\ny', -- note\r\n  b,\r\n  s AS (a || '\r\n') STORED\r\n);
         INSERT INTO crlf(a, b) VALUES('1', 2), ('a\r\nb', 'x');
         CREATE INDEX crlf_i ON crlf(\r\n a || '\r\n');
         CREATE VIEW crlf_v AS\r\nSELECT *\r\nFROM crlf;
         CREATE TRIGGER crlf_t AFTER INSERT ON crlf\r\nBEGIN\r\n SELECT 1;\r\nEND;
         CREATE TABLE \"na\r\nme\"(\"co\r\nl\" UNIQUE, x AS (1));
         INSERT INTO \"na\r\nme\" VALUES(1), (2);
         CREATE INDEX \"in\r\ndex\" ON \"na\r\nme\"(\"co\r\nl\");",
    );
}

#[test]
fn lines_that_mean_something_to_the_shell_come_back() {
    comes_back(
        "CREATE TABLE t(a, b, g); INSERT INTO t VALUES(6, 2, 1);
         CREATE VIEW divided AS SELECT a\n/\nb AS q FROM t;
         CREATE VIEW went AS SELECT a\ngo\nFROM t;
         CREATE INDEX i ON t(a\n/ -- by\nb);
         CREATE TABLE quoted(a DEFAULT '\ngo\n', b DEFAULT '\n.shell true\n');
         CREATE TRIGGER tr AFTER INSERT ON t BEGIN\nSELECT 1\n/\n2;\nEND;",
    );
}

#[test]
fn a_schema_that_hides_a_command_for_the_shell_does_not_run_it() {
    let source = Source::with(|connection| {
        connection
            .execute_batch(
                "CREATE TABLE t(a); INSERT INTO t VALUES(1); CREATE VIEW v AS SELECT 1;
                 PRAGMA writable_schema=ON;
                 UPDATE sqlite_schema SET sql = sql || ';' || char(10) || '.print harm' || char(10)
                 || '.shell touch harm' || char(10);",
            )
            .unwrap();
    });
    // The restored text is the same; the shell's output was empty.
    source.round_trip();
}

#[test]
fn what_only_the_application_knows_is_not_needed() {
    let source = Source::with(|connection: &Connection| {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_scalar_function("own", 1, flags, |c| c.get::<i64>(0)).unwrap();
        connection.create_collation("mine", Ord::cmp).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t(a CHECK(own(a) = a), b COLLATE mine, v AS (own(a)));
                 INSERT INTO t(a, b) VALUES(1, 'x'), (2, 'y');
                 CREATE TABLE k(a TEXT COLLATE mine, b, PRIMARY KEY(a)) WITHOUT ROWID;
                 INSERT INTO k VALUES('x', 1);
                 CREATE INDEX i ON t(b);
                 CREATE INDEX e ON t(own(a));",
            )
            .unwrap();
    });
    // Nobody can restore it without the function, but nothing is lost.
    let (text, summary) = dump(&source.path).unwrap();
    assert_eq!(summary.rows, 3, "{text}");
    assert!(text.contains("CREATE INDEX e ON t(own(a));"), "{text}");
}

#[test]
fn three_thousand_tables_come_back() {
    let source = Source::with(|connection| {
        let one = |number| {
            format!("CREATE TABLE t{number}(a, b); INSERT INTO t{number} VALUES({number}, 'x');")
        };
        let all: Vec<String> = (0..3000).map(one).collect();
        connection.execute_batch(&format!("BEGIN; {} COMMIT;", all.join(""))).unwrap();
    });
    let text = source.round_trip();
    assert_eq!(text.matches("INSERT INTO").count(), 3000);
}

#[test]
fn a_dump_is_restored_by_debians_shell_from_its_own_dump_too() {
    // The shell's own dump is the measure for what must not be lost.
    let source = Source::new("CREATE TABLE t(a); INSERT INTO t VALUES(1), ('x'), (NULL);");
    source.round_trip();
    let theirs = source.folder.path().join("theirs.db");
    let output =
        std::process::Command::new("sqlite3").arg(&source.path).arg(".dump").output().unwrap();
    crate::common::restore(&String::from_utf8(output.stdout).unwrap(), &theirs);
    compare(&source.path, &theirs);
}
