//! Who listens while a dump is written, and what is known at its end.

/// Hears how a dump proceeds. Offsets count the dump's bytes from its start,
/// whether or not they have reached the output yet. It is called by one
/// thread at a time, which need not always be the same.
pub trait DumpObserver: Send {
    /// The rows of a table begin at `offset`. Every ordinary table is named,
    /// those that keep a virtual table's content and SQLite's own among them;
    /// a virtual table itself has no rows of its own and is not.
    fn table_started(&mut self, name: &str, offset: u64) {
        let _ = (name, offset);
    }

    /// The rows of a table, exactly `rows` of them, end before `offset_end`.
    fn table_finished(&mut self, name: &str, rows: u64, offset_end: u64) {
        let _ = (name, rows, offset_end);
    }

    /// While the dump waits for the check of the file's structure: the check
    /// has gone on since the last call. Not called where it hangs.
    fn check_moved(&mut self) {}

    /// Asked between rows, at least once per few hundred KiB of output and at
    /// least once per table, and several times a second while the dump waits
    /// for the check; `false` ends the dump with [`crate::DumpError::Cancelled`].
    fn keep_going(&mut self) -> bool {
        true
    }
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl DumpObserver for Unobserved {}

/// What a whole dump holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DumpSummary {
    /// Its length in bytes.
    pub bytes: u64,
    /// Rows of all tables together.
    pub rows: u64,
    /// Tables that were reported to the observer.
    pub tables: u64,
    /// Whether restoring it needs SQLite's defensive mode to be off, because
    /// it carries virtual tables or schema texts that only a direct edit of
    /// the schema brings back exactly.
    pub edits_schema: bool,
}
