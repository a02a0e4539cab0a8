//! Names and passwords that mean something else to careless programs.

use cofferdam_backup::{Control, check, supports};
use cofferdam_model::{Connection, Engine, Format, Secret};

use crate::{
    listener::{Place, a_run, back_up, clients, fail, gunzip},
    server::shared,
    whole::restore_plain,
};

/// Names that are options, connection strings, SQL, or more than one line.
const NAMES: [&str; 9] = [
    "postgres://postgres@127.0.0.1:1/x",
    "a=b",
    "-f/tmp/x",
    "--help",
    "dbname=postgres host=nowhere",
    r#"it's a "quoted" \ name"#,
    "two\nlines",
    "Größe 数据 🦀",
    "service=x password=y",
];

#[test]
fn any_name_of_a_database_is_taken_literally() {
    let server = shared();
    for name in NAMES {
        let database = server.database(name);
        server.sql(&database, "CREATE TABLE here (a int); INSERT INTO here VALUES (1), (2)");
        let connection = server.connection(&database);
        let (_place, sidecar, _) = back_up(&connection, Format::Plain);
        assert_eq!(sidecar.source.document["database"]["name"], database.as_str());
        assert_eq!(sidecar.tables.iter().map(|t| t.rows).collect::<Vec<_>>(), [2], "{name}");
        let place = Place::new();
        let found = check(&connection, clients(), &place.folder, 0, &Control::new());
        let sql = found.expect("it can be looked at").role_sql.expect("there is SQL");
        assert!(sql.contains(&format!("DATABASE \"{}\"", database.replace('"', "\"\""))), "{sql}");
    }
}

#[test]
fn any_name_of_a_schema_table_or_column_comes_back() {
    let server = shared();
    let source = server.database("names");
    for (number, name) in NAMES.iter().enumerate() {
        let quoted = name.replace('"', "\"\"");
        server.sql(
            &source,
            &format!(
                "CREATE SCHEMA \"{quoted}\"; CREATE TABLE \"{quoted}\".\"{quoted}\" (\"{quoted}\" int); \
                 INSERT INTO \"{quoted}\".\"{quoted}\" SELECT generate_series(1, {});",
                number + 1
            ),
        );
    }
    for format in [Format::Plain, Format::Custom] {
        let (place, sidecar, listener) = back_up(&server.connection(&source), format);
        assert_eq!(sidecar.tables.len(), NAMES.len());
        for table in &sidecar.tables {
            let count = server.sql(&source, &format!("SELECT count(*) FROM {}", table.name));
            assert_eq!(table.rows.to_string(), count, "{}", table.name);
        }
        if format == Format::Plain {
            let target = restore_plain(server, &gunzip(&place.path(&sidecar)));
            assert_eq!(server.dump(&source), server.dump(&target));
        }
        assert!(!listener.log().contains('\u{1b}'));
    }
}

#[test]
fn any_password_and_role_name_is_taken_literally() {
    let server = shared();
    let database = server.database("passwords");
    server.sql(&database, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    for (number, password) in [
        r"a:b:c",
        r"back\slash\\",
        r#"'single' "double""#,
        " spaces  around ",
        "#hash",
        "*",
        "ünï 🦀",
        r"\:",
    ]
    .into_iter()
    .enumerate()
    {
        let role = format!("role '{number}' host=x \"y\"");
        server.sql(
            &database,
            &format!(
                "CREATE ROLE \"{}\" LOGIN PASSWORD '{}' IN ROLE pg_read_all_data",
                role.replace('"', "\"\""),
                password.replace('\'', "''")
            ),
        );
        let mut postgres = server.postgres(&database);
        (postgres.user, postgres.password) = (role, Some(Secret::new(password)));
        let (_place, sidecar, _) = back_up(&Connection::Postgres(postgres), Format::Plain);
        assert_eq!(sidecar.tables.len(), 1, "{password}");
    }
}

#[test]
fn a_database_in_another_encoding_comes_back() {
    let server = shared();
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let source = format!("encoded_{}", encoding.to_lowercase());
        let create = |name: &str| {
            server.sql(
                "postgres",
                &format!(
                    "CREATE DATABASE {name} ENCODING {encoding} LOCALE 'C' TEMPLATE template0"
                ),
            )
        };
        create(&source);
        server.sql(&source, "CREATE TABLE t (a text); INSERT INTO t VALUES ('abc')");
        if encoding == "LATIN1" {
            server.sql(
                &source,
                "CREATE TABLE \"Größe\" (a text); INSERT INTO \"Größe\" VALUES ('é')",
            );
        }
        let (place, sidecar, _) = back_up(&server.connection(&source), Format::Plain);
        assert_eq!(sidecar.source.document["database"]["encoding"], encoding);
        assert!(!gunzip(&place.path(&sidecar)).is_empty());
    }
}

#[test]
fn a_role_whose_strings_are_not_standard_is_dumped_all_the_same() {
    let server = shared();
    let source = server.database("strings");
    server.sql(
        &source,
        &format!(
            "CREATE TABLE t (a text DEFAULT 'back\\'); INSERT INTO t VALUES ('x'); \
             COMMENT ON TABLE t IS 'ends with \\'; \
             ALTER DATABASE {source} SET standard_conforming_strings = off;"
        ),
    );
    let (place, sidecar, _) = back_up(&server.connection(&source), Format::Plain);
    assert_eq!(sidecar.tables.len(), 1);
    let sql = gunzip(&place.path(&sidecar));
    assert!(String::from_utf8_lossy(&sql).contains("SET standard_conforming_strings = on"));
    restore_plain(server, &sql);
}

#[test]
fn each_engine_says_which_formats_it_writes() {
    assert_eq!(supports(Engine::Postgres, Format::Custom), Ok(()));
    assert!(supports(Engine::Sqlite, Format::Custom).is_err());
}

#[test]
fn a_name_with_a_null_character_is_refused_before_anything_starts() {
    let mut postgres = shared().postgres("x");
    postgres.dbname = "a\0b".to_owned();
    let (failure, _) = fail(&a_run(&Connection::Postgres(postgres), Format::Plain));
    assert_eq!(failure.message, "the database name contains a null character");
}
