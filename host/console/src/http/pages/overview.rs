//! `/`

use actix_web::{HttpRequest, HttpResponse, web};
use cofferdam_catalog::BackupFilter;
use cofferdam_model::{BackupStatus, FileState};
use cofferdam_views::{
    Nav,
    pages::overview::{self, OverviewPage, Stats},
};

use super::common::{cards, generate_for, items};
use crate::{
    app::App,
    http::chrome::{self, html},
    service::{Result, backups, files},
};

/// `GET /`
pub async fn show(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse> {
    let databases = cards(&app).await?;
    let active = BackupFilter {
        status: vec![BackupStatus::Pending, BackupStatus::Running],
        limit: 20,
        ..BackupFilter::default()
    };
    let newest = BackupFilter { limit: 5, ..BackupFilter::default() };
    let running = items(&app, backups::list(&app, &active).await?.backups).await?;
    let recent = items(&app, backups::list(&app, &newest).await?.backups).await?;
    let stats = app.catalog.backup_stats(app.now()).await?;
    let page = OverviewPage {
        generate: generate_for(&app, databases.iter().map(|card| &card.database), None).await?,
        running,
        recent,
        own_catalog: databases
            .iter()
            .find(|card| files::is_own(&app, &card.database))
            .map(|card| card.database.id),
        damaged: damaged(&app).await?,
        stats: Stats {
            total: stats.completed,
            total_bytes: stats.total_bytes,
            succeeded_30d: stats.completed_recently,
            failed_30d: stats.failed_recently,
            free_bytes: files::free_bytes(&app).await,
        },
        databases,
    };
    Ok(html(overview::page(&chrome::of(&request, Some(Nav::Overview)), &page)))
}

async fn damaged(app: &App) -> Result<Vec<cofferdam_model::Backup>> {
    let mut found = app.catalog.damaged(20).await?;
    found.retain(|backup| backup.file_state != Some(FileState::Present));
    Ok(found)
}
