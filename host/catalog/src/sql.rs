//! Statements put together at run time: fixed pieces of SQL, and values that
//! are only ever bound. Numbered placeholders serve both SQLite and PostgreSQL.

use std::fmt::Write as _;

use sqlx::{
    Any, AnyConnection, AssertSqlSafe,
    any::{AnyArguments, AnyRow},
    query::Query,
};

use crate::Result;

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Int(i64),
}

/// A statement in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statement {
    sql: String,
    values: Vec<Value>,
    conditions: usize,
}

impl Statement {
    pub(crate) fn new(sql: &'static str) -> Self {
        Self { sql: sql.to_owned(), ..Self::default() }
    }

    /// Adds a fixed piece.
    pub(crate) fn push(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Begins the next condition: `WHERE` before the first one, `AND` after it.
    pub(crate) fn condition(&mut self, sql: &'static str) -> &mut Self {
        self.sql.push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.conditions += 1;
        self.push(sql)
    }

    pub(crate) fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.value(Value::Text(text.into()))
    }

    pub(crate) fn int(&mut self, number: i64) -> &mut Self {
        self.value(Value::Int(number))
    }

    /// A parenthesised list of texts, for `IN`.
    pub(crate) fn texts<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>) -> &mut Self {
        let mut separator = "(";
        for text in texts {
            self.push(separator).text(text);
            separator = ", ";
        }
        self.push(")")
    }

    fn value(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        // Writing into a `String` does not fail.
        let _ = write!(self.sql, "${}", self.values.len());
        self
    }

    fn query(&self) -> Query<'_, Any, AnyArguments> {
        // Only `&'static str` pieces and placeholders are ever in `self.sql`.
        let query = sqlx::query(AssertSqlSafe(self.sql.clone()));
        self.values.iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text.clone()),
            Value::Int(number) => query.bind(*number),
        })
    }

    pub(crate) async fn all(&self, conn: &mut AnyConnection) -> Result<Vec<AnyRow>> {
        Ok(self.query().fetch_all(conn).await?)
    }

    pub(crate) async fn one(&self, conn: &mut AnyConnection) -> Result<AnyRow> {
        Ok(self.query().fetch_one(conn).await?)
    }

    /// The steps of SQLite's plan for it, in a new catalog.
    #[cfg(test)]
    pub(crate) async fn plan(mut self) -> Vec<String> {
        use sqlx::Row as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let catalog = crate::Catalog::open(path.to_str().unwrap()).await.unwrap();
        self.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
        let rows = self.all(&mut catalog.reader().await.unwrap()).await.unwrap();
        rows.iter().map(|row| row.get("detail")).collect()
    }
}

/// A text as a `LIKE` pattern that finds it anywhere, with `\` as the escape.
pub(crate) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
