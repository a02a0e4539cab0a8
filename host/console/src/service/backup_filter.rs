//! What may be asked of the list of backups.

use cofferdam_catalog::{BackupFilter, BackupSort, Direction};
use cofferdam_model::{DatabaseId, Slug};

use super::{Error, FieldError, Result};
use crate::dto;

/// The longest page of the list.
const PAGE_MAX: u32 = 200;
/// The longest text to search for, in characters.
const SEARCH_MAX: usize = 200;
/// The longest other filter, in bytes: all statuses fit, and every short name.
const FILTER_MAX: usize = 100;

/// Reads what was asked of the list.
pub fn filter(query: &dto::BackupQuery) -> Result<BackupFilter> {
    fn parse<T: std::str::FromStr<Err: ToString>>(field: &'static str, text: &str) -> Result<T> {
        text.trim().parse().map_err(|error: T::Err| Error::field(field, error.to_string()))
    }
    let text = |it: &Option<String>| {
        it.as_deref().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned)
    };
    check_lengths(query)?;
    let mut filter = BackupFilter {
        text: text(&query.q),
        limit: query.limit.unwrap_or(50),
        offset: query.offset.unwrap_or(0),
        ..BackupFilter::default()
    };
    if !(1..=PAGE_MAX).contains(&filter.limit) {
        return Err(Error::field("limit", format!("a whole number from 1 to {PAGE_MAX}")));
    }
    if filter.offset > i64::MAX as u64 {
        return Err(Error::field("offset", "this is too far"));
    }
    if let Some(list) = text(&query.status) {
        filter.status = list.split(',').map(|word| parse("status", word)).collect::<Result<_>>()?;
    }
    if let Some(key) = text(&query.database) {
        match key.parse::<DatabaseId>() {
            Ok(id) => filter.database_id = Some(id),
            Err(_) => filter.database = Some(parse::<Slug>("database", &key)?),
        }
    }
    if let Some(word) = text(&query.trigger) {
        filter.trigger = Some(parse("trigger", &word)?);
    }
    filter.sort = match query.sort.as_deref() {
        None | Some("" | "created") => BackupSort::Created,
        Some("size") => BackupSort::Size,
        Some("duration") => BackupSort::Duration,
        Some("database") => BackupSort::Database,
        Some(_) => return Err(Error::field("sort", "one of created, size, duration, database")),
    };
    filter.direction = match query.dir.as_deref() {
        None | Some("" | "desc") => Direction::Descending,
        Some("asc") => Direction::Ascending,
        Some(_) => return Err(Error::field("dir", "asc or desc")),
    };
    Ok(filter)
}

/// No filter needs more than this; a longer one is not looked at.
fn check_lengths(query: &dto::BackupQuery) -> Result<()> {
    let mut wrong = Vec::new();
    let mut at_most =
        |field: &'static str, text: &Option<String>, fits: fn(&str) -> bool, limit: usize| {
            if text.as_deref().is_some_and(|text| !fits(text)) {
                let message = format!("at most {limit} characters");
                wrong.push(FieldError::new(field, message));
            }
        };
    at_most("q", &query.q, |text| text.chars().count() <= SEARCH_MAX, SEARCH_MAX);
    for (field, text) in [
        ("status", &query.status),
        ("database", &query.database),
        ("trigger", &query.trigger),
        ("sort", &query.sort),
        ("dir", &query.dir),
    ] {
        at_most(field, text, |text| text.len() <= FILTER_MAX, FILTER_MAX);
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}
