//! What the scanner says of a dump.

use std::{
    io::{self, Read},
    ops::Range,
};

use cofferdam_model::TableFacts;

use super::{Lexer, Statement, Visit};

/// The last comment of a whole dump.
const TRAILER: &[u8] = b"-- PostgreSQL database dump complete";

/// What was found in a dump.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanReport {
    /// The tables whose data is in it, in its order. `offset` and `length`
    /// span the rows, without the COPY statement and without the end line.
    pub tables: Vec<TableFacts>,
    /// Where the last of the leading DROP statements (`--clean`) ends; `None`
    /// where there are none.
    pub drop_section_end: Option<u64>,
    /// The dump ends with the comment that `pg_dump` writes last.
    pub complete: bool,
    /// All of its bytes.
    pub raw_bytes: u64,
}

/// Scans a dump that is fed in blocks.
#[derive(Debug, Clone, Default)]
pub struct DumpScanner {
    lexer: Lexer,
    facts: Facts,
}

impl DumpScanner {
    /// A scanner at the beginning of a dump.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes. Where one block ends and the next begins does not matter.
    pub fn feed(&mut self, block: &[u8]) {
        self.lexer.feed(block, &mut self.facts);
    }

    /// What was found, the bytes so far being all there are.
    pub fn finish(self) -> ScanReport {
        ScanReport {
            complete: self.facts.trailer && self.lexer.at_rest(),
            raw_bytes: self.lexer.offset(),
            drop_section_end: self.facts.drops_end,
            tables: self.facts.tables,
        }
    }

    /// The table whose rows stream by now, as the dump writes its name.
    pub fn current_table(&self) -> Option<&str> {
        self.facts.current.as_deref()
    }

    /// Bytes of rows of that table so far; 0 between tables.
    pub fn current_table_bytes(&self) -> u64 {
        self.lexer.copied_bytes().unwrap_or(0)
    }

    /// Tables whose rows are through.
    pub fn tables_done(&self) -> u64 {
        self.facts.tables.len() as u64
    }
}

/// Scans an uncompressed dump to its end, say from a [`crate::gzip::Reader`].
pub fn scan(mut dump: impl Read) -> io::Result<ScanReport> {
    let mut scanner = DumpScanner::new();
    let mut block = vec![0; 256 << 10];
    loop {
        match dump.read(&mut block) {
            Ok(0) => return Ok(scanner.finish()),
            Ok(length) => scanner.feed(&block[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Facts {
    tables: Vec<TableFacts>,
    current: Option<String>,
    /// Where the last of the leading DROP statements ends.
    drops_end: Option<u64>,
    /// Past the place where DROP statements can stand.
    drops_over: bool,
    trailer: bool,
}

impl Facts {
    fn note_drop(&mut self, statement: &Statement, range: Range<u64>) {
        let is_drop = match statement.verb() {
            "drop" => true,
            "alter" => statement.has_drop(),
            "select" => memchr::memmem::find(statement.text(), b"lo_unlink(").is_some(),
            // A view that other views need is emptied instead of dropped; as the
            // first statement of all it would be something else.
            "create" => {
                self.drops_end.is_some()
                    && statement.starts_with(&["create", "or", "replace", "view"])
            }
            _ => false,
        };
        if is_drop {
            self.drops_end = Some(range.end);
        } else if !matches!(statement.verb(), "set" | "select") {
            self.drops_over = true;
        }
    }
}

impl Visit for Facts {
    fn statement_begins(&mut self, _: u64) {
        self.trailer = false;
    }

    fn statement(&mut self, statement: &Statement, range: Range<u64>) {
        if !self.drops_over {
            self.note_drop(statement, range);
        }
    }

    fn copy_begins(&mut self, table: String, _: u64) {
        self.current = Some(table);
    }

    fn copy_ends(&mut self, rows: u64, range: Range<u64>) {
        let name = self.current.take().unwrap_or_default();
        let length = range.end - range.start;
        self.tables.push(TableFacts { name, rows, offset: range.start, length });
    }

    fn comment(&mut self, text: &[u8]) {
        // Every object that is made is announced by such a comment, no DROP is.
        self.drops_over |=
            text.starts_with(b"-- Name: ") || text.starts_with(b"-- Data for Name: ");
        self.trailer |= text.trim_ascii_end() == TRAILER;
    }

    fn meta(&mut self, text: &[u8], _: Range<u64>) {
        self.trailer &= text.starts_with(b"\\unrestrict");
    }
}
