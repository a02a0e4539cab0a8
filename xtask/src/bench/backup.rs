//! A backup of the sample shop: Cofferdam against what people use instead.

use std::{fs, process::ExitCode};

use anyhow::{Context as _, Result};
use xtask::{
    postgres::{Cluster, Durability, Programs},
    sample,
};

use super::{
    console::Console,
    folder::Folder,
    machine,
    pipeline::{self, Measured},
    size::Size,
    table::Table,
};
use crate::{binary, report::step, setup};

/// The dump options of Cofferdam, given to the peers as well.
const PG_DUMP: &str = "pg_dump --no-owner --no-acl --clean --if-exists";

/// What one order takes in a plain dump, with all that hangs on it.
const BYTES_PER_ORDER: u64 = 482;

/// The peers: what the table calls them, and the shell's words. `$OUT` is the
/// file (or folder) to write.
fn peers() -> Vec<(&'static str, String)> {
    vec![
        ("pg_dump > /dev/null", format!("{PG_DUMP} > /dev/null")),
        ("pg_dump | gzip -6", format!("{PG_DUMP} | gzip -6 > $OUT")),
        ("pg_dump | pigz -6", format!("{PG_DUMP} | pigz -6 > $OUT")),
        ("pg_dump | zstd -3 -T2", format!("{PG_DUMP} | zstd -q -3 -T2 > $OUT")),
        ("pg_dump -Fc", format!("{PG_DUMP} -Fc -f $OUT")),
        ("pg_dump -Fd -j2", format!("{PG_DUMP} -Fd -j2 -f $OUT")),
    ]
}

/// Measures and prints.
pub(crate) fn bench(size: &Size) -> Result<ExitCode> {
    setup::for_bench()?;
    let program = size.program.clone().map_or_else(|| binary::build(true), Ok)?;
    let programs = Programs::find().context("PostgreSQL is needed for this benchmark")?;
    let version = programs.version()?;
    let folder = Folder::new()?;
    let cluster = step("starting PostgreSQL", || {
        Cluster::start(programs, &folder.path().join("postgres"), Durability::Normal)
    })?;
    step(&format!("making a shop of about {} MB", size.megabytes), || {
        sample::create(&cluster, size.megabytes * 1_000_000 / BYTES_PER_ORDER)?;
        // So that no dump has to set hint bits or meets a checkpoint.
        cluster.psql(sample::DATABASE, "VACUUM ANALYZE;")?;
        cluster.psql(sample::DATABASE, "CHECKPOINT;")
    })?;
    let stored = cluster
        .psql(sample::DATABASE, "SELECT pg_size_pretty(pg_database_size(current_database()));")?;

    let environment = cluster.environment(sample::DATABASE);
    let out = folder.path().join("out");
    let shell = |script: &str| pipeline::run(script, &out, &environment);
    // Once for the sizes, which also warms the cache for all of them.
    let plain = shell(&format!("{PG_DUMP} | tee >(gzip -9 > $OUT) | wc -c > $OUT.plain"))?;
    let plain_bytes: u64 = fs::read_to_string(out.with_extension("plain"))?.trim().parse()?;

    let mut console = Console::start(
        &program,
        &folder.path().join("console"),
        &[
            ("POSTGRES_HOST", "127.0.0.1"),
            ("POSTGRES_PORT", &cluster.port().to_string()),
            ("POSTGRES_DB", sample::DATABASE),
            ("POSTGRES_USER", sample::OWNER),
            ("POSTGRES_PASSWORD", cluster.password()),
        ],
    )?;
    let mut table = Table::default();
    for round in 1..=size.rounds {
        step(&format!("round {round} of {}", size.rounds), || {
            for (name, script) in peers() {
                table.add(name, shell(&script)?);
            }
            table.add(Console::NAME, console.backup(sample::DATABASE)?);
            Ok(())
        })?;
    }
    let memory = console.stop()?;
    println!("\nBackup, {} rounds, interleaved, medians", size.rounds);
    println!("{}", machine::describe(&version));
    println!("database {stored}, as plain SQL {:.1} MB\n", plain_bytes as f64 / 1e6);
    table.print("pg_dump > /dev/null");
    println!("\ngzip -9, once: {:.1} MB", plain.bytes as f64 / 1e6);
    println!("{}: peak memory (RssAnon) {:.1} MiB", Console::NAME, memory as f64 / 1024.0 / 1024.0);
    if let Some(inside) = Measured::median(console.inside()) {
        println!("{}: {inside:.2} s by its own record of the run", Console::NAME);
    }
    Ok(ExitCode::SUCCESS)
}
