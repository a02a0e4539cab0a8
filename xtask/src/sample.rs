//! The sample shop: customers, products, orders with JSON, order lines,
//! random blobs, views, triggers.

use anyhow::{Context as _, Result};

use crate::postgres::Cluster;

const SCHEMA: &str = include_str!("sample/schema.sql");
const ROWS: &str = include_str!("sample/rows.sql");
const RULES: &str = include_str!("sample/rules.sql");

/// The role that owns the shop. It may make databases, and nothing else that
/// an ordinary role may not.
pub const OWNER: &str = "shop";

/// The shop's database.
pub const DATABASE: &str = "shop";

/// Makes the shop in an existing, empty database.
pub fn fill(cluster: &Cluster, database: &str, orders: u64) -> Result<()> {
    let orders = orders.to_string();
    let sql = [SCHEMA, ROWS, RULES].concat();
    cluster
        .psql_with(database, &[("orders", &orders)], &sql)
        .with_context(|| format!("filling the database {database}"))?;
    Ok(())
}

/// Makes the shop's database and its owner, whose password is the server's.
/// Whether anything was made: false where it is there already.
pub fn create(cluster: &Cluster, orders: u64) -> Result<bool> {
    let found = cluster.psql_with(
        "postgres",
        &[("name", DATABASE)],
        "SELECT count(*) FROM pg_database WHERE datname = :'name';",
    )?;
    if found == "1" {
        return Ok(false);
    }
    // Under another name until it is whole, so that an interrupted start is not taken for a shop.
    let unfinished = format!("{DATABASE}_unfinished");
    cluster.psql_with(
        "postgres",
        &[("name", &unfinished), ("owner", OWNER), ("password", cluster.password())],
        "SELECT format('CREATE ROLE %I LOGIN CREATEDB', :'owner')
         WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \\gexec
         ALTER ROLE :\"owner\" PASSWORD :'password';
         DROP DATABASE IF EXISTS :\"name\";
         CREATE DATABASE :\"name\" OWNER :\"owner\" TEMPLATE template0;",
    )?;
    cluster.psql(&unfinished, &format!("ALTER SCHEMA public OWNER TO {OWNER};"))?;
    let sql = format!("SET ROLE {OWNER};\n");
    let orders = orders.to_string();
    cluster.psql_with(
        &unfinished,
        &[("orders", &orders)],
        &[&sql, SCHEMA, ROWS, RULES].concat(),
    )?;
    cluster.psql("postgres", &format!("ALTER DATABASE {unfinished} RENAME TO {DATABASE};"))?;
    Ok(true)
}
