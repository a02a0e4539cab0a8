//! The dump from its head to its trailer.

use std::{collections::HashMap, io::Write};

use rusqlite::types::ValueRef;

use crate::{
    DumpError, DumpObserver, DumpSummary, HEADER, Snapshot, TRAILER, literal,
    plan::{Made, Plan, Statistics},
    rows::{Listeners, write_rows},
    schema::{Listed, Object, ObjectKind, Shape},
    sink::Sink,
    statement::{by_lines, quoted},
};

impl Snapshot {
    /// Writes the dump, and checks the file's structure meanwhile.
    ///
    /// Memory is bounded by the largest row. The output is written in pieces
    /// of 256 KiB or more and flushed at the end.
    ///
    /// # Errors
    /// [`DumpError::Corrupt`] where the file is damaged, [`DumpError::Cancelled`]
    /// where the observer says so, [`DumpError::Write`] where the output fails,
    /// and what else reading can meet. The output is then not whole and has no
    /// trailer.
    pub fn dump(
        &self,
        out: &mut dyn Write,
        observer: &mut dyn DumpObserver,
    ) -> Result<DumpSummary, DumpError> {
        let mut sink = Sink::new(out);
        let mut summary = self.checked(observer, |listeners| {
            let objects = self.objects()?;
            let plan = Plan::new(&objects)?;
            let mut writer = Writer {
                snapshot: self,
                listed: self.table_kinds()?,
                sink: &mut sink,
                listeners,
                late_corrections: Vec::new(),
                rows: 0,
                tables: 0,
            };
            writer.write(&plan)?;
            let (rows, tables) = (writer.rows, writer.tables);
            Ok(DumpSummary { bytes: 0, rows, tables, edits_schema: plan.edits_schema() })
        })?;
        // The check may find damage after the last row has been written, so
        // the trailer waits for it.
        sink.text(&format!("{TRAILER}\n"))?;
        summary.bytes = sink.finish()?;
        Ok(summary)
    }
}

struct Writer<'a, 'o, 'l> {
    snapshot: &'a Snapshot,
    listed: HashMap<String, Listed>,
    sink: &'a mut Sink<'o>,
    listeners: &'a mut Listeners<'l>,
    /// Put right at the very end.
    late_corrections: Vec<&'a Object>,
    rows: u64,
    tables: u64,
}

impl<'a> Writer<'a, '_, '_> {
    fn write(&mut self, plan: &Plan<'a>) -> Result<(), DumpError> {
        self.head(plan.edits_schema())?;
        self.tables(plan)?;
        for table in &plan.tables {
            self.rows_of(table.object)?;
        }
        if let Some(sequence) = &plan.sequence {
            // Inserting rows has already made entries of its own.
            self.sink.text("DELETE FROM sqlite_sequence;\n")?;
            self.rows_of(sequence.object)?;
        }
        self.statements(&plan.indexes)?;
        self.statistics(plan)?;
        self.statements(&plan.views)?;
        self.statements(&plan.triggers)?;
        self.edits(plan)?;
        self.sink.text("COMMIT;\nPRAGMA ignore_check_constraints=OFF;\n")
    }

    fn head(&mut self, edits_schema: bool) -> Result<(), DumpError> {
        let settings = self.snapshot.settings;
        let version = Snapshot::version();
        let defensive = if edits_schema { " -cmd '.dbconfig defensive off'" } else { "" };
        self.sink.text(&format!(
            "{HEADER}\n\
             -- Written with SQLite {version}.\n\
             -- Restore into a new file: sqlite3 -bail{defensive} new.db < dump.sql\n\
             PRAGMA foreign_keys=OFF;\n\
             PRAGMA ignore_check_constraints=ON;\n"
        ))?;
        // These are fixed with the first table, and an empty file has none.
        if settings.page_count > 0 {
            self.sink.text(&format!(
                "PRAGMA page_size={};\nPRAGMA encoding='{}';\nPRAGMA auto_vacuum={};\n",
                settings.page_size,
                settings.encoding.as_str(),
                settings.auto_vacuum
            ))?;
        }
        self.sink.text("BEGIN TRANSACTION;\n")?;
        // Setting them, even to zero, also makes a file with these settings
        // where no table follows.
        if settings.page_count > 0 {
            self.sink.text(&format!(
                "PRAGMA user_version={};\nPRAGMA application_id={};\n",
                settings.user_version, settings.application_id
            ))?;
        }
        Ok(())
    }

    fn tables(&mut self, plan: &Plan<'a>) -> Result<(), DumpError> {
        if let (Some(sequence), false) = (&plan.sequence, plan.sequence_comes_by_itself) {
            self.sink.text("PRAGMA writable_schema=ON;\n")?;
            self.statement(sequence)?;
            self.sink.text("PRAGMA writable_schema=OFF;\n")?;
        }
        let mut corrected = false;
        for table in &plan.tables {
            self.statement(table)?;
            if !table.needs_correction() {
                continue;
            }
            if self.is_named_by_lines(table.object)? {
                self.late_corrections.push(table.object);
                continue;
            }
            // A generated column may compute with the text that was altered,
            // so it is put right before the first row.
            if !corrected {
                self.sink.text("PRAGMA writable_schema=ON;\n")?;
                corrected = true;
            }
            self.correct(table.object)?;
        }
        if corrected {
            self.sink.text("PRAGMA writable_schema=RESET;\n")?;
        }
        Ok(())
    }

    /// Whether names that the rows need are altered by a restore by lines:
    /// then they must stay altered until the rows are there.
    fn is_named_by_lines(&self, table: &Object) -> Result<bool, DumpError> {
        let columns = self.shape(table)?.columns;
        Ok(table.name.contains("\r\n") || columns.iter().any(|name| name.contains("\r\n")))
    }

    fn rows_of(&mut self, table: &Object) -> Result<(), DumpError> {
        self.listeners.keep_going()?;
        let shape = self.shape(table)?;
        self.listeners.observer.table_started(&table.name, self.sink.offset());
        let rows = write_rows(self.snapshot, &table.name, &shape, self.sink, self.listeners)?;
        self.listeners.observer.table_finished(&table.name, rows, self.sink.offset());
        self.rows += rows;
        self.tables += 1;
        Ok(())
    }

    fn shape(&self, table: &Object) -> Result<Shape, DumpError> {
        let Some(listed) = self.listed.get(&table.name) else {
            let detail = format!("the schema's text for the table {:?} makes another", table.name);
            return Err(DumpError::Corrupt { detail });
        };
        self.snapshot.shape(&table.name, listed.without_rowid)
    }

    fn statistics(&mut self, plan: &Plan<'a>) -> Result<(), DumpError> {
        match plan.statistics_by() {
            Statistics::None => return Ok(()),
            // Where the restoring SQLite makes more tables than there were,
            // they go again.
            Statistics::Analyze => {
                self.sink.text("ANALYZE sqlite_schema;\nDROP TABLE IF EXISTS sqlite_stat4;\n")?;
            }
            Statistics::Create => {
                self.sink.text("PRAGMA writable_schema=ON;\n")?;
                for table in &plan.statistics {
                    self.statement(table)?;
                }
                self.sink.text("PRAGMA writable_schema=OFF;\n")?;
            }
        }
        for table in &plan.statistics {
            self.rows_of(table.object)?;
        }
        Ok(())
    }

    fn statements(&mut self, all: &[Made<'a>]) -> Result<(), DumpError> {
        for made in all {
            self.statement(made)?;
            if made.needs_correction() {
                self.late_corrections.push(made.object);
            }
        }
        Ok(())
    }

    fn statement(&mut self, made: &Made<'a>) -> Result<(), DumpError> {
        self.sink.text(&made.statement.text)?;
        self.sink.text(";\n")
    }

    /// What only a direct edit of the schema brings back: virtual tables,
    /// whose own making would touch their content or need their module, and
    /// texts that were altered.
    fn edits(&mut self, plan: &Plan<'a>) -> Result<(), DumpError> {
        let late = std::mem::take(&mut self.late_corrections);
        if late.is_empty() && plan.virtual_tables.is_empty() && plan.renamed.is_empty() {
            return Ok(());
        }
        self.sink.text("PRAGMA writable_schema=ON;\n")?;
        for table in &plan.virtual_tables {
            self.sink.text(
                "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) VALUES('table',",
            )?;
            self.value(&table.name)?;
            self.sink.text(",")?;
            self.value(&table.table)?;
            self.sink.text(",0,")?;
            self.value(table.sql.as_deref().unwrap_or_default())?;
            self.sink.text(");\n")?;
        }
        for object in late.iter().chain(&plan.renamed) {
            self.correct(object)?;
        }
        self.sink.text("PRAGMA writable_schema=RESET;\n")?;
        // An expression may compute with the text that was altered.
        for index in late.iter().filter(|o| o.kind == ObjectKind::Index && !o.name.contains('\r')) {
            self.sink.text(&format!("REINDEX {};\n", quoted(&index.name)))?;
        }
        Ok(())
    }

    fn correct(&mut self, object: &Object) -> Result<(), DumpError> {
        self.sink.text("UPDATE sqlite_schema SET name=")?;
        self.value(&object.name)?;
        self.sink.text(",tbl_name=")?;
        self.value(&object.table)?;
        if let Some(sql) = &object.sql {
            self.sink.text(",sql=")?;
            self.value(sql)?;
        }
        self.sink.text(&format!(" WHERE type='{}' AND name=", object.kind.as_str()))?;
        self.value(&by_lines(&object.name))?;
        self.sink.text(";\n")
    }

    fn value(&mut self, text: &str) -> Result<(), DumpError> {
        literal::write(self.sink, ValueRef::Text(text.as_bytes()))
    }
}
