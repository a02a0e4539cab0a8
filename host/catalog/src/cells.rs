//! Reading cells of a row into the types of the model. Whatever does not
//! convert is an error that names its table and column.

use std::{fmt::Display, str::FromStr};

use chrono::{DateTime, Utc};
use cofferdam_model::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Row as _, any::AnyRow};

use crate::{Error, Result};

/// A row together with the name of its table.
pub(crate) struct Cells<'r> {
    row: &'r AnyRow,
    table: &'static str,
}

impl<'r> Cells<'r> {
    pub(crate) fn new(table: &'static str, row: &'r AnyRow) -> Self {
        Self { row, table }
    }

    pub(crate) fn bad(&self, column: &'static str, reason: impl Display) -> Error {
        Error::Row { table: self.table, column, reason: reason.to_string() }
    }

    fn get<T>(&self, column: &'static str) -> Result<T>
    where
        T: for<'a> sqlx::Decode<'a, sqlx::Any> + sqlx::Type<sqlx::Any>,
    {
        self.row.try_get(column).map_err(|error| self.bad(column, error))
    }

    pub(crate) fn text(&self, column: &'static str) -> Result<String> {
        self.get(column)
    }

    pub(crate) fn opt_text(&self, column: &'static str) -> Result<Option<String>> {
        self.get(column)
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64> {
        self.get(column)
    }

    pub(crate) fn opt_int(&self, column: &'static str) -> Result<Option<i64>> {
        self.get(column)
    }

    pub(crate) fn opt_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>> {
        self.get(column)
    }

    pub(crate) fn bytes(&self, column: &'static str) -> Result<Vec<u8>> {
        self.get(column)
    }

    /// A count or a size.
    pub(crate) fn size(&self, column: &'static str) -> Result<u64> {
        u64::try_from(self.int(column)?).map_err(|error| self.bad(column, error))
    }

    pub(crate) fn opt_size(&self, column: &'static str) -> Result<Option<u64>> {
        let number = self.opt_int(column)?;
        number.map(u64::try_from).transpose().map_err(|error| self.bad(column, error))
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool> {
        match self.int(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.bad(column, format_args!("{other} is neither 0 nor 1"))),
        }
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp> {
        let ms = self.int(column)?;
        moment(ms).ok_or_else(|| self.bad(column, format_args!("{ms} ms is not a moment")))
    }

    pub(crate) fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>> {
        let Some(ms) = self.opt_int(column)? else { return Ok(None) };
        moment(ms)
            .map(Some)
            .ok_or_else(|| self.bad(column, format_args!("{ms} ms is not a moment")))
    }

    pub(crate) fn parse<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T> {
        self.text(column)?.parse().map_err(|error| self.bad(column, error))
    }

    pub(crate) fn opt_parse<T: FromStr<Err: Display>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>> {
        let text = self.opt_text(column)?;
        text.map(|text| text.parse()).transpose().map_err(|error| self.bad(column, error))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.bad(column, error))
    }
}

/// Milliseconds since 1970 as a moment, if it is one.
fn moment(ms: i64) -> Option<Timestamp> {
    DateTime::<Utc>::from_timestamp_millis(ms)
}

/// A moment as it is stored.
pub(crate) fn ms(at: Timestamp) -> i64 {
    at.timestamp_millis()
}

/// A size as it is stored. No file and no count comes near 2^63.
pub(crate) fn stored(size: u64) -> Result<i64> {
    i64::try_from(size).map_err(|_| Error::Conflict(format!("{size} is too large to record")))
}

/// A value as JSON text. The types given here have only string keys, so it does not fail.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| Error::Conflict(format!("cannot be written as JSON: {error}")))
}
