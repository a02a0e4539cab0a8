//! Numbers over everything.

use super::Result;
use crate::{app::App, dto};

/// How the console stands.
pub async fn status(app: &App) -> Result<dto::Status> {
    let stats = app.catalog.backup_stats(app.now()).await?;
    let declared = &app.config.declared;
    Ok(dto::Status {
        enabled: declared.enabled,
        backup_directory: app.config.backup_dir.display().to_string(),
        retention_days: declared.retention_days,
        max_backups: declared.max_backups,
        interval_hours: declared.interval_hours,
        total_backups: stats.total,
        last_success: stats.last_success.and_then(|it| it.completed_at),
        next_run: None,
        plugin_calls: app.plugins.live_calls(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// The numbers of all backups.
pub async fn stats(app: &App) -> Result<dto::Stats> {
    let stats = app.catalog.backup_stats(app.now()).await?;
    Ok(dto::Stats {
        total: stats.total,
        completed: stats.completed,
        failed: stats.failed,
        total_size_bytes: stats.total_bytes,
        success_rate: stats.success_rate,
        latest: stats.latest.map(|it| it.created_at),
        last_success: stats.last_success.and_then(|it| it.completed_at),
        retention_days: app.config.declared.retention_days,
        next_run: None,
    })
}
