//! `/databases`: the list, and the forms that add, change and remove.

use std::fmt::Write as _;

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_model::{Connection, Database, Engine, Secret};
use cofferdam_views::{
    Nav, NoticeKind,
    pages::{
        database_delete::{self, DatabaseDeletePage},
        database_form::{self, DatabaseForm},
        databases as view,
    },
};
use serde::Deserialize;

use super::{
    common::{card_of, cards, form_errors, refusal},
    sign_in::Empty,
};
use crate::{
    app::App,
    dto::{ConnectionView, DatabaseInput},
    http::{
        chrome::{self, html, html_with, see_other},
        csrf::CheckedForm,
        guard::Caller,
        session,
    },
    service::{
        Result, connection,
        databases::{self, Added},
    },
};

/// `GET /databases`
pub async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse> {
    Ok(html(view::page(&chrome::of(&request, Some(Nav::Databases)), &cards(&app).await?)))
}

/// `GET /databases/new`
pub async fn new(request: HttpRequest) -> HttpResponse {
    html(database_form::page(
        &chrome::of(&request, Some(Nav::Databases)),
        None,
        &DatabaseForm::default(),
    ))
}

/// The form, as typed.
#[derive(Deserialize)]
pub struct Form {
    #[serde(default)]
    engine: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    host: String,
    #[serde(default)]
    port: String,
    #[serde(default)]
    dbname: String,
    #[serde(default)]
    user: String,
    #[serde(default = "nothing")]
    password: Secret,
    #[serde(default)]
    sslmode: String,
    #[serde(default)]
    sslrootcert: String,
    #[serde(default)]
    path: String,
}

fn nothing() -> Secret {
    Secret::new("")
}

impl Form {
    fn engine(&self) -> Engine {
        self.engine.parse().unwrap_or(Engine::Postgres)
    }

    /// Only the fields of the chosen engine count. An empty password field
    /// keeps what is stored.
    fn input(&self) -> DatabaseInput {
        let some = |text: &str| Some(text.to_owned());
        let common = DatabaseInput {
            name: some(&self.name),
            engine: some(self.engine().as_str()),
            ..DatabaseInput::default()
        };
        match self.engine() {
            Engine::Sqlite => DatabaseInput { path: some(self.path.trim()), ..common },
            Engine::Postgres => DatabaseInput {
                host: some(&self.host),
                port: Some(if self.port.trim().is_empty() {
                    5432
                } else {
                    self.port.trim().parse().unwrap_or(-1)
                }),
                dbname: some(&self.dbname),
                user: some(&self.user),
                password: (!self.password.is_empty()).then(|| self.password.clone()),
                sslmode: some(&self.sslmode),
                sslrootcert: some(&self.sslrootcert),
                ..common
            },
        }
    }

    fn shown(self, password_stored: bool, error: crate::service::Error) -> Result<DatabaseForm> {
        Ok(DatabaseForm {
            engine: self.engine(),
            name: self.name,
            host: self.host,
            port: self.port,
            dbname: self.dbname,
            user: self.user,
            password_stored,
            sslmode: self.sslmode,
            sslrootcert: self.sslrootcert,
            path: self.path,
            errors: form_errors(error)?,
        })
    }
}

/// `POST /databases`
pub async fn create(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    session: Session,
    CheckedForm(form): CheckedForm<Form>,
) -> Result<HttpResponse> {
    match databases::add(&app.into_inner(), &caller, &form.input()).await {
        Ok(added) => {
            let (kind, text) = outcome(&added);
            session::notice(&session, kind, &text);
            Ok(see_other(format!("/databases/{}", added.database.id)))
        }
        Err(error) => {
            let shown = form.shown(false, error)?;
            let page =
                database_form::page(&chrome::of(&request, Some(Nav::Databases)), None, &shown);
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
    }
}

/// What to say about a new database, above its page, which shows the first
/// look in full.
fn outcome(added: &Added) -> (NoticeKind, String) {
    let (kind, found) = match &added.first_look.found {
        Ok(found) if found.is_clear() => (NoticeKind::Done, "It answers."),
        Ok(_) => (NoticeKind::Failed, "It answers, but a backup would fail now; see Pre-flight."),
        Err(_) => (NoticeKind::Failed, "It cannot be looked at now; see Pre-flight."),
    };
    let mut text = format!("{} was added. {found}", added.database.slug);
    if !added.same_as.is_empty() {
        let names: Vec<_> = added.same_as.iter().map(|it| it.slug.as_str()).collect();
        let _ = write!(text, " The same place is listed already as {}.", names.join(", "));
    }
    (kind, text)
}

fn stored_form(database: &Database) -> DatabaseForm {
    let view: ConnectionView = serde_json::from_str(&database.settings).unwrap_or_default();
    DatabaseForm {
        engine: database.engine,
        name: database.slug.to_string(),
        host: view.host.unwrap_or_default(),
        port: view.port.unwrap_or(5432).to_string(),
        dbname: view.dbname.unwrap_or_default(),
        user: view.user.unwrap_or_default(),
        password_stored: view.has_password,
        sslmode: view.sslmode.unwrap_or_default().as_str().to_owned(),
        sslrootcert: view.sslrootcert.unwrap_or_default(),
        path: view.path.unwrap_or_default(),
        ..DatabaseForm::default()
    }
}

/// `GET /databases/{id}/edit`
pub async fn edit_form(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    let chrome = chrome::of(&request, Some(Nav::Databases));
    Ok(html(database_form::page(&chrome, Some(&database), &stored_form(&database))))
}

/// `POST /databases/{id}/edit`
pub async fn edit(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    session: Session,
    id: web::Path<String>,
    CheckedForm(mut form): CheckedForm<Form>,
) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    database.engine.as_str().clone_into(&mut form.engine);
    match databases::update(&app, &caller, &database, &form.input()).await {
        Ok(changed) => {
            session::notice(&session, NoticeKind::Done, &format!("{} was saved.", changed.slug));
            Ok(see_other(format!("/databases/{}", changed.id)))
        }
        Err(error) => {
            let stored = connection::password(&databases::open(&app, &database)?).is_some();
            let shown = form.shown(stored, error)?;
            let page = database_form::page(
                &chrome::of(&request, Some(Nav::Databases)),
                Some(&database),
                &shown,
            );
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
    }
}

async fn delete_data(
    app: &App,
    database: Database,
    refused: Option<String>,
) -> Result<DatabaseDeletePage> {
    let card = card_of(app, &database).await?;
    Ok(DatabaseDeletePage { database, backups: card.count, total_bytes: card.total_bytes, refused })
}

/// `GET /databases/{id}/delete`
pub async fn delete_form(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let data = delete_data(&app, databases::find(&app, &id).await?, None).await?;
    Ok(html(database_delete::page(&chrome::of(&request, Some(Nav::Databases)), &data)))
}

/// `POST /databases/{id}/delete`
pub async fn delete(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    session: Session,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    match databases::remove(&app, &caller, &database).await {
        Ok(()) => {
            session::notice(
                &session,
                NoticeKind::Done,
                &format!("{} was removed. Its backups are still here.", database.slug),
            );
            Ok(see_other("/databases"))
        }
        Err(error) => {
            let data = delete_data(&app, database, Some(refusal(error)?)).await?;
            let page = database_delete::page(&chrome::of(&request, Some(Nav::Databases)), &data);
            Ok(html_with(StatusCode::CONFLICT, page))
        }
    }
}

/// The connection in the words of the page, in the order to show.
pub fn facts(connection: &Connection) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    match connection {
        Connection::Postgres(it) => {
            let mut facts = vec![
                fact("Host", it.host.clone()),
                fact("Port", it.port.to_string()),
                fact("Database", connection::one_line(&it.dbname)),
                fact("Role", connection::one_line(&it.user)),
                fact(
                    "Password",
                    if it.password.is_some() { "stored, encrypted" } else { "none" }.to_owned(),
                ),
                fact("TLS", it.sslmode.as_str().to_owned()),
            ];
            if let Some(path) = &it.sslrootcert {
                facts.push(fact("Authorities", path.display().to_string()));
            }
            facts
        }
        Connection::Sqlite(it) => vec![fact("File", it.path.display().to_string())],
    }
}
