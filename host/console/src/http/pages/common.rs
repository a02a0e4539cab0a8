//! What several pages need.

use cofferdam_catalog::DatabaseOverview;
use cofferdam_model::{Backup, BackupStatus, Database};
use cofferdam_views::{BackupItem, DatabaseCard, DatabaseChoice, FieldErrors, GenerateForm, Point};

use crate::{
    app::App,
    service::{Error, FieldError, Result, backups},
};

/// How many past runs a small chart shows.
const HISTORY: u32 = 30;

/// A backup with its progress.
pub async fn item(app: &App, backup: Backup) -> Result<BackupItem> {
    let progress = backups::progress(app, &backup).await?;
    Ok(BackupItem { backup, progress })
}

/// Several of them.
pub async fn items(app: &App, list: Vec<Backup>) -> Result<Vec<BackupItem>> {
    let mut items = Vec::with_capacity(list.len());
    for backup in list {
        items.push(item(app, backup).await?);
    }
    Ok(items)
}

/// A database with what matters about its backups.
pub async fn card(app: &App, overview: DatabaseOverview) -> Result<DatabaseCard> {
    let id = overview.database.id;
    let last = match &overview.latest {
        Some(last) => match app.catalog.backup(last.id).await? {
            Some(backup) => Some(item(app, backup).await?),
            None => None,
        },
        None => None,
    };
    let last_good = match &overview.last_completed {
        Some(last) => app.catalog.backup(last.id).await?,
        None => None,
    };
    let series = app.catalog.series(id, HISTORY).await?;
    let total_bytes = overview.total_bytes;
    let history = series.into_iter().map(|it| Point {
        at: it.completed_at,
        bytes: it.size_bytes,
        millis: it.duration_ms,
        good: it.status == BackupStatus::Completed,
    });
    Ok(DatabaseCard {
        last,
        last_good,
        history: history.collect(),
        count: overview.completed,
        total_bytes,
        database: overview.database,
    })
}

/// All databases with what matters about their backups.
pub async fn cards(app: &App) -> Result<Vec<DatabaseCard>> {
    let mut cards = Vec::new();
    for overview in app.catalog.databases_overview().await? {
        cards.push(card(app, overview).await?);
    }
    Ok(cards)
}

/// One database's card.
pub async fn card_of(app: &App, database: &Database) -> Result<DatabaseCard> {
    let overview = app.catalog.databases_overview().await?;
    let own = overview.into_iter().find(|it| it.database.id == database.id);
    card(app, own.ok_or(Error::NotFound("database"))?).await
}

/// The form behind "Generate Backup", over these databases.
pub fn generate<'a>(databases: impl IntoIterator<Item = &'a Database>) -> GenerateForm {
    let choice =
        |it: &Database| DatabaseChoice { id: it.id, slug: it.slug.to_string(), engine: it.engine };
    GenerateForm::new(databases.into_iter().map(choice).collect())
}

/// Wrong fields as a form shows them. Any other error is passed on.
pub fn form_errors(error: Error) -> Result<FieldErrors> {
    let mut errors = FieldErrors::new();
    match error {
        Error::Invalid(fields) => {
            for FieldError { field, message } in fields {
                errors.add(field, message);
            }
        }
        Error::Conflict { .. } | Error::Failed(_) => errors.add_whole(error.to_string()),
        other => return Err(other),
    }
    Ok(errors)
}
