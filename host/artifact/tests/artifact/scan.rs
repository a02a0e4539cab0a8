//! The scanner on texts made to mislead it.

use cofferdam_artifact::scan::{DumpScanner, ScanReport};
use proptest::prelude::*;

fn scan(text: &[u8]) -> ScanReport {
    scan_in(text, text.len().max(1))
}

fn scan_in(text: &[u8], block: usize) -> ScanReport {
    let mut scanner = DumpScanner::new();
    text.chunks(block).for_each(|block| scanner.feed(block));
    scanner.finish()
}

/// Name and rows of each table; and every table's span is right.
fn tables(text: &str) -> Vec<(String, u64)> {
    let report = scan(text.as_bytes());
    for table in &report.tables {
        let span = &text[usize::try_from(table.offset).unwrap()..];
        let (data, rest) = span.split_at(usize::try_from(table.length).unwrap());
        assert_eq!(data.matches('\n').count() as u64, table.rows);
        assert!(rest.starts_with("\\.\n"), "{rest:?}");
        assert!(text[..usize::try_from(table.offset).unwrap()].ends_with('\n'));
    }
    report.tables.into_iter().map(|table| (table.name, table.rows)).collect()
}

fn one(name: &str, rows: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), rows)]
}

#[test]
fn rows_are_the_lines_up_to_the_end_line() {
    assert_eq!(tables("COPY t (a) FROM stdin;\n1\n2\n\\.\n"), one("t", 2));
    assert_eq!(tables("COPY t (a) FROM stdin;\n\\.\n"), one("t", 0));
    assert_eq!(tables("COPY t (a) FROM stdin;\n\n\n\\.\n"), one("t", 2));
    assert_eq!(tables("COPY public.none  FROM stdin;\n\n\\.\n"), one("public.none", 1));
}

#[test]
fn only_a_line_that_is_exactly_the_end_line_ends_the_data() {
    let data = "\\\\.\n\\.x\n \\.\nx\\.\n\\N\n\\\n\\..\n\\\\.\\.\n";
    let text = format!("COPY t (a) FROM stdin;\n{data}\\.\nSELECT 1;\n");
    assert_eq!(tables(&text), one("t", 8));
}

#[test]
fn names_are_taken_as_the_dump_writes_them() {
    for name in [
        "public.t",
        "public.\"Order (1)\"",
        "\"a\"\"b\".\"c d\"",
        "public.\"a FROM stdin;\"",
        "public.\"two\nlines\"",
        "public.\"größe\"",
        "public.größe",
        "public.\"-f\"",
        "public.\"--x\"",
        "public.\"/*\"",
        "public.\"$$\"",
        "public.\"'\"",
        "public.\"\\.\"",
    ] {
        assert_eq!(
            tables(&format!("COPY {name} (id, \"x)\") FROM stdin;\n1\n\\.\n")),
            one(name, 1)
        );
        assert_eq!(tables(&format!("COPY {name}  FROM stdin;\n\\.\n")), one(name, 0));
    }
}

#[test]
fn what_looks_like_copy_inside_quotes_and_comments_is_none() {
    let fake = "\nCOPY x (a) FROM stdin;\n1\n\\.\n";
    for text in [
        format!("SELECT '{fake}';\n"),
        format!("SELECT E'\\'{fake}';\n"),
        format!("SELECT E'\\\\', '{fake}';\n"),
        format!("SELECT '\\', '{fake}';\n"),
        format!("SELECT e'a'\n '\\'{fake}';\n"),
        format!("SELECT 'a''{fake}';\n"),
        format!("SELECT 1 AS \"{fake}\"\"\";\n"),
        format!("CREATE FUNCTION f() AS $$ {fake} $a$ $$;\n"),
        format!("CREATE FUNCTION f() AS $_$ {fake} $$ $__$ $_$;\n"),
        format!("CREATE FUNCTION f() AS $é1$ {fake} $é1 $é1$;\n"),
        format!("/* {fake} /* {fake} */ {fake} */\n"),
        format!("/*/ {fake} */ SELECT 1;\n"),
        "-- COPY x (a) FROM stdin;\n".to_owned(),
        "\\echo COPY x (a) FROM stdin;\n".to_owned(),
        "COPY x (a) FROM stdin WITH (FORMAT csv);\n".to_owned(),
        "COPY x TO stdout;\nSELECT stdin;\n".to_owned(),
        "SELECT 1 FROM stdin;\n".to_owned(),
        "COPY x (a) FROM \"stdin\";\n".to_owned(),
        "COPY x (a) FROM 'stdin';\n".to_owned(),
        "CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; COPY x FROM stdin;);\n".to_owned(),
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC\n SELECT CASE WHEN a THEN 1 END;\n COPY x FROM stdin;\nEND;\n".to_owned(),
    ] {
        let real = format!("{text}COPY real (a) FROM stdin;\n1\n2\n\\.\n");
        assert_eq!(tables(&real), one("real", 2), "{text}");
    }
}

#[test]
fn what_only_looks_like_a_quote_opens_none() {
    for text in [
        "SELECT a$b$c, $1, 5-3, 6/2, 'x'\n;",
        "SELECT x.e, 'it''s';",
        "SELECT namee'\\';",
        "\\restrict ab'c\"d$$\n",
        "-- it's\r\n",
        "SELECT $1$ ;",
    ] {
        let real = format!("{text}\nCOPY real (a) FROM stdin;\n1\n\\.\n");
        assert_eq!(tables(&real), one("real", 1), "{text}");
    }
}

#[test]
fn backslashes_escape_everywhere_when_the_dump_says_so() {
    let text = "SET standard_conforming_strings = off;\nSELECT '\\'; COPY x FROM stdin;\n';\nCOPY t (a) FROM stdin;\n\\.\n";
    assert_eq!(tables(text), one("t", 0));
}

#[test]
fn a_copy_statement_beyond_a_mebibyte_is_not_one() {
    let text = format!("COPY t ({}) FROM stdin;\n1\n\\.\n", "a, ".repeat(400_000));
    assert_eq!(tables(&text), []);
}

const END: &str = "--\n-- PostgreSQL database dump complete\n--\n\n";

#[test]
fn a_dump_is_complete_when_it_ends_with_the_trailer() {
    let complete = |text: &str| scan(text.as_bytes()).complete;
    assert!(complete(END));
    assert!(complete(&format!("SELECT 1;\n{END}\\unrestrict abc\n\n")));
    for text in [
        String::new(),
        "SELECT 1;\n".to_owned(),
        "-- PostgreSQL database dump complet".to_owned(),
        "-- PostgreSQL database dump complete".to_owned(),
        format!("{END}SELECT 1;\n"),
        format!("{END}x"),
        format!("{END}\\connect other\n"),
        format!("{END}/* "),
        format!("SELECT 1\n{END}"),
        format!("SELECT '{END}';\n"),
        format!("SELECT $${END}"),
        format!("COPY t (a) FROM stdin;\n{END}"),
        format!("COPY t (a) FROM stdin;\n{END}\\."),
        format!("{END}COPY t (a) FROM stdin;\n"),
    ] {
        assert!(!complete(&text), "{text:?}");
    }
}

#[test]
fn the_drop_section_ends_before_the_first_object_is_made() {
    let head = "-- x\nSET a = 1;\nSELECT pg_catalog.set_config('search_path', '', false);\n\n";
    let drops = "ALTER TABLE IF EXISTS ONLY public.a DROP CONSTRAINT IF EXISTS \"DROP;\";\nSELECT pg_catalog.lo_unlink('1');\nDROP TABLE IF EXISTS public.a;\nCREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::integer AS a;\nDROP SCHEMA IF EXISTS s;";
    let rest = "\n--\n-- Name: s; Type: SCHEMA\n--\n\nCREATE SCHEMA s;\nDROP TABLE later;\n";
    let report = scan(format!("{head}{drops}{rest}").as_bytes());
    assert_eq!(report.drop_section_end, Some((head.len() + drops.len()) as u64));
    for none in [
        format!("{head}{rest}"),
        format!("{head}ALTER TABLE a ALTER COLUMN \"DROP\" SET DEFAULT 'DROP';\n{rest}"),
        format!("{head}CREATE TABLE a ();\nDROP TABLE a;\n"),
    ] {
        assert_eq!(scan(none.as_bytes()).drop_section_end, None);
    }
}

#[test]
fn progress_can_be_read_between_blocks() {
    let mut scanner = DumpScanner::new();
    scanner.feed(b"COPY a (x) FROM stdin;");
    assert_eq!(scanner.current_table(), None);
    scanner.feed(b"\n12\n3");
    assert_eq!((scanner.current_table(), scanner.current_table_bytes()), (Some("a"), 4));
    assert_eq!(scanner.tables_done(), 0);
    scanner.feed(b"\n\\.\n");
    assert_eq!((scanner.current_table(), scanner.tables_done()), (None, 1));
}

/// Pieces that matter to the scanner, in any order, valid or not.
pub(crate) fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "COPY t (a) FROM stdin;\n",
        "COPY \"a(\"\"\" FROM stdin;\n",
        "\\.\n",
        "\n\\.\n",
        "\\.",
        "\\",
        "\n",
        "1\t\\N\n",
        "'",
        "E'",
        "''",
        "\\'",
        "\"",
        "$$",
        "$a$",
        "$a",
        "$",
        "--",
        "-",
        "/*",
        "*/",
        "/",
        "*",
        ";",
        "(",
        ")",
        "DROP TABLE a;",
        "ALTER TABLE a DROP b;",
        "SELECT 1",
        " ",
        "-- Name: x\n",
        "-- PostgreSQL database dump complete\n",
        "\\unrestrict x\n",
        "é",
        "\r\n",
        "create function f() begin atomic",
        " case ",
        " end ",
        "SET standard_conforming_strings = off;",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn where_blocks_end_never_changes_the_report(
        text in text(), block in 1..40_usize,
    ) {
        let whole = scan(&text);
        prop_assert_eq!(whole.raw_bytes, text.len() as u64);
        prop_assert_eq!(&scan_in(&text, 1), &whole);
        prop_assert_eq!(&scan_in(&text, block), &whole);
    }

    #[test]
    fn any_bytes_at_all_are_scanned_without_a_panic(
        text in prop::collection::vec(any::<u8>(), 0..2000), block in 1..100_usize,
    ) {
        prop_assert_eq!(scan_in(&text, block), scan(&text));
    }
}
