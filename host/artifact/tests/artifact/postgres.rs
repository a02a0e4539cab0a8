//! The scanner and the pipeline on what a real `pg_dump` writes.

use std::{
    fs,
    io::Read,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use cofferdam_artifact::{
    Meter, PipeReader, copy, enlarge_pipe,
    gzip::Reader,
    scan::{DumpScanner, ScanReport, scan},
};

use crate::support::gzip;

const BIN: &str = "/usr/lib/postgresql/15/bin";

/// A server with its data and socket in a folder of its own; gone when dropped.
struct Server {
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let id = |flag| -> u32 {
            let output = Command::new("id").args([flag, "postgres"]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
        };
        chown(folder.path(), Some(id("-u")), Some(id("-g"))).unwrap();
        let server = Self { folder };
        let data = server.data();
        let data = data.to_str().unwrap();
        server.run(
            "initdb",
            &[
                "-D",
                data,
                "-A",
                "trust",
                "-U",
                "postgres",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
        );
        let options = format!("-c listen_addresses='' -c fsync=off -k {}", server.socket());
        let log = format!("{}/log", server.socket());
        server.run("pg_ctl", &["-D", data, "-w", "-l", &log, "-o", &options, "start"]);
        server
    }

    fn socket(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = Command::new("runuser")
            .args(["-u", "postgres", "--", &format!("{BIN}/{program}")])
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "{program} {arguments:?}");
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(Path::new(BIN).join(program));
        command.args(["-h", self.socket(), "-U", "postgres"]).env("LC_ALL", "C");
        command
    }

    fn psql(&self, database: &str, script: &str) -> String {
        let file = self.folder.path().join("script.sql");
        fs::write(&file, script).unwrap();
        let output = self
            .command("psql")
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-f"])
            .arg(file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn dump(&self, database: &str, arguments: &[&str]) -> Vec<u8> {
        let output =
            self.command("pg_dump").args(arguments).arg("-d").arg(database).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        self.run("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "immediate", "-w", "stop"]);
    }
}

const NASTY: &str = r#"
CREATE DATABASE nasty;
\c nasty
CREATE SCHEMA "we ""ird";
CREATE TABLE plain (id int PRIMARY KEY, t text);
INSERT INTO plain SELECT i, 'row ' || i FROM generate_series(1, 1000) i;
CREATE TABLE empty (id int);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES; INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE "a FROM stdin;" ("b) FROM stdin;" text);
INSERT INTO "a FROM stdin;" VALUES ('x'), (E'\\.'), (E'\n\\.\n'), (''), (NULL), (E'\\\\.\n');
CREATE TABLE "we ""ird"."two
lines (1)" ("co""l" text, "$$" text, "'" text);
INSERT INTO "we ""ird"."two
lines (1)" VALUES ('COPY x FROM stdin;', '-- PostgreSQL database dump complete', $x$'"$$/*--$x$);
CREATE TABLE "-f" (id int); INSERT INTO "-f" VALUES (1);
CREATE TABLE "--" (id int); INSERT INTO "--" VALUES (1), (2);
CREATE TABLE "Größe 🐘" ("ü" text); INSERT INTO "Größe 🐘" VALUES ('ä');
CREATE TABLE parent (id int) PARTITION BY RANGE (id);
CREATE TABLE "child;" PARTITION OF parent FOR VALUES FROM (0) TO (10);
INSERT INTO parent VALUES (1), (2), (3);
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  -- it's $_$ COPY x FROM stdin;
  EXECUTE 'COPY x FROM stdin;';
END $body$;
CREATE FUNCTION g() RETURNS text LANGUAGE sql AS 'SELECT ''COPY x FROM stdin;
1
\.
'';';
CREATE FUNCTION h(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC
  SELECT CASE WHEN a > 1 THEN 2 ELSE 3 END; SELECT 4; END;
COMMENT ON TABLE plain IS 'COPY x FROM stdin; it''s /* a \ comment';
CREATE RULE r AS ON DELETE TO plain DO ALSO (INSERT INTO "-f" VALUES (1); INSERT INTO "-f" VALUES (2));
CREATE VIEW v AS SELECT id, t, count(*) FROM plain GROUP BY id;
CREATE DOMAIN d AS text CHECK (VALUE <> 'x;');
SELECT lo_from_bytea(0, convert_to(E'COPY x FROM stdin;\n\\.\n', 'UTF8')) > 0 AS lo;
SELECT lo_from_bytea(0, decode(repeat('00ff27', 100000), 'hex')) > 0 AS lo;
"#;

fn nasty(server: &Server) -> Vec<(String, u64)> {
    server.psql("postgres", NASTY);
    // What the catalog says, the names as pg_dump quotes them.
    let tables = server.psql("nasty", r"
SELECT encode(convert_to(format('%I.%I', n.nspname, c.relname), 'UTF8'), 'hex'),
  (xpath('/row/c/text()', query_to_xml(format('SELECT count(*) c FROM ONLY %I.%I', n.nspname, c.relname), false, true, '')))[1]
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'");
    let mut tables: Vec<_> = tables
        .lines()
        .map(|line| {
            let (name, rows) = line.split_once('|').unwrap();
            let bytes = (0..name.len()).step_by(2);
            let bytes = bytes.map(|at| u8::from_str_radix(&name[at..at + 2], 16).unwrap());
            (String::from_utf8(bytes.collect()).unwrap(), rows.parse().unwrap())
        })
        .collect();
    tables.sort();
    tables
}

fn counted(report: &ScanReport) -> Vec<(String, u64)> {
    let mut tables: Vec<_> =
        report.tables.iter().map(|table| (table.name.clone(), table.rows)).collect();
    tables.sort();
    tables
}

#[test]
fn a_real_dump_with_nasty_names_is_counted_as_the_server_counts() {
    let server = Server::start();
    let expected = nasty(&server);
    assert_eq!(expected.len(), 9);
    for arguments in [
        &["--clean", "--if-exists", "--no-owner", "--no-acl"][..],
        &["--clean", "--if-exists", "--create", "--verbose"],
        &["--create"],
        &["--quote-all-identifiers"],
    ] {
        let dump = server.dump("nasty", arguments);
        let report = scan(&dump[..]).unwrap();
        assert!(report.complete);
        if arguments.contains(&"--quote-all-identifiers") {
            assert_eq!(report.tables.len(), expected.len());
        } else {
            assert_eq!(counted(&report), expected, "{arguments:?}");
        }
        assert_eq!(report.drop_section_end.is_some(), arguments.contains(&"--clean"));
        for table in &report.tables {
            let start = usize::try_from(table.offset).unwrap();
            let end = start + usize::try_from(table.length).unwrap();
            assert_eq!(dump[start..end].iter().filter(|b| **b == b'\n').count() as u64, table.rows);
            assert!(dump[end..].starts_with(b"\\.\n\n"));
        }
        for cut in [1, 5, 30, dump.len() / 2] {
            let whole = scan(&dump[..dump.len() - cut]).unwrap();
            // The last line breaks and dashes are not needed to know that it was all.
            assert!(!whole.complete || cut <= 5);
        }
        for block in [1, 2, 3, 7, 4096] {
            let mut scanner = DumpScanner::new();
            dump.chunks(block).for_each(|block| scanner.feed(block));
            assert_eq!(scanner.finish(), report, "blocks of {block}");
        }
    }
}

#[test]
fn without_its_drop_section_a_clean_dump_restores_into_a_fresh_database() {
    let server = Server::start();
    nasty(&server);
    let dump = server.dump("nasty", &["--clean", "--if-exists", "--no-owner", "--no-acl"]);
    let report = scan(&dump[..]).unwrap();
    let end = usize::try_from(report.drop_section_end.unwrap()).unwrap();
    let drops = String::from_utf8_lossy(&dump[..end]);
    assert!(!drops.contains("-- Name:") && drops.trim_end().ends_with(';'), "{drops}");
    assert!(!String::from_utf8_lossy(&dump[end..]).contains("\nDROP "));
    let settings = |line: &&str| {
        line.starts_with("SET ") || line.contains("set_config") || line.starts_with("\\restrict")
    };
    let head: String = drops.lines().filter(settings).flat_map(|line| [line, "\n"]).collect();
    let rest = [head.as_bytes(), &dump[end..]].concat();
    server.psql("postgres", "CREATE DATABASE fresh");
    server.psql("fresh", std::str::from_utf8(&rest).unwrap());
    let again = server.dump("fresh", &["--clean", "--if-exists", "--no-owner", "--no-acl"]);
    assert_eq!(counted(&scan(&again[..]).unwrap()), counted(&report));
}

#[test]
fn a_running_pg_dump_passes_through_the_pipeline_unchanged() {
    let server = Server::start();
    server.psql(
        "postgres",
        "CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 200000) i",
    );
    let mut child =
        server.command("pg_dump").args(["-d", "postgres"]).stdout(Stdio::piped()).spawn().unwrap();
    let source = child.stdout.take().unwrap();
    assert!(enlarge_pipe(&source).unwrap() >= 64 << 10);
    let source = PipeReader::new(source);
    let meter = Meter::new();
    let mut packed = Vec::new();
    let copied = copy(source, &mut packed, gzip(), true, &meter).unwrap();
    assert!(child.wait().unwrap().success());
    let report = copied.scan.unwrap();
    assert!(report.complete);
    assert_eq!(counted(&report), [("public.t".to_owned(), 200_000)]);
    assert_eq!(
        (meter.raw_bytes(), meter.tables_done(), meter.table()),
        (report.raw_bytes, 1, None)
    );
    // The index leads straight to the table's rows.
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, &packed).unwrap();
    let table = &report.tables[0];
    let mut rows = String::new();
    let reader = Reader::open_at(file.try_clone().unwrap(), table.offset).unwrap();
    reader.take(table.length).read_to_string(&mut rows).unwrap();
    assert!(rows.starts_with("1\tc4ca4238a0b923820dcc509a6f75849b\n"));
    assert_eq!(rows.lines().count(), 200_000);
    assert_eq!(scan(Reader::open_at(file, 0).unwrap()).unwrap(), report);
}
