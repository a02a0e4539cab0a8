//! The rows of one table as INSERT statements.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::types::ValueRef;

use crate::{
    DumpError, DumpObserver, Snapshot, literal,
    schema::{Shape, list},
    sink::Sink,
    snapshot::Encoding,
    statement::{by_lines, quoted},
};

/// A statement takes up no further row from this length on. Longer ones are
/// not restored any faster.
const STATEMENT: u64 = 64 * 1024;

/// The longest statement SQLite takes unless it was built otherwise, less a
/// little for what surrounds the values.
const LONGEST_STATEMENT: u64 = 1_000_000_000 - 4096;

/// Rows between two questions whether to go on; bytes between two of them.
const ROWS_PER_QUESTION: u64 = 1024;
const BYTES_PER_QUESTION: u64 = 256 * 1024;

/// Who may end a dump early.
pub(crate) struct Listeners<'a> {
    pub(crate) observer: &'a mut dyn DumpObserver,
    pub(crate) damaged: &'a AtomicBool,
}

impl Listeners<'_> {
    pub(crate) fn keep_going(&mut self) -> Result<(), DumpError> {
        if self.observer.keep_going() && !self.damaged.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(DumpError::Cancelled)
        }
    }
}

/// Writes all rows of a table, and gives their number.
///
/// Rows come in the order of their rowids. As long as these are 1, 2, 3, …
/// the restoring database numbers them in the same way by itself; from the
/// first one that differs, they are written out.
pub(crate) fn write_rows(
    snapshot: &Snapshot,
    table: &str,
    shape: &Shape,
    sink: &mut Sink<'_>,
    listeners: &mut Listeners<'_>,
) -> Result<u64, DumpError> {
    let encoding = snapshot.settings.encoding;
    let failed = |e| snapshot.failed(e);
    let select = select(table, shape, encoding);
    let mut statement = snapshot.connection.prepare(&select).map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let first = usize::from(shape.rowid.is_some());

    let mut written = Statements { table, shape, with_rowid: false, start: None };
    let mut count = 0_u64;
    let mut questioned_at = sink.offset();
    while let Some(row) = rows.next().map_err(failed)? {
        count += 1;
        let rowid = match shape.rowid {
            Some(_) => Some(row.get::<_, i64>(0).map_err(failed)?),
            None => None,
        };
        if let Some(rowid) = rowid
            && !written.with_rowid
            && u64::try_from(rowid) != Ok(count)
        {
            written.end(sink);
            written.with_rowid = true;
        }
        written.begin_row(sink);
        let mut separator = false;
        if let (Some(rowid), true) = (rowid, written.with_rowid) {
            literal::write_integer(sink.buffer(), rowid);
            separator = true;
        }
        for column in 0..shape.columns.len() {
            if separator {
                sink.buffer().push(b',');
            }
            separator = true;
            if encoding == Encoding::Utf8 {
                literal::write(sink, row.get_ref(first + column).map_err(failed)?)?;
                continue;
            }
            // Each column comes twice, the second time as the text's bytes.
            let value = row.get_ref(first + 2 * column).map_err(failed)?;
            match row.get_ref(first + 2 * column + 1).map_err(failed)? {
                ValueRef::Blob(bytes) => literal::write_utf16(sink, bytes, encoding)?,
                _ => literal::write(sink, value)?,
            }
        }
        written.end_row(sink)?;
        let due = questioned_at + BYTES_PER_QUESTION <= sink.offset();
        if due || count.is_multiple_of(ROWS_PER_QUESTION) {
            questioned_at = sink.offset();
            listeners.keep_going()?;
        }
    }
    written.end(sink);
    sink.relieve()?;
    Ok(count)
}

/// `NOT INDEXED` keeps the order: an index that covers all columns would be
/// read instead of the table.
fn select(table: &str, shape: &Shape, encoding: Encoding) -> String {
    let mut columns: Vec<String> = shape.rowid.map(str::to_owned).into_iter().collect();
    for column in &shape.columns {
        let column = quoted(column);
        if encoding == Encoding::Utf8 {
            columns.push(column);
        } else {
            let bytes =
                format!("CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) END");
            columns.extend([column, bytes]);
        }
    }
    let order = shape.rowid.map(|rowid| format!(" ORDER BY {rowid}")).unwrap_or_default();
    format!("SELECT {} FROM main.{} NOT INDEXED{order}", columns.join(","), quoted(table))
}

/// Puts rows together into statements of bounded length.
struct Statements<'a> {
    table: &'a str,
    shape: &'a Shape,
    with_rowid: bool,
    /// Where the open statement began.
    start: Option<u64>,
}

impl Statements<'_> {
    fn begin_row(&mut self, sink: &mut Sink<'_>) {
        if self.start.is_some() {
            sink.buffer().extend_from_slice(b",\n(");
            return;
        }
        self.start = Some(sink.offset());
        let head =
            format!("INSERT INTO {}{} VALUES\n(", quoted(&by_lines(self.table)), self.names());
        sink.buffer().extend_from_slice(head.as_bytes());
    }

    fn end_row(&mut self, sink: &mut Sink<'_>) -> Result<(), DumpError> {
        sink.buffer().push(b')');
        sink.relieve()?;
        let length = self.start.map_or(0, |start| sink.offset() - start);
        if length > LONGEST_STATEMENT {
            return Err(DumpError::RowTooLarge { table: self.table.to_owned() });
        }
        if length >= STATEMENT {
            self.end(sink);
        }
        Ok(())
    }

    fn end(&mut self, sink: &mut Sink<'_>) {
        if self.start.take().is_some() {
            sink.buffer().extend_from_slice(b";\n");
        }
    }

    fn names(&self) -> String {
        let columns: Vec<String> = self.shape.columns.iter().map(|name| by_lines(name)).collect();
        match self.shape.rowid {
            Some(rowid) if self.with_rowid => format!("({rowid},{})", list(&columns)),
            _ if self.shape.names_columns => format!("({})", list(&columns)),
            _ => String::new(),
        }
    }
}
