//! `/backups`

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Body, query};
use crate::{
    app::App,
    dto::{Backup, BackupLog, BackupPage, BackupQuery, BackupState, Labels, NewBackup, Pin, Stats},
    http::{download, guard::Caller},
    service::{Error, Result, backups, deliveries, status},
};

/// Asks for a backup. With an `Idempotency-Key`, the same request sent again
/// within a day gives the same backup.
#[utoipa::path(
    post, path = "/api/v1/backups", tag = "backups", operation_id = "create_backup", request_body = NewBackup,
    params(("Idempotency-Key" = Option<String>, Header,)),
    responses((status = 202, body = Backup), (status = 409), (status = 422)),
)]
pub async fn create(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    Body(wish): Body<NewBackup>,
) -> Result<HttpResponse> {
    let key = match request.headers().get("idempotency-key") {
        Some(value) => Some(
            value
                .to_str()
                .map_err(|_| Error::BadRequest("the Idempotency-Key is not text".to_owned()))?,
        ),
        None => None,
    };
    let backup = backups::create(&app, &caller, &wish, caller.user.zip(key)).await?;
    Ok(HttpResponse::Accepted()
        .insert_header(("location", format!("/api/v1/backups/{}", backup.id)))
        .json(deliveries::with_backup(&app, &backup).await?))
}

/// A page of the list, newest first.
#[utoipa::path(
    get, path = "/api/v1/backups", tag = "backups", operation_id = "list_backups", params(BackupQuery),
    responses((status = 200, body = BackupPage), (status = 422)),
)]
pub async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse> {
    let filter = backups::filter(&query::<BackupQuery>(&request)?)?;
    let page = backups::list(&app, &filter).await?;
    Ok(HttpResponse::Ok().json(BackupPage {
        backups: deliveries::with_backups(&app, &page.backups).await?,
        total: page.total,
        limit: filter.limit,
        offset: filter.offset,
    }))
}

/// Numbers over all backups.
#[utoipa::path(get, path = "/api/v1/backups/stats", tag = "backups", operation_id = "get_backup_stats", responses((status = 200, body = Stats)))]
pub async fn stats(app: web::Data<App>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(status::stats(&app).await?))
}

/// One backup.
#[utoipa::path(
    get, path = "/api/v1/backups/{id}", tag = "backups", operation_id = "get_backup", params(("id" = String, Path,)),
    responses((status = 200, body = Backup), (status = 404)),
)]
pub async fn get(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    let backup = crate::service::files::look(&app, backups::find(&app, &id).await?).await?;
    Ok(HttpResponse::Ok().json(deliveries::with_backup(&app, &backup).await?))
}

/// How a backup stands, with its live progress.
#[utoipa::path(
    get, path = "/api/v1/backups/{id}/status", tag = "backups", operation_id = "get_backup_status", params(("id" = String, Path,)),
    responses((status = 200, body = BackupState), (status = 404)),
)]
pub async fn state(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(state_of(&app, &id).await?))
}

/// The same for the event stream.
pub async fn state_of(app: &App, id: &str) -> Result<BackupState> {
    let backup = backups::find(app, id).await?;
    Ok(BackupState {
        id: backup.id.to_string(),
        status: backup.status,
        progress: backups::progress(app, &backup).await?,
        error: backup.failure,
    })
}

/// Where to begin in the log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogQuery {
    after: Option<i64>,
}

/// The log; with `after`, the lines behind that number.
#[utoipa::path(
    get, path = "/api/v1/backups/{id}/log", tag = "backups", operation_id = "get_backup_log",
    params(("id" = String, Path,), ("after" = Option<i64>, Query,)),
    responses((status = 200, body = BackupLog), (status = 404)),
)]
pub async fn log(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    let after = query::<LogQuery>(&request)?.after.unwrap_or(0);
    Ok(HttpResponse::Ok().json(backups::whole_log(&app, backup.id, after).await?))
}

/// The file: whole or a `Range` of it, but always whole where it comes from a
/// destination; of a running backup the bytes as they are written, cut off when
/// it fails.
#[utoipa::path(
    get, path = "/api/v1/backups/{id}/download", tag = "backups", operation_id = "download_backup", params(("id" = String, Path,)),
    responses(
        (status = 200, content_type = "application/gzip", body = Vec<u8>),
        (status = 206), (status = 304), (status = 404),
        (status = 409, description = "There is no file now; detail says why"), (status = 416),
    ),
)]
pub async fn download(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    download::answer(&app, &caller, &request, &backup).await
}

/// Stops a backup that waits or runs; nothing of it remains but the record.
#[utoipa::path(
    post, path = "/api/v1/backups/{id}/cancel", tag = "backups", operation_id = "cancel_backup", params(("id" = String, Path,)),
    responses((status = 202, body = BackupState), (status = 404), (status = 409, description = "It is over already")),
)]
pub async fn cancel(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    backups::cancel(&app, &caller, &backup).await?;
    Ok(HttpResponse::Accepted().json(state_of(&app, &id).await?))
}

/// Keeps a backup from every deletion; `{"pinned": false}` takes that back.
#[utoipa::path(
    post, path = "/api/v1/backups/{id}/pin", tag = "backups", operation_id = "pin_backup", params(("id" = String, Path,)), request_body = Pin,
    responses((status = 200, body = Backup), (status = 404)),
)]
pub async fn pin(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    Body(pin): Body<Pin>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    let backup = backups::set_pinned(&app, &caller, &backup, pin.pinned).await?;
    Ok(HttpResponse::Ok().json(deliveries::with_backup(&app, &backup).await?))
}

/// Gives a backup these labels in place of those it had.
#[utoipa::path(
    put, path = "/api/v1/backups/{id}/labels", tag = "backups", params(("id" = String, Path,)), request_body = Labels,
    responses((status = 200, body = Backup), (status = 404), (status = 422)),
)]
pub async fn labels(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    Body(wish): Body<Labels>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    let backup = backups::set_labels(&app, &caller, &backup, &wish.labels).await?;
    Ok(HttpResponse::Ok().json(deliveries::with_backup(&app, &backup).await?))
}

/// What of a backup stays when it is deleted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteQuery {
    #[serde(default)]
    keep_remote: bool,
}

/// Deletes a backup's file and record, and its copies at destinations unless
/// `keep_remote` is true.
#[utoipa::path(
    delete, path = "/api/v1/backups/{id}", tag = "backups", operation_id = "delete_backup",
    params(("id" = String, Path,), ("keep_remote" = Option<bool>, Query,)),
    responses((status = 204), (status = 404), (status = 409, description = "It runs, is being delivered, or is pinned")),
)]
pub async fn delete(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    let keep_remote = query::<DeleteQuery>(&request)?.keep_remote;
    backups::delete(&app, &caller, &backup, keep_remote).await?;
    Ok(HttpResponse::NoContent().finish())
}
