//! What the database holds: its objects, and how the rows of each table are
//! read and written.

use std::collections::HashMap;

use rusqlite::{Row, types::ValueRef};

use crate::{DumpError, Snapshot, statement::quoted};

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// The application's own.
    Ordinary,
    /// It keeps the content of a virtual table.
    Shadow,
    /// A virtual table: no rows of its own, its content is in shadow tables
    /// or outside the database.
    Virtual,
    /// SQLite's own: `sqlite_sequence`, `sqlite_stat1`, `sqlite_stat4`.
    Internal,
}

/// A table, as [`Snapshot::tables`] lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TableKind,
    /// The rows it had when the application last ran `ANALYZE`, if ever.
    pub rows_estimate: Option<u64>,
}

/// The kinds of rows in `sqlite_schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Table,
    Index,
    View,
    Trigger,
}

impl ObjectKind {
    /// As `sqlite_schema` writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
        }
    }
}

/// A row of `sqlite_schema`.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) kind: ObjectKind,
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) is_virtual: bool,
    /// Nothing for the indexes that a constraint makes.
    pub(crate) sql: Option<String>,
}

impl Object {
    /// Whether SQLite made it for itself.
    pub(crate) fn is_internal(&self) -> bool {
        self.name.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("sqlite_"))
    }

    /// Whether it is the table behind `AUTOINCREMENT`.
    pub(crate) fn is_sequence(&self) -> bool {
        matches!(self.kind, ObjectKind::Table) && self.name.eq_ignore_ascii_case("sqlite_sequence")
    }
}

/// How the rows of one table are addressed.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The columns that a row is inserted with, generated ones left out.
    pub(crate) columns: Vec<String>,
    /// Whether columns were left out, so that an INSERT has to name the rest.
    pub(crate) names_columns: bool,
    /// The name by which the rowid can be read and set, where it is not a
    /// column of its own, and exists, and is not hidden behind columns.
    pub(crate) rowid: Option<&'static str>,
}

impl Snapshot {
    /// The tables, in the order in which they were made.
    ///
    /// # Errors
    /// [`DumpError::Corrupt`] and whatever else reading can meet.
    pub fn tables(&self) -> Result<Vec<TableInfo>, DumpError> {
        let kinds = self.table_kinds()?;
        let estimates = self.row_estimates();
        let tables = self.objects()?.into_iter().filter(|o| o.kind == ObjectKind::Table);
        Ok(tables
            .map(|object| TableInfo {
                kind: if object.is_internal() {
                    TableKind::Internal
                } else if object.is_virtual {
                    TableKind::Virtual
                } else {
                    kinds.get(&object.name).map_or(TableKind::Ordinary, |listed| listed.kind)
                },
                rows_estimate: estimates.get(&object.name).copied(),
                name: object.name,
            })
            .collect())
    }

    /// All of `sqlite_schema`, in its own order.
    pub(crate) fn objects(&self) -> Result<Vec<Object>, DumpError> {
        let select = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema ORDER BY rowid";
        let mut statement = self.connection.prepare(select).map_err(|e| self.failed(e))?;
        let mut rows = statement.query([]).map_err(|e| self.failed(e))?;
        let mut objects = Vec::new();
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            objects.push(object(row)?);
        }
        Ok(objects)
    }

    /// What SQLite itself says of its tables, by name.
    pub(crate) fn table_kinds(&self) -> Result<HashMap<String, Listed>, DumpError> {
        let select = "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main'";
        let mut statement = self.connection.prepare(select).map_err(|e| self.failed(e))?;
        let rows = statement.query_map([], |row| {
            let kind = match row.get_ref(1)?.as_str()? {
                "shadow" => TableKind::Shadow,
                "virtual" => TableKind::Virtual,
                _ => TableKind::Ordinary,
            };
            Ok((row.get(0)?, Listed { kind, without_rowid: row.get(2)? }))
        });
        rows.and_then(Iterator::collect).map_err(|e| self.failed(e))
    }

    /// How the rows of a table that is not virtual are read.
    pub(crate) fn shape(&self, table: &str, without_rowid: bool) -> Result<Shape, DumpError> {
        let select = "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1, 'main')";
        let mut statement = self.connection.prepare_cached(select).map_err(|e| self.failed(e))?;
        let columns: Vec<(String, String, i64, i64)> = statement
            .query_map([table], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))
            .and_then(Iterator::collect)
            .map_err(|e| self.failed(e))?;
        if columns.is_empty() {
            return Err(DumpError::Corrupt {
                detail: format!("the table {table:?} has no columns"),
            });
        }
        let taken = |alias: &str| columns.iter().any(|(name, ..)| name.eq_ignore_ascii_case(alias));
        let alias = ["rowid", "_rowid_", "oid"].into_iter().find(|alias| !taken(alias));
        let mut keys = columns.iter().filter(|(_, _, pk, _)| *pk > 0);
        let integer_key = matches!((keys.next(), keys.next()), (Some((_, declared, ..)), None)
            if declared.eq_ignore_ascii_case("INTEGER"));
        // A key with an index of its own is not the rowid, whatever its type.
        let rowid_is_column = integer_key && !self.has_key_index(table)?;
        let stored: Vec<String> = columns
            .iter()
            .filter(|(.., hidden)| *hidden == 0)
            .map(|(name, ..)| name.clone())
            .collect();
        Ok(Shape {
            names_columns: stored.len() != columns.len(),
            columns: stored,
            rowid: if without_rowid || rowid_is_column { None } else { alias },
        })
    }

    fn has_key_index(&self, table: &str) -> Result<bool, DumpError> {
        let select = "SELECT count(*) FROM pragma_index_list(?1, 'main') WHERE origin = 'pk'";
        let mut statement = self.connection.prepare_cached(select).map_err(|e| self.failed(e))?;
        let count: i64 = statement.query_row([table], |r| r.get(0)).map_err(|e| self.failed(e))?;
        Ok(count > 0)
    }

    /// From `sqlite_stat1`, whose rows begin with the table's row count. It
    /// is advice only, so a table that cannot be understood counts as none.
    fn row_estimates(&self) -> HashMap<String, u64> {
        let select = "SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl";
        let Ok(mut statement) = self.connection.prepare(select) else {
            return HashMap::new();
        };
        let rows = statement.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?)));
        let Ok(rows) = rows else {
            return HashMap::new();
        };
        rows.filter_map(Result::ok).map(|(name, rows)| (name, rows.unsigned_abs())).collect()
    }
}

/// A row of `pragma_table_list`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listed {
    pub(crate) kind: TableKind,
    pub(crate) without_rowid: bool,
}

fn object(row: &Row<'_>) -> Result<Object, DumpError> {
    let name = text(row, 1)?.unwrap_or_default();
    let kind = match text(row, 0)?.as_deref() {
        Some("table") => ObjectKind::Table,
        Some("index") => ObjectKind::Index,
        Some("view") => ObjectKind::View,
        Some("trigger") => ObjectKind::Trigger,
        _ => {
            let detail = format!("the schema has an entry {name:?} of no known kind");
            return Err(DumpError::Corrupt { detail });
        }
    };
    let root: Option<i64> = row.get(3).map_err(DumpError::Sqlite)?;
    Ok(Object {
        kind,
        table: text(row, 2)?.unwrap_or_default(),
        is_virtual: kind == ObjectKind::Table && root.unwrap_or(0) == 0,
        sql: text(row, 4)?,
        name,
    })
}

fn text(row: &Row<'_>, column: usize) -> Result<Option<String>, DumpError> {
    match row.get_ref(column).map_err(DumpError::Sqlite)? {
        ValueRef::Null => Ok(None),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => {
                Err(DumpError::UnreadableName { name: String::from_utf8_lossy(bytes).into() })
            }
        },
        _ => Err(DumpError::Corrupt {
            detail: "the schema has an entry that is not text".to_owned(),
        }),
    }
}

/// Column names for a statement: quoted, and separated by commas.
pub(crate) fn list(columns: &[String]) -> String {
    columns.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",")
}
