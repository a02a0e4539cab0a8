//! `GET /backups/{id}/events`: a backup's progress, log and end, as they happen.

use std::{convert::Infallible, rc::Rc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data, Path},
};
use cofferdam_model::BackupStatus;
use serde::Serialize;
use tokio::time;

use super::backups::state_of;
use crate::{
    app::App,
    http::guard::Caller,
    hub::Change,
    service::{Actor, Result, backups, deliveries, users},
};

/// Without a word from the run, the catalog is looked at so often: the run may
/// be another process's.
const LOOK: Duration = Duration::from_secs(1);
/// Lines read at once.
const LINES: u32 = 1000;
/// Every so many looks, the caller's right to look is checked again.
const WELCOME_EVERY: u32 = 5;

/// Events `progress` (how it stands), `log` (a line; its number is the
/// event's id) and last `done` (the backup). `Last-Event-ID` goes on behind a
/// line that was seen.
#[utoipa::path(
    get, path = "/api/v1/backups/{id}/events", tag = "backups", operation_id = "follow_backup_events",
    params(("id" = String, Path,), ("Last-Event-ID" = Option<i64>, Header,)),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 404)),
)]
pub async fn stream(
    app: Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    let actor: Rc<Actor> = caller.0;
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok())
        .map(str::to_owned);
    let seen = request.headers().get("last-event-id").and_then(|it| it.to_str().ok()?.parse().ok());
    let mut seq: i64 = seen.unwrap_or(0);
    let mut changes = app.hub.listen();
    let body = async_stream::stream! {
        let mut looks = 0_u32;
        loop {
            // The record is read before the log: the last lines of an ended run are then never missed.
            let Ok(now) = backups::get(&app, backup.id).await else { return };
            let ended = !matches!(now.status, BackupStatus::Pending | BackupStatus::Running);
            loop {
                let lines = backups::log(&app, backup.id, seq, LINES).await.unwrap_or_default();
                let more = lines.len() == LINES as usize;
                for entry in lines {
                    seq = entry.seq;
                    yield Ok::<_, Infallible>(event("log", Some(seq), &entry));
                }
                if !more {
                    break;
                }
            }
            if ended {
                let Ok(shown) = deliveries::with_backup(&app, &now).await else { return };
                yield Ok(event("done", None, &shown));
                return;
            }
            let Ok(state) = state_of(&app, &backup.id.to_string()).await else { return };
            yield Ok(event("progress", None, &state));
            // Word of other backups is passed over without another look.
            let closing = app.hub.closing();
            let own = async {
                while let Ok(change) = changes.recv().await {
                    if change == Change::Backup(backup.id) {
                        break;
                    }
                }
            };
            tokio::select! {
                () = closing => return,
                _ = time::timeout(LOOK, own) => {}
            }
            looks += 1;
            if looks.is_multiple_of(WELCOME_EVERY) && !still_welcome(&app, &actor, token.as_deref()).await {
                return;
            }
        }
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(body))
}

fn event(name: &str, id: Option<i64>, data: &impl Serialize) -> Bytes {
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {name}\n{id}data: {data}\n\n"))
}

async fn still_welcome(app: &App, actor: &Actor, header: Option<&str>) -> bool {
    let token =
        header.and_then(|value| value.split_once(' ')).map_or("", |(_, token)| token.trim());
    users::actor_by_token(app, token, actor.remote).await.is_ok_and(|it| it.is_some())
}
