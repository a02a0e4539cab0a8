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

    /// An address with the superuser's password in it, as in `DATABASE_URL`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = self.password();
        format!("postgres://{}:{password}@127.0.0.1:{}/{database}", Cluster::SUPERUSER, self.port())
    }
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
        assert_eq!(cluster.dump("copy"), dump);
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
