//! Backups that succeed come back equal.

use std::{
    fs::File,
    io::Write,
    process::Stdio,
    time::{Duration, Instant},
};

use cofferdam_artifact::digest;
use cofferdam_backup::{Control, check};
use cofferdam_model::{Connection, Format, Phase, Secret};

use crate::{
    listener::{Place, back_up, clients, gunzip},
    server::{Server, shared},
};

/// One of everything that dumps treat in a way of its own.
pub(crate) const SHOP: &str = include_str!("shop.sql");

/// Restores a plain backup with `gunzip` and `psql` alone.
pub(crate) fn restore_plain(server: &Server, sql: &[u8]) -> String {
    let target = server.database("restored");
    let mut psql = server.tool("psql", &target);
    let mut child = psql
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("psql starts");
    child.stdin.take().expect("it has an input").write_all(sql).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "psql accepts the whole dump");
    target
}

#[test]
fn a_plain_backup_restores_with_gunzip_and_psql_to_an_equal_database() {
    let server = shared();
    let source = server.database("shop");
    server.sql(&source, SHOP);
    let (place, sidecar, listener) = back_up(&server.connection(&source), Format::Plain);

    let path = place.path(&sidecar);
    let sql = gunzip(&path);
    assert_eq!(sidecar.raw_bytes, sql.len() as u64);
    let file = digest(File::open(&path).expect("it is there")).expect("it is readable");
    assert_eq!((file.size_bytes, file.sha256), (sidecar.size_bytes, sidecar.sha256.clone()));
    let target = restore_plain(server, &sql);
    assert_eq!(server.dump(&source), server.dump(&target));

    for table in &sidecar.tables {
        let count = server.sql(&source, &format!("SELECT count(*) FROM ONLY {}", table.name));
        assert_eq!(table.rows.to_string(), count, "{}", table.name);
        let from = usize::try_from(table.offset).expect("it fits");
        assert!(sql[..from].ends_with(b" FROM stdin;\n"), "{}", table.name);
    }
    let counted = server.sql(&source, "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname !~ '^pg_|^information_schema$' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND deptype = 'e')");
    assert_eq!(sidecar.tables.len().to_string(), counted);
    assert!(sidecar.drop_section_end.is_some());
    assert!(
        sidecar.tool_version.as_deref().is_some_and(|v| v.starts_with("pg_dump (PostgreSQL) "))
    );
    assert!(sidecar.source.server_version.as_deref().is_some_and(|v| v.starts_with("PostgreSQL ")));
    assert!(sidecar.filename.starts_with("backup_shop_") && sidecar.filename.ends_with(".sql.gz"));

    let progress = listener.progress.lock().expect("no panic");
    let percents: Vec<f64> = progress.iter().filter_map(|p| p.percent).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    let running = progress.iter().filter(|p| p.phase != Phase::Done);
    assert!(running.filter_map(|p| p.percent).all(|percent| percent < 100.0));
    assert_eq!(progress.last().map(|p| (p.phase, p.percent)), Some((Phase::Done, Some(100.0))));
    let log = listener.log();
    for words in ["PostgreSQL ", "using pg_dump", "dumping", " is complete: "] {
        assert!(log.contains(words), "{words:?} in\n{log}");
    }
}

#[test]
fn a_custom_backup_restores_with_pg_restore_to_an_equal_database() {
    let server = shared();
    let source = server.database("custom");
    server.sql(&source, SHOP);
    let (place, sidecar, _) = back_up(&server.connection(&source), Format::Custom);
    assert!(sidecar.filename.starts_with("backup_shop_"));
    let target = server.database("restored");
    let restored = server
        .tool("pg_restore", &target)
        .args(["--exit-on-error"])
        .arg(place.path(&sidecar))
        .status();
    assert!(restored.expect("pg_restore runs").success());
    assert_eq!(server.dump(&source), server.dump(&target));
    assert!(sidecar.raw_bytes > sidecar.size_bytes);
    for table in &sidecar.tables {
        let count = server.sql(&source, &format!("SELECT count(*) FROM ONLY {}", table.name));
        assert_eq!(table.rows.to_string(), count, "{}", table.name);
    }
    assert!(sidecar.tables.len() > 5);
}

#[test]
fn the_sidecar_keeps_what_the_dump_leaves_out() {
    let server = shared();
    let source = server.database("facts");
    server.sql(&source, SHOP);
    server.sql(
        &source,
        &format!(
            "CREATE ROLE facts_owner; CREATE ROLE facts_reader; \
             ALTER TABLE orders OWNER TO facts_owner; GRANT SELECT ON orders TO facts_reader; \
             GRANT UPDATE (note) ON orders TO facts_reader; \
             ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO facts_reader; \
             ALTER DATABASE \"{source}\" SET work_mem = '7MB'; \
             ALTER ROLE facts_reader IN DATABASE \"{source}\" SET search_path = 'x'; \
             COMMENT ON DATABASE \"{source}\" IS 'it''s'; \
             GRANT CONNECT ON DATABASE \"{source}\" TO facts_reader;"
        ),
    );
    let (_place, sidecar, _) = back_up(&server.connection(&source), Format::Plain);
    let facts = &sidecar.source.document;
    assert_eq!(facts["same_snapshot"], true);
    assert_eq!(facts["database"]["encoding"], "UTF8");
    assert_eq!(facts["database"]["comment"], "it's");
    assert!(facts["database"]["acl"].to_string().contains("facts_reader=c/postgres"));
    let settings = facts["settings"].to_string();
    assert!(settings.contains("work_mem=7MB") && settings.contains("search_path=x"), "{settings}");
    let objects = facts["objects"].as_array().expect("a list");
    let orders = objects.iter().find(|o| o["type"] == "table" && o["identity"] == "public.orders");
    let orders = orders.expect("the table is listed");
    assert_eq!(orders["owner"], "facts_owner");
    assert!(orders["acl"].to_string().contains("facts_reader=r/facts_owner"));
    for kind in
        ["schema", "sequence", "view", "materialized view", "function", "type", "large object"]
    {
        assert!(objects.iter().any(|o| o["type"] == kind), "{kind}");
    }
    assert!(facts["columns"].to_string().contains("facts_reader=w/facts_owner"));
    assert!(facts["default_acls"].to_string().contains("facts_reader=r/postgres"));
    let extensions = facts["extensions"].as_array().expect("a list");
    assert!(extensions.iter().any(|e| e["name"] == "hstore"));
    let roles = facts["roles"].as_array().expect("a list");
    for role in ["facts_owner", "facts_reader", "postgres"] {
        assert!(roles.iter().any(|r| r["name"] == role), "{role}");
    }
}

#[test]
fn a_role_with_a_single_session_makes_a_backup_too() {
    let server = shared();
    let database = server.database("single");
    server.sql(
        &database,
        "CREATE ROLE single LOGIN PASSWORD 'x' CONNECTION LIMIT 1 IN ROLE pg_read_all_data; \
         CREATE TABLE t (a int)",
    );
    let mut postgres = server.postgres(&database);
    (postgres.user, postgres.password) = ("single".to_owned(), Some(Secret::new("x")));
    let (_place, sidecar, _) = back_up(&Connection::Postgres(postgres), Format::Plain);
    assert_eq!(sidecar.source.document["same_snapshot"], false);
    assert_eq!(sidecar.tables.len(), 1);
}

#[test]
fn an_empty_database_is_a_backup_too() {
    let server = shared();
    let source = server.database("empty");
    let (place, sidecar, _) = back_up(&server.connection(&source), Format::Plain);
    assert!(sidecar.tables.is_empty());
    let target = restore_plain(server, &gunzip(&place.path(&sidecar)));
    assert_eq!(server.dump(&source), server.dump(&target));
    let (_place, sidecar, _) = back_up(&server.connection(&source), Format::Custom);
    assert!(sidecar.tables.is_empty());
}

#[test]
fn three_thousand_tables_are_looked_at_and_dumped_in_bounded_time() {
    let server = shared();
    let source = server.database("many");
    server.sql(
        &source,
        "DO $$ BEGIN FOR i IN 1..3000 LOOP \
         EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, v text)', i); END LOOP; END $$; \
         INSERT INTO t17 SELECT i, 'x' FROM generate_series(1, 100) i;",
    );
    let place = Place::new();
    let begin = Instant::now();
    let preflight =
        check(&server.connection(&source), clients(), &place.folder, 0, &Control::new());
    let preflight = preflight.expect("it can be looked at");
    let looked = begin.elapsed();
    assert_eq!(preflight.tables, 3000);
    assert!(preflight.is_clear(), "{:?}", preflight.problems);
    let begin = Instant::now();
    let (_place, sidecar, _) = back_up(&server.connection(&source), Format::Plain);
    let dumped = begin.elapsed();
    assert_eq!(sidecar.tables.len(), 3000);
    assert_eq!(sidecar.tables.iter().map(|t| t.rows).sum::<u64>(), 100);
    assert!(looked < Duration::from_secs(10) && dumped < Duration::from_mins(1));
}
