//! `/databases/{id}` and its pre-flight.

use actix_web::{HttpRequest, HttpResponse, web};
use cofferdam_backup::Preflight;
use cofferdam_catalog::BackupFilter;
use cofferdam_model::Database;
use cofferdam_views::{
    Nav, format,
    pages::database::{self as view, Check, CheckPoint, DatabasePage, Outcome},
};

use super::{
    common::{card_of, generate, items},
    databases::facts,
    sign_in::Empty,
};
use crate::{
    app::App,
    http::{
        chrome::{self, html},
        csrf::CheckedForm,
    },
    service::{
        Result, backups,
        databases::{self, Checked},
    },
};

async fn data(app: &App, database: &Database) -> Result<DatabasePage> {
    let newest =
        BackupFilter { database_id: Some(database.id), limit: 10, ..BackupFilter::default() };
    let recent = backups::list(app, &newest).await?.backups;
    let mut form = generate(app, [database]).await?;
    form.database = database.slug.to_string();
    Ok(DatabasePage {
        card: card_of(app, database).await?,
        facts: facts(&databases::open(app, database)?),
        check: databases::last_check(app, database).map(shown),
        recent: items(app, recent).await?,
        generate: form,
    })
}

/// `GET /databases/{id}`
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    let data = data(&app, &database).await?;
    Ok(html(view::page(&chrome::of(&request, Some(Nav::Databases)), &data)))
}

/// `POST /databases/{id}/check`: the panel for htmx, else the whole page.
pub async fn check(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    let checked = databases::check(&app.clone().into_inner(), &database).await?;
    let nav = Some(Nav::Databases);
    if chrome::is_part(&request) {
        let chrome = chrome::part(&request, nav);
        return Ok(html(view::check(&chrome, database.id, Some(&shown(checked)))));
    }
    let data = data(&app, &database).await?;
    Ok(html(view::page(&chrome::of(&request, nav), &data)))
}

/// What was found, in the words of the page.
fn shown(checked: Checked) -> Check {
    let (found, failure) = match checked.found {
        Ok(found) => (Some(found), None),
        Err(failure) => (None, Some(failure)),
    };
    Check {
        at: checked.at,
        millis: u64::try_from(checked.took.as_millis()).unwrap_or(u64::MAX),
        points: found.as_ref().map(points).unwrap_or_default(),
        failure,
        role_sql: found.and_then(|found| found.role_sql),
    }
}

/// The findings in the order in which a run would meet them.
fn points(found: &Preflight) -> Vec<CheckPoint> {
    let good = |name: &str, text: String| CheckPoint {
        outcome: Outcome::Good,
        name: name.to_owned(),
        text,
        hint: None,
        detail: None,
    };
    let mut points = Vec::new();
    if let Some(version) = &found.server_version {
        points.push(good("Connects", version.clone()));
    }
    if let Some(tool) = &found.tool_version {
        // The reason is nothing to do, so it is no hint.
        let text = match &found.tool_reason {
            Some(reason) => format!("{tool}; {reason}"),
            None => tool.clone(),
        };
        points.push(good("Client", text));
    }
    if found.unreadable.is_empty() {
        let text =
            format!("{} tables, {}", format::number(found.tables), format::bytes(found.size_bytes));
        points.push(good("Reads every table", text));
    }
    if found.needed_bytes <= found.free_bytes {
        let text = format!(
            "{} free, at most {} needed",
            format::bytes(found.free_bytes),
            format::bytes(found.needed_bytes)
        );
        points.push(good("Room for the file", text));
    }
    points.extend(found.problems.iter().map(|problem| {
        CheckPoint {
            outcome: if problem.kind.blocks() { Outcome::Bad } else { Outcome::Warning },
            name: name_of(problem.kind).to_owned(),
            text: problem.text.clone(),
            hint: problem.hint.clone(),
            detail: (problem.kind == cofferdam_backup::ProblemKind::Unreadable)
                .then(|| found.unreadable.join("\n")),
        }
    }));
    points
}

fn name_of(kind: cofferdam_backup::ProblemKind) -> &'static str {
    use cofferdam_backup::ProblemKind as Kind;
    match kind {
        Kind::ClientTooOld => "Client is too old",
        Kind::ClientBelowFloor => "Client is out of date",
        Kind::Unreadable => "Cannot read everything",
        Kind::RowSecurity => "Row-level security",
        Kind::Space => "Not enough room",
    }
}
