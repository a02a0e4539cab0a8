//! Whether the file is whole, shown before anything else is done with it.
//!
//! SQLite looks at a page only when a query comes by, so damage could lie in
//! wait behind a console that seems healthy. Reading all pages shows it at
//! once, but takes seconds where the file is large and the disk slow. So at
//! the start a small file is always read whole; a large one only after a stop
//! that was not clean, which is when pages get lost. A clean stop leaves no
//! write-ahead log behind; one that is there with something in it tells of a
//! crash, a power loss, or another process that has the catalog open. The last
//! of these holds a lock, showed the same when it started, and is not disturbed.
//!
//! A file that is none of SQLite's, or shorter than it says of itself, is
//! refused at every size. A byte that changed inside a value is never seen
//! here, because pages carry no checksums; the chain of the audit log shows it
//! for the log.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sqlx::{
    AnyConnection, ConnectOptions as _, Connection as _, Executor as _, any::AnyConnectOptions,
};

use crate::{Catalog, Error, Result};

/// Up to this size a file is read whole at every start: some 50 ms, and
/// some ten thousand backups.
const SMALL: u64 = 32 * 1024 * 1024;

impl Catalog {
    /// Reads the whole file and checks it, which takes about a second for each
    /// 300 MB. Opening does it where it is cheap or where there is a reason.
    pub async fn check_integrity(&self) -> Result<()> {
        check_pages(&mut *self.reader().await?).await
    }
}

/// Shows at the start that the file is whole, as far as that is cheap or
/// needed. [`Error::Damaged`] if it is not.
pub(crate) async fn at_start(connect: &AnyConnectOptions, path: &Path) -> Result<()> {
    if length(path) == 0 {
        return Ok(());
    }
    let log = length(&write_ahead_log(path));
    let mut conn = connect.connect().await?;
    // Not waiting: a catalog that somebody has open was looked at by them.
    conn.execute("PRAGMA busy_timeout=0; PRAGMA locking_mode=EXCLUSIVE;").await?;
    let found = async {
        // What is missing may still be in the log, if there is one.
        if log == 0 {
            check_length(&mut conn, path).await?;
        }
        if is_read_whole(length(path), log) { check_pages(&mut conn).await } else { Ok(()) }
    };
    let found = match found.await {
        Err(Error::Busy) => Ok(()),
        other => other,
    };
    // What the check found matters more than how the connection ends.
    let closed = conn.close().await;
    found?;
    Ok(closed?)
}

/// Of the file and of its write-ahead log, in bytes.
fn is_read_whole(file: u64, log: u64) -> bool {
    log > 0 || file <= SMALL
}

async fn check_pages(conn: &mut AnyConnection) -> Result<()> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(conn).await?;
    if found == "ok" { Ok(()) } else { Err(Error::Damaged(found)) }
}

/// SQLite refuses a file with too few pages by itself, but takes the end of
/// the last one for zeros where it is cut off.
async fn check_length(conn: &mut AnyConnection, path: &Path) -> Result<()> {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *conn).await?;
    let size: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(conn).await?;
    // Only now, because the queries took the lock under which it stays as it is.
    let file = length(path);
    let expected = u64::try_from(pages.saturating_mul(size)).unwrap_or(0);
    if file >= expected {
        return Ok(());
    }
    Err(Error::Damaged(format!("the file has {file} bytes and should have {expected}")))
}

fn write_ahead_log(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// 0 where there is no file; one that cannot be read fails when it is opened.
fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |meta| meta.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_read_whole_only_after_an_unclean_stop() {
        assert!(is_read_whole(SMALL, 0));
        assert!(!is_read_whole(SMALL + 1, 0));
        assert!(is_read_whole(SMALL + 1, 32));
        assert_eq!(write_ahead_log(Path::new("/a/b c.db")), Path::new("/a/b c.db-wal"));
    }
}
