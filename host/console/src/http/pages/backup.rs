//! `/backups/{id}` and what can be done with one backup.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_model::{Backup, LogLine};
use cofferdam_views::{
    DeliveryItem, FieldErrors, Nav, NoticeKind,
    pages::{
        backup::{self as view, BackupPage},
        backup_delete::{self, BackupDeletePage},
        backup_log::{self, BackupLogPage},
        backups as list_view,
    },
};
use serde::{Deserialize, Deserializer};

use super::{
    common::{form_errors, item, refusal},
    sign_in::Empty,
};
use crate::{
    app::App,
    http::{
        chrome::{self, html, html_with, see_other},
        csrf::CheckedForm,
        guard::Caller,
        session,
    },
    service::{Result, backups, deliveries, files},
};

/// How many of the newest log lines the page shows.
const LOG_TAIL: u32 = 12;

async fn data(app: &App, backup: Backup) -> Result<BackupPage> {
    let backup = files::look(app, backup).await?;
    let (tail, log_more) = app.catalog.log_tail(backup.id, LOG_TAIL).await?;
    let log = tail.into_iter().map(|it| it.line).collect();
    let facts = app.catalog.backup_facts(backup.id).await?;
    let database_known = app.catalog.database(backup.database_id).await?.is_some();
    let (tables, source) =
        facts.map_or_else(Default::default, |facts| (facts.tables, facts.source));
    let all = deliveries::of(app, backup.id).await?;
    let ids: Vec<_> = all.iter().map(|it| it.id).collect();
    // Asked for twice a second while something moves: logs are on their own pages.
    let mut attempts = app.catalog.attempts_in_short(&ids).await?;
    let item_of = |delivery: cofferdam_model::Delivery| DeliveryItem {
        attempts: attempts.remove(&delivery.id).unwrap_or_default(),
        delivery,
        is_deleted: false,
        size_bytes: backup.size_bytes,
    };
    let deliveries = all.into_iter().map(item_of).collect();
    Ok(BackupPage {
        item: item(app, backup).await?,
        log,
        log_more,
        tables,
        edits_schema: source.document["edits_schema"] == true,
        server_version: source.server_version,
        deliveries,
        database_known,
        label_errors: FieldErrors::new(),
        labels_typed: None,
    })
}

/// `GET /backups/{id}`
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let data = data(&app, backups::find(&app, &id).await?).await?;
    Ok(html(view::page(&chrome::of(&request, Some(Nav::Backups)), &data)))
}

/// `GET /backups/{id}/live`: the part that changes by itself.
pub async fn live(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let data = data(&app, backups::find(&app, &id).await?).await?;
    Ok(html(view::live(&chrome::part(&request, Some(Nav::Backups)), &data)))
}

/// `GET /backups/{id}/row`: its row of the list.
pub async fn row(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let item = item(&app, backups::find(&app, &id).await?).await?;
    Ok(html(list_view::row(&chrome::part(&request, Some(Nav::Backups)), &item)))
}

/// How the log is wanted.
#[derive(Deserialize)]
pub struct LogQuery {
    format: Option<String>,
}

/// `GET /backups/{id}/log`
pub async fn log(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    query: web::Query<LogQuery>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    let log = backups::whole_log(&app, backup.id, 0).await?;
    let lines: Vec<LogLine> = log.lines.into_iter().map(|entry| entry.line).collect();
    if query.format.as_deref() == Some("text") {
        return Ok(HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body(files::log_text(&lines)));
    }
    let page = BackupLogPage { backup, lines };
    Ok(html(backup_log::page(&chrome::of(&request, Some(Nav::Backups)), &page)))
}

/// `POST /backups/{id}/cancel`
pub async fn cancel(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    if let Err(error) = backups::cancel(&app, &caller, &backup).await {
        // It ended a moment before the click: the page says how.
        form_errors(error).map(|_| ())?;
        session::notice(
            &session,
            NoticeKind::Failed,
            "The backup was over before it could be cancelled.",
        );
    }
    Ok(see_other(format!("/backups/{}", backup.id)))
}

/// `POST /backups/{id}/deliveries/{delivery}/retry`
pub async fn retry(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    path: web::Path<(String, String)>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &path.0).await?;
    let delivery = deliveries::find_of(&app, &backup, &path.1).await?;
    if let Err(error) = deliveries::retry(&app, &caller, &delivery).await {
        let text = refusal(error)?;
        session::notice(&session, NoticeKind::Failed, &text);
    }
    Ok(see_other(format!("/backups/{}#deliveries", backup.id)))
}

/// Whether to keep it.
#[derive(Deserialize)]
pub struct PinForm {
    #[serde(deserialize_with = "truth")]
    pinned: bool,
}

/// Each field of a form is text, also `true` and `false`.
fn truth<'de, D: Deserializer<'de>>(field: D) -> std::result::Result<bool, D::Error> {
    let text = String::deserialize(field)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// `POST /backups/{id}/pin`
pub async fn pin(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    CheckedForm(form): CheckedForm<PinForm>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    backups::set_pinned(&app, &caller, &backup, form.pinned).await?;
    Ok(see_other(format!("/backups/{}", backup.id)))
}

/// Labels, separated by commas.
#[derive(Deserialize)]
pub struct LabelsForm {
    labels: String,
}

/// `POST /backups/{id}/labels`
pub async fn labels(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    CheckedForm(form): CheckedForm<LabelsForm>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    match backups::set_labels(&app, &caller, &backup, &backups::split_labels(&form.labels)).await {
        Ok(backup) => Ok(see_other(format!("/backups/{}", backup.id))),
        Err(error) => {
            let mut data = data(&app, backup).await?;
            data.label_errors = form_errors(error)?;
            data.labels_typed = Some(form.labels);
            let page = view::page(&chrome::of(&request, Some(Nav::Backups)), &data);
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
    }
}

async fn delete_data(app: &App, backup: Backup) -> Result<BackupDeletePage> {
    let only_good = backups::is_only_good(app, &backup).await?;
    let refused = if backup.pinned {
        Some("This backup is pinned. Take the pin off first.".to_owned())
    } else if backup.completed_at.is_none() {
        Some("This backup is still being made. Cancel it first.".to_owned())
    } else {
        None
    };
    let all = deliveries::of(app, backup.id).await?;
    let copies = all.iter().filter(|it| it.is_copy()).map(|it| it.destination_name.to_string());
    Ok(BackupDeletePage { copies: copies.collect(), backup, only_good, refused })
}

/// `GET /backups/{id}/delete`
pub async fn delete_form(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let data = delete_data(&app, backups::find(&app, &id).await?).await?;
    Ok(html(backup_delete::page(&chrome::of(&request, Some(Nav::Backups)), &data)))
}

/// What is to stay of a backup that is deleted.
#[derive(Deserialize)]
pub struct DeleteForm {
    /// Not empty: its copies at destinations.
    #[serde(default)]
    keep_remote: String,
}

/// `POST /backups/{id}/delete`
pub async fn delete(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    session: Session,
    id: web::Path<String>,
    CheckedForm(form): CheckedForm<DeleteForm>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    match backups::delete(&app, &caller, &backup, !form.keep_remote.is_empty()).await {
        Ok(()) => {
            let name = backup.filename.as_deref().unwrap_or("the record");
            session::notice(&session, NoticeKind::Done, &format!("{name} was deleted."));
            Ok(see_other("/backups"))
        }
        Err(error) => {
            let refused = Some(refusal(error)?);
            let data = BackupDeletePage { refused, ..delete_data(&app, backup).await? };
            let page = backup_delete::page(&chrome::of(&request, Some(Nav::Backups)), &data);
            Ok(html_with(StatusCode::CONFLICT, page))
        }
    }
}
