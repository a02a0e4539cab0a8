//! What is refused before a dump starts, in the words people see.

use std::net::TcpListener;

use cofferdam_backup::{Control, Limits, ProblemKind, check};
use cofferdam_model::{Connection, Failure, FailureKind, Format, Secret, SslMode};

use crate::{
    listener::{LIMITS, Place, a_run, back_up, clients, fail},
    server::shared,
};

/// The whole failure, as a page shows it, without the tool's own words.
fn shown(failure: &Failure) -> String {
    let hint = failure.hint.as_ref().map(|hint| format!("\nHINT: {hint}")).unwrap_or_default();
    format!("{}: {}{hint}", failure.kind.as_str(), failure.message)
}

fn refusal(connection: &Connection) -> Failure {
    let (failure, listener) = fail(&a_run(connection, Format::Plain));
    assert!(listener.log().contains(&failure.message), "the log ends with the failure");
    let place = Place::new();
    let checked = check(connection, clients(), &place.folder, 0, &Control::new());
    assert_eq!(checked.map_err(|failure| failure.kind), Err(failure.kind));
    failure
}

#[test]
fn a_wrong_password_is_an_authentication_failure() {
    let mut postgres = shared().postgres("postgres");
    postgres.password = Some(Secret::new("wrong"));
    let failure = refusal(&Connection::Postgres(postgres));
    assert_eq!(
        shown(&failure),
        "authentication: the server refused the user name or the password\n\
         HINT: correct the user name and the password in the settings of this database"
    );
    assert!(failure.detail.is_some_and(|detail| detail.contains("password authentication failed")));
}

#[test]
fn a_missing_password_is_an_authentication_failure() {
    let mut postgres = shared().postgres("postgres");
    postgres.password = None;
    let failure = refusal(&Connection::Postgres(postgres));
    assert_eq!(
        shown(&failure),
        "authentication: the server asks for a password, and none is set\n\
         HINT: enter the password in the settings of this database"
    );
}

#[test]
fn an_unknown_role_is_an_authentication_failure() {
    let mut postgres = shared().postgres("postgres");
    postgres.user = "nobody of that name".to_owned();
    assert_eq!(refusal(&Connection::Postgres(postgres)).kind, FailureKind::Authentication);
}

#[test]
fn a_port_where_nobody_listens_is_a_connection_failure() {
    let mut postgres = shared().postgres("postgres");
    postgres.port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let failure = refusal(&Connection::Postgres(postgres));
    assert_eq!(
        shown(&failure),
        "connection: the server cannot be reached\n\
         HINT: check the host and port, and that the server runs and listens there"
    );
}

#[test]
fn a_socket_folder_without_a_socket_is_a_connection_failure() {
    let mut postgres = shared().postgres("postgres");
    postgres.host = "/nowhere".to_owned();
    assert_eq!(refusal(&Connection::Postgres(postgres)).kind, FailureKind::Connection);
}

#[test]
fn an_unknown_database_is_a_settings_failure() {
    let failure = refusal(&shared().connection("no such database"));
    assert_eq!(
        shown(&failure),
        "settings: the server has no database of that name\n\
         HINT: correct the database name in the settings of this database"
    );
}

#[test]
fn tls_that_the_server_does_not_speak_is_a_connection_failure() {
    for mode in [SslMode::Require, SslMode::VerifyFull] {
        let mut postgres = shared().postgres("postgres");
        postgres.sslmode = mode;
        let failure = refusal(&Connection::Postgres(postgres));
        assert_eq!(
            shown(&failure),
            "connection: the server and the TLS settings do not fit together\n\
             HINT: check the TLS mode and the certificate file in the settings of this database"
        );
    }
}

#[test]
fn what_the_role_may_not_read_is_named_before_the_dump_starts() {
    let server = shared();
    let database = server.database("secretive");
    server.sql(
        &database,
        "CREATE ROLE weak LOGIN PASSWORD 'weak'; CREATE SCHEMA hidden; \
         CREATE TABLE hidden.a (i serial); CREATE TABLE open (i int); CREATE TABLE \"Closed\" (i int); \
         GRANT SELECT ON open TO weak; SELECT lo_from_bytea(4711, 'x');",
    );
    let mut postgres = server.postgres(&database);
    (postgres.user, postgres.password) = ("weak".to_owned(), Some(Secret::new("weak")));
    let connection = Connection::Postgres(postgres);
    let run = a_run(&connection, Format::Plain);
    let (failure, _) = fail(&run);
    assert_eq!(
        shown(&failure),
        "privilege: the role \"weak\" may not read schema hidden, hidden.a, public.\"Closed\", \
         sequence hidden.a_i_seq, large object 4711, so the backup would not be whole\n\
         HINT: run as an administrator of the server: GRANT pg_read_all_data TO \"weak\"; \
         GRANT SELECT ON LARGE OBJECT 4711 TO \"weak\";"
    );
    let place = Place::new();
    let found = check(&connection, clients(), &place.folder, 0, &Control::new());
    let found = found.expect("it can be looked at");
    assert_eq!(found.unreadable.len(), 5);
    assert_eq!(found.problems.first().map(|p| p.kind), Some(ProblemKind::Unreadable));
    assert!(!found.is_clear());

    // What the hint says mends it.
    let hint = failure.hint.expect("there is one");
    let statements = hint.split_once(": ").expect("it introduces them").1;
    server.sql(&database, statements);
    let (_place, sidecar, _) = back_up(&connection, Format::Plain);
    assert_eq!(sidecar.tables.len(), 3);
}

#[test]
fn the_ready_made_role_can_back_up_everything() {
    let server = shared();
    let database = server.database("roles");
    server.sql(
        &database,
        "CREATE TABLE a (i serial); CREATE TABLE b (i int); INSERT INTO b VALUES (1); \
         SELECT lo_from_bytea(0, 'x');",
    );
    let place = Place::new();
    let found = check(&server.connection(&database), clients(), &place.folder, 0, &Control::new());
    let found = found.expect("it can be looked at");
    assert!(found.is_clear(), "{:?}", found.problems);
    server.sql(&database, &found.role_sql.expect("there is SQL"));
    server.sql(&database, "ALTER ROLE cofferdam_backup PASSWORD 'x'");
    let mut postgres = server.postgres(&database);
    (postgres.user, postgres.password) = ("cofferdam_backup".to_owned(), Some(Secret::new("x")));
    let (_place, sidecar, _) = back_up(&Connection::Postgres(postgres), Format::Plain);
    assert_eq!(sidecar.tables.len(), 2);
}

#[test]
fn rows_that_a_policy_would_hide_are_a_privilege_failure() {
    let server = shared();
    let database = server.database("policies");
    server.sql(
        &database,
        "CREATE ROLE limited LOGIN PASSWORD 'x' IN ROLE pg_read_all_data; CREATE TABLE t (i int); \
         ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (i > 0);",
    );
    let mut postgres = server.postgres(&database);
    (postgres.user, postgres.password) = ("limited".to_owned(), Some(Secret::new("x")));
    let connection = Connection::Postgres(postgres);
    let run = a_run(&connection, Format::Plain);
    let (failure, _) = fail(&run);
    assert_eq!(
        shown(&failure),
        "privilege: row-level security would hide rows of public.t from the role \"limited\", so \
         the backup would not be whole\n\
         HINT: run as an administrator of the server: ALTER ROLE \"limited\" BYPASSRLS;"
    );
    server.sql(&database, "ALTER ROLE limited BYPASSRLS");
    back_up(&connection, Format::Plain);
}

#[test]
fn a_folder_without_room_is_refused_before_the_dump_starts() {
    let connection = shared().connection("postgres");
    let limits = Limits { keep_free_bytes: u64::MAX / 2, ..LIMITS };
    let mut run = a_run(&connection, Format::Plain);
    run.limits = limits;
    let (failure, _) = fail(&run);
    assert_eq!(failure.kind, FailureKind::Space);
    assert!(failure.message.starts_with("the backup folder has "), "{failure}");
}
