//! What several pages need.

use std::collections::HashMap;

use cofferdam_catalog::{BackupFilter, DatabaseOverview, LastBackup};
use cofferdam_model::{Backup, BackupStatus, Database};
use cofferdam_views::{
    BackupItem, DatabaseCard, DatabaseChoice, FieldErrors, GenerateForm, Point, schema::Tick,
};

use crate::{
    app::App,
    http::answer::sentence,
    service::{Error, FieldError, Result, backups, destinations},
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

/// These databases with what matters about their backups. However many they
/// are, the catalog is asked twice, and once more for each run of another process.
async fn cards_of(app: &App, overviews: Vec<DatabaseOverview>) -> Result<Vec<DatabaseCard>> {
    let databases: Vec<_> = overviews.iter().map(|it| it.database.id).collect();
    let mut series = app.catalog.series(&databases, HISTORY).await?;
    let named = overviews.iter().flat_map(|it| it.latest.iter().chain(&it.last_completed));
    let ids: Vec<_> = named.map(|last| last.id).collect();
    let backups = app.catalog.backups_by_id(&ids).await?;
    let backups: HashMap<_, _> = backups.into_iter().map(|it| (it.id, it)).collect();
    let find = |last: Option<LastBackup>| backups.get(&last?.id).cloned();
    let mut cards = Vec::with_capacity(overviews.len());
    for overview in overviews {
        let last = match find(overview.latest) {
            Some(backup) => Some(item(app, backup).await?),
            None => None,
        };
        let points = series.remove(&overview.database.id).unwrap_or_default();
        let history = points.into_iter().map(|it| Point {
            at: it.completed_at,
            bytes: it.size_bytes,
            millis: it.duration_ms,
            good: it.status == BackupStatus::Completed,
        });
        cards.push(DatabaseCard {
            last,
            last_good: find(overview.last_completed),
            history: history.collect(),
            count: overview.completed,
            total_bytes: overview.total_bytes,
            database: overview.database,
        });
    }
    Ok(cards)
}

/// All databases with what matters about their backups.
pub async fn cards(app: &App) -> Result<Vec<DatabaseCard>> {
    cards_of(app, app.catalog.databases_overview().await?).await
}

/// One database's card.
pub async fn card_of(app: &App, database: &Database) -> Result<DatabaseCard> {
    let mut overview = app.catalog.databases_overview().await?;
    overview.retain(|it| it.database.id == database.id);
    cards_of(app, overview).await?.pop().ok_or(Error::NotFound("database"))
}

/// The form behind "Generate Backup", over these databases. It goes to all
/// destinations that are switched on, unless somebody says otherwise.
pub async fn generate(
    app: &App,
    databases: impl IntoIterator<Item = &Database>,
) -> Result<GenerateForm> {
    let choice =
        |it: &Database| DatabaseChoice { id: it.id, slug: it.slug.to_string(), engine: it.engine };
    let mut form = GenerateForm::new(databases.into_iter().map(choice).collect());
    form.destinations = destination_ticks(app).await?;
    Ok(form)
}

/// The destinations that keep backups and are switched on, all ticked.
pub async fn destination_ticks(app: &App) -> Result<Vec<Tick>> {
    let destinations = destinations::list(app).await?;
    let open = destinations.iter().filter(|it| it.enabled && it.roles.storage);
    let tick = |name: String| Tick { text: name.clone(), label: name, on: true };
    Ok(open.map(|it| tick(it.name.to_string())).collect())
}

/// The same with a database chosen: the one that the page is about, else the
/// one that a backup was asked of last.
pub async fn generate_for<'a>(
    app: &App,
    databases: impl IntoIterator<Item = &'a Database>,
    about: Option<&str>,
) -> Result<GenerateForm> {
    let mut form = generate(app, databases).await?;
    form.database = if let Some(slug) = about.filter(|slug| !slug.is_empty()) {
        slug.to_owned()
    } else {
        let newest = BackupFilter { limit: 1, ..BackupFilter::default() };
        let newest = backups::list(app, &newest).await?.backups;
        newest.first().map_or_else(String::new, |backup| backup.database.to_string())
    };
    Ok(form)
}

/// Why something is not deleted, as a sentence for its page. Any other error is passed on.
pub fn refusal(error: Error) -> Result<String> {
    let text = sentence(&error);
    form_errors(error).map(|_| text)
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
