//! `/backups`: the list, and the form that asks for a new one.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_views::{
    BackupQuery, Nav,
    pages::{
        backup_new,
        backups::{self as view, BackupsPage},
    },
};
use serde::Deserialize;

use super::common::{destination_ticks, form_errors, generate, generate_for, items};
use crate::{
    app::App,
    dto,
    http::{
        chrome::{self, html, html_with, see_other},
        csrf::{CheckedForm, Pairs},
        guard::Caller,
    },
    service::{Result, backups, databases},
};

const PER_PAGE: u32 = 25;

/// The query as the address has it. What cannot be understood is left out: an
/// old bookmark shows the list, not an error.
#[derive(Debug, Default, Deserialize)]
pub struct Query {
    q: Option<String>,
    status: Option<String>,
    database: Option<String>,
    trigger: Option<String>,
    sort: Option<String>,
    dir: Option<String>,
    page: Option<String>,
}

impl Query {
    fn read(self) -> BackupQuery {
        fn parse<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
            text?.trim().parse().ok()
        }
        BackupQuery {
            q: self.q.unwrap_or_default().trim().chars().take(200).collect(),
            status: parse(self.status.as_deref()),
            database: parse::<cofferdam_model::Slug>(self.database.as_deref())
                .map(String::from)
                .unwrap_or_default(),
            trigger: parse(self.trigger.as_deref()),
            sort: parse(self.sort.as_deref()).unwrap_or_default(),
            dir: parse(self.dir.as_deref()).unwrap_or_default(),
            page: parse(self.page.as_deref()).unwrap_or(1).clamp(1, 1_000_000),
        }
    }
}

/// `GET /backups`
pub async fn list(
    app: web::Data<App>,
    request: HttpRequest,
    query: web::Query<Query>,
) -> Result<HttpResponse> {
    let query = query.into_inner().read();
    let filter = backups::filter(&dto::BackupQuery {
        limit: Some(PER_PAGE),
        offset: Some((query.page - 1) * u64::from(PER_PAGE)),
        status: query.status.map(|it| it.as_str().to_owned()),
        database: Some(query.database.clone()),
        trigger: query.trigger.map(|it| it.as_str().to_owned()),
        q: Some(query.q.clone()),
        sort: Some(query.sort.as_str().to_owned()),
        dir: Some(query.dir.as_str().to_owned()),
    })?;
    let found = backups::list(&app, &filter).await?;
    let known = databases::list(&app).await?;
    let page = BackupsPage {
        items: items(&app, found.backups).await?,
        total: found.total,
        per_page: PER_PAGE.into(),
        generate: generate_for(&app, &known, Some(&query.database)).await?,
        query,
        databases: known.iter().map(|it| it.slug.to_string()).collect(),
    };
    Ok(html(view::page(&chrome::of(&request, Some(Nav::Backups)), &page)))
}

/// Which database the form is for.
#[derive(Deserialize)]
pub struct NewQuery {
    database: Option<String>,
}

/// `GET /backups/new`
pub async fn new(
    app: web::Data<App>,
    request: HttpRequest,
    query: web::Query<NewQuery>,
) -> Result<HttpResponse> {
    let known = databases::list(&app).await?;
    let form = generate_for(&app, &known, query.database.as_deref()).await?;
    Ok(html(backup_new::page(&chrome::of(&request, Some(Nav::Backups)), &form)))
}

/// Which destinations were ticked. All of them is what happens anyway, and
/// leaves each destination its own choice of databases.
async fn chosen(app: &App, form: &Pairs) -> Result<Option<Vec<String>>> {
    let Some(ticked) = form.all("destinations") else { return Ok(None) };
    let all = destination_ticks(app).await?;
    let is_all = all.iter().all(|it| ticked.contains(&it.text)) && all.len() == ticked.len();
    Ok((!is_all).then_some(ticked))
}

/// `POST /backups`
pub async fn create(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    CheckedForm(form): CheckedForm<Pairs>,
) -> Result<HttpResponse> {
    let level = form.first("compression_level").trim();
    let wish = dto::NewBackup {
        database: form.only("database")?.to_owned(),
        description: Some(form.first("description").to_owned()),
        // What is no number is as wrong as a number that is too large.
        compression_level: (!level.is_empty()).then(|| level.parse().unwrap_or(-1)),
        format: Some(form.first("format").to_owned()),
        destinations: chosen(&app, &form).await?,
        ..dto::NewBackup::default()
    };
    match backups::create(&app, &caller, &wish, None).await {
        // The page that asked stays, and its list fetches itself again.
        Ok(_) if chrome::is_part(&request) => Ok(HttpResponse::NoContent().finish()),
        Ok(backup) => Ok(see_other(format!("/backups/{}", backup.id))),
        Err(error) => {
            let mut shown = generate(&app, &databases::list(&app).await?).await?;
            shown.database = wish.database;
            shown.description = wish.description.unwrap_or_default();
            form.first("compression_level").clone_into(&mut shown.compression_level);
            form.first("format").clone_into(&mut shown.format);
            if let Some(chosen) = wish.destinations {
                shown.destinations.iter_mut().for_each(|it| it.on = chosen.contains(&it.text));
            }
            shown.errors = form_errors(error)?;
            let page = backup_new::page(&chrome::of(&request, Some(Nav::Backups)), &shown);
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
    }
}
