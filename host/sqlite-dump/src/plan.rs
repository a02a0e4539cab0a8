//! What a dump writes, and in which order, decided before its first line.

use crate::{
    DumpError,
    schema::{Object, ObjectKind},
    statement::{Executable, executable, has_word},
};

/// An object and the statement that makes it.
pub(crate) struct Made<'a> {
    pub(crate) object: &'a Object,
    pub(crate) statement: Executable,
}

impl Made<'_> {
    /// Whether the schema has to be put right to be as it was.
    pub(crate) fn needs_correction(&self) -> bool {
        !self.statement.exact || has_altered_name(self.object)
    }
}

/// How SQLite's own statistics tables come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistics {
    /// There are none.
    None,
    /// `ANALYZE` makes `sqlite_stat1`, whatever the restoring SQLite is.
    Analyze,
    /// Not every build of the library has `sqlite_stat4`: it is made by its statement,
    /// which needs leave to write the schema.
    Create,
}

/// The objects by the order in which they are written.
pub(crate) struct Plan<'a> {
    pub(crate) tables: Vec<Made<'a>>,
    pub(crate) sequence: Option<Made<'a>>,
    /// Whether making the tables makes `sqlite_sequence` too.
    pub(crate) sequence_comes_by_itself: bool,
    pub(crate) indexes: Vec<Made<'a>>,
    pub(crate) statistics: Vec<Made<'a>>,
    pub(crate) views: Vec<Made<'a>>,
    pub(crate) triggers: Vec<Made<'a>>,
    pub(crate) virtual_tables: Vec<&'a Object>,
    /// Indexes without a text whose name a restore by lines changes.
    pub(crate) renamed: Vec<&'a Object>,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(objects: &'a [Object]) -> Result<Self, DumpError> {
        let mut plan = Self {
            tables: Vec::new(),
            sequence: None,
            sequence_comes_by_itself: false,
            indexes: Vec::new(),
            statistics: Vec::new(),
            views: Vec::new(),
            triggers: Vec::new(),
            virtual_tables: Vec::new(),
            renamed: Vec::new(),
        };
        for object in objects {
            plan.add(object)?;
        }
        Ok(plan)
    }

    fn add(&mut self, object: &'a Object) -> Result<(), DumpError> {
        if object.is_virtual {
            made(object, &["CREATE VIRTUAL TABLE "])?;
            self.virtual_tables.push(object);
            return Ok(());
        }
        match object.kind {
            ObjectKind::Table => {
                let table = made(object, &["CREATE TABLE "])?;
                if object.is_sequence() {
                    self.sequence = Some(table);
                } else if object.is_internal() {
                    self.statistics.push(table);
                } else {
                    self.sequence_comes_by_itself |=
                        object.sql.as_deref().is_some_and(|sql| has_word(sql, "AUTOINCREMENT"));
                    self.tables.push(table);
                }
            }
            ObjectKind::Index if object.sql.is_none() => {
                if has_altered_name(object) {
                    self.renamed.push(object);
                }
            }
            ObjectKind::Index => {
                self.indexes.push(made(object, &["CREATE INDEX ", "CREATE UNIQUE INDEX "])?);
            }
            ObjectKind::View => self.views.push(made(object, &["CREATE VIEW "])?),
            ObjectKind::Trigger => self.triggers.push(made(object, &["CREATE TRIGGER "])?),
        }
        Ok(())
    }

    pub(crate) fn statistics_by(&self) -> Statistics {
        match self.statistics.as_slice() {
            [] => Statistics::None,
            [one] if one.object.name == "sqlite_stat1" => Statistics::Analyze,
            _ => Statistics::Create,
        }
    }

    /// Everything that is made by a statement.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Made<'a>> {
        self.tables.iter().chain(&self.indexes).chain(&self.views).chain(&self.triggers)
    }

    /// Whether the restoring SQLite must let a script write the schema.
    pub(crate) fn edits_schema(&self) -> bool {
        !self.virtual_tables.is_empty()
            || !self.renamed.is_empty()
            || self.statistics_by() == Statistics::Create
            || (self.sequence.is_some() && !self.sequence_comes_by_itself)
            || self.all().any(Made::needs_correction)
    }
}

/// Whether a restore by lines cannot keep the object's names.
fn has_altered_name(object: &Object) -> bool {
    object.name.contains("\r\n") || object.table.contains("\r\n")
}

fn made<'a>(object: &'a Object, stored_as: &[&str]) -> Result<Made<'a>, DumpError> {
    let statement = object.sql.as_deref().and_then(|sql| executable(sql, stored_as));
    statement.map(|statement| Made { object, statement }).ok_or_else(|| DumpError::Corrupt {
        detail: format!(
            "the schema's text for the {} {:?} is not a CREATE statement",
            object.kind.as_str(),
            object.name
        ),
    })
}
