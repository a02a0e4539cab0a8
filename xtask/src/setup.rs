//! What must be there before anything runs, found by looking and installed
//! where it is missing. When nothing is missing nothing is asked of the
//! network, and it takes some milliseconds.

use anyhow::Result;
use xtask::postgres::Programs;

use crate::{
    apt, deny, npm, plugins,
    report::{installed, say, step},
    servers, wit,
};

/// Something a program of ours calls, and the Debian packages that bring it.
struct Need {
    packages: &'static [&'static str],
    missing: fn() -> bool,
}

const COMPILER: Need = Need { packages: &["gcc", "libc6-dev"], missing: || !installed("cc") };
const POSTGRES: Need = Need {
    packages: &["postgresql-15", "postgresql-client-15"],
    missing: || Programs::find().is_none(),
};
/// The tests see what the console says where nothing is wrong: a client with known
/// holes, which an image may have brought, is told of, so it is brought up to date.
const CURRENT_POSTGRES: Need = Need {
    packages: POSTGRES.packages,
    missing: || Programs::find().is_some_and(|it| is_outdated(&it)),
};
const SQLITE: Need = Need { packages: &["sqlite3"], missing: || !installed("sqlite3") };
const GZIP: Need = Need { packages: &["gzip"], missing: || !installed("gzip") };
const PIGZ: Need = Need { packages: &["pigz"], missing: || !installed("pigz") };
const ZSTD: Need = Need { packages: &["zstd"], missing: || !installed("zstd") };
const CURL: Need = Need { packages: &["curl"], missing: || !installed("curl") };
const RCLONE: Need = Need { packages: &["rclone"], missing: || !installed("rclone") };
/// The tests make certificates with it.
const OPENSSL: Need = Need { packages: &["openssl"], missing: || !installed("openssl") };
/// The tests give programs a terminal with it.
const TERMINAL: Need = Need { packages: &["bsdutils"], missing: || !installed("script") };
const BROWSER: Need = Need {
    packages: &["chromium", "chromium-driver"],
    missing: || !installed("chromium") || !installed("chromedriver"),
};
/// Some of the tests' servers are Python's.
const PYTHON: Need =
    Need { packages: &["python3", "python3-venv"], missing: servers::lacks_python };
/// Without npm's assets already there: npm is needed to fetch them.
const NPM: Need =
    Need { packages: &["nodejs", "npm"], missing: || npm::is_needed() && !installed("npm") };

/// Whether Debian's PostgreSQL 15 is older than the first one that is no longer
/// warned of; see `host/backup/src/clients/version.rs`.
fn is_outdated(programs: &Programs) -> bool {
    let minor = |version: String| -> Option<u32> {
        let (_, minor) = version.split_once("PostgreSQL 15.")?;
        minor.split_whitespace().next()?.parse().ok()
    };
    programs.version().ok().and_then(minor).is_some_and(|minor| minor < 20)
}

fn packages(needs: &[Need]) -> Vec<&'static str> {
    needs.iter().filter(|need| (need.missing)()).flat_map(|need| need.packages).copied().collect()
}

/// For `run`: the build must work; a PostgreSQL is welcome but not needed.
pub(crate) fn for_run(wants_postgres: bool) -> Result<()> {
    let start = std::time::Instant::now();
    apt::install(&packages(&[COMPILER, NPM]))?;
    if wants_postgres && let Err(error) = apt::install(&packages(&[POSTGRES])) {
        say(format_args!("PostgreSQL is not there and could not be installed: {error:#}"));
    }
    npm::install()?;
    wit::place()?;
    plugins::build()?;
    say(format_args!("set-up: {:.1} s", start.elapsed().as_secs_f64()));
    Ok(())
}

/// For `test`: everything. Says how long it took.
pub(crate) fn for_tests() -> Result<()> {
    step("set-up", || {
        apt::install(&packages(&[
            COMPILER,
            POSTGRES,
            CURRENT_POSTGRES,
            SQLITE,
            OPENSSL,
            TERMINAL,
            GZIP,
            PIGZ,
            NPM,
            BROWSER,
            PYTHON,
        ]))?;
        deny::install()?;
        servers::install()?;
        npm::install()?;
        wit::place()?;
        plugins::build_all()
    })
}

/// For `bench delivery`: the peers it is measured against, and the service.
pub(crate) fn for_delivery_bench() -> Result<()> {
    step("set-up", || {
        apt::install(&packages(&[COMPILER, NPM, PYTHON, CURL, RCLONE, SQLITE]))?;
        servers::install()?;
        npm::install()?;
        wit::place()?;
        plugins::build()
    })
}

/// For `bench backup`: the peers it is measured against.
pub(crate) fn for_bench() -> Result<()> {
    step("set-up", || {
        apt::install(&packages(&[COMPILER, POSTGRES, GZIP, PIGZ, ZSTD, NPM]))?;
        npm::install()?;
        wit::place()?;
        plugins::build()
    })
}
