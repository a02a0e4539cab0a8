//! A PostgreSQL server for one test.

use std::{fs, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;
use xtask::postgres::{Cluster, Durability, Programs};

/// A real server in a temporary folder. It starts in about a second, flushes
/// nothing, and is gone with its data when dropped. A failing method panics;
/// those of [`TestCluster::server`] return errors.
#[derive(Debug)]
pub struct TestCluster {
    // Dropped in this order: the server before its folder.
    cluster: Cluster,
    _folder: TempDir,
}

impl TestCluster {
    /// Starts the newest PostgreSQL on this machine.
    ///
    /// # Panics
    /// When there is none, or it does not start.
    #[must_use]
    pub fn start() -> Self {
        let programs = Programs::find().expect("PostgreSQL is installed (cargo xtask setup)");
        let folder = tempfile::Builder::new().prefix("cofferdam-pg-").tempdir().expect("a folder");
        // Under root the server runs as another account, which must get through to its own folder.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("permissions");
        let cluster = Cluster::start(programs, &folder.path().join("pg"), Durability::None)
            .unwrap_or_else(|error| panic!("PostgreSQL does not start: {error:#}"));
        Self { cluster, _folder: folder }
    }

    /// The server itself, with methods that return errors.
    #[must_use]
    pub fn server(&self) -> &Cluster {
        &self.cluster
    }

    /// To stop it and start it again.
    pub fn server_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.cluster.port()
    }

    /// The password of `postgres`, the superuser.
    #[must_use]
    pub fn password(&self) -> &str {
        self.cluster.password()
    }

    /// Runs SQL. Rows as lines, columns separated by `|`.
    #[track_caller]
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.cluster.psql(database, sql).unwrap_or_else(|error| panic!("{sql}: {error:#}"))
    }

    /// Makes an empty database.
    #[track_caller]
    pub fn create_db(&self, name: &str) {
        self.cluster.create_db(name).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }

    /// Makes a database with the sample shop.
    #[track_caller]
    pub fn create_shop(&self, name: &str, orders: u64) {
        self.create_db(name);
        xtask::sample::fill(&self.cluster, name, orders)
            .unwrap_or_else(|e| panic!("{name}: {e:#}"));
    }

    /// The database as plain SQL, comparable with other dumps.
    #[track_caller]
    pub fn dump(&self, database: &str) -> String {
        self.cluster.dump(database).unwrap_or_else(|error| panic!("{database}: {error:#}"))
    }

    /// The database as plain SQL with the rows of each table in one fixed
    /// order: equal for equal content, wherever the server put the rows.
    #[must_use]
    #[track_caller]
    pub fn content(&self, database: &str) -> String {
        sorted_rows(&self.dump(database))
    }

    /// Holds that two databases have the same content, and shows the first
    /// line in which they differ if not.
    #[track_caller]
    pub fn assert_same(&self, left: &str, right: &str) {
        let (one, other) = (self.content(left), self.content(right));
        let mut lines = one.lines().zip(other.lines());
        if let Some((one, other)) = lines.find(|(one, other)| one != other) {
            panic!("{left} has:  {one:.200}\n{right} has: {other:.200}");
        }
        assert_eq!(one.len(), other.len(), "one of {left} and {right} goes on");
    }

    /// An address with the superuser's password in it, as in `DATABASE_URL`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = self.password();
        format!("postgres://{}:{password}@127.0.0.1:{}/{database}", Cluster::SUPERUSER, self.port())
    }
}

/// A dump with the lines of each COPY block sorted. The server fills free
/// room in earlier pages, so a reloaded table may give its rows in another
/// order than the one it was loaded in.
#[must_use]
pub fn sorted_rows(dump: &str) -> String {
    let mut result = String::with_capacity(dump.len());
    let mut rows: Option<Vec<&str>> = None;
    for line in dump.split_inclusive('\n') {
        match &mut rows {
            Some(waiting) if line == "\\.\n" => {
                waiting.sort_unstable();
                result.extend(waiting.drain(..));
                result.push_str(line);
                rows = None;
            }
            Some(waiting) => waiting.push(line),
            None => {
                result.push_str(line);
                if line.starts_with("COPY ") && line.ends_with(" FROM stdin;\n") {
                    rows = Some(vec![]);
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_survives_dump_and_reload_unchanged() {
        let cluster = TestCluster::start();
        cluster.create_shop("shop", 200);
        cluster.create_db("copy");
        let dump = cluster.dump("shop");
        cluster.psql("copy", &dump);
        cluster.assert_same("shop", "copy");
        assert_eq!(
            cluster.psql("copy", "SELECT count(*), sum(quantity) > 0 FROM order_lines;"),
            "600|t"
        );
    }

    #[test]
    fn a_server_stopped_at_once_comes_back_with_its_data() {
        let mut cluster = TestCluster::start();
        cluster.psql("postgres", "CREATE TABLE t AS SELECT 7 AS n;");
        cluster.server_mut().stop_immediately().expect("it stops");
        assert!(cluster.server().psql("postgres", "SELECT 1;").is_err());
        cluster.server_mut().start_again(Durability::None).expect("it starts");
        assert_eq!(cluster.psql("postgres", "SELECT n FROM t;"), "7");
    }
}
