//! `/destinations`: the list, and the forms that add and change.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_model::{Destination, EventKind};
use cofferdam_views::{
    FieldErrors, Nav, NoticeKind,
    pages::{
        destination_form::{self, DestinationForm},
        destination_new::{self, PluginChoice},
        destinations as view,
    },
    schema::{Posted, Problem, Schema, SettingsForm, Tick},
    text,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    common::form_errors,
    destination::{Known, newest},
    plugins::about,
};
use crate::{
    app::App,
    dto,
    http::{
        chrome::{self, html, html_with, see_other},
        csrf::{CheckedForm, Pairs},
        guard::Caller,
        session,
    },
    service::{Error, FieldError, Result, databases, destinations, plugins},
};

const NAV: Option<Nav> = Some(Nav::Destinations);

/// `GET /destinations`
pub async fn list(app: web::Data<App>, request: HttpRequest) -> Result<HttpResponse> {
    let mut cards = Vec::new();
    for known in Known::all(&app, destinations::list(&app).await?).await? {
        cards.push(known.card(&newest(&app, &known.destination).await?));
    }
    Ok(html(view::page(&chrome::of(&request, NAV), &cards)))
}

/// The plugins that may run, each with the component that would.
async fn choices(app: &App) -> Result<Vec<(PluginChoice, Schema)>> {
    let usable = plugins::Usable::now(app).await?.all();
    let choice = |ready: &plugins::Ready| {
        let own = crate::plugins::about(&ready.plugin);
        let id = own.id.parse().ok()?;
        let schema = Schema::read(&own.settings_schema);
        Some((PluginChoice { id, about: about(&own) }, schema))
    };
    Ok(usable.iter().filter_map(choice).collect())
}

/// Which plugin the form is for.
#[derive(Deserialize)]
pub struct NewQuery {
    plugin: Option<String>,
}

/// `GET /destinations/new`: the choice of a plugin, or the form of the chosen one.
pub async fn new(
    app: web::Data<App>,
    request: HttpRequest,
    query: web::Query<NewQuery>,
) -> Result<HttpResponse> {
    let chrome = chrome::of(&request, NAV);
    let choices = choices(&app).await?;
    let chosen = query.into_inner().plugin;
    let chosen = choices.iter().find(|(it, _)| Some(it.id.as_str()) == chosen.as_deref());
    let Some((plugin, schema)) = chosen else {
        let plugins: Vec<_> = choices.into_iter().map(|(plugin, _)| plugin).collect();
        return Ok(html(destination_new::page(&chrome, &plugins)));
    };
    let events = plugin.about.roles.notifier.then(|| EventKind::ALL.to_vec());
    let form = DestinationForm {
        plugin: plugin.clone(),
        name: String::new(),
        settings: schema.blank(),
        databases: database_ticks(&app, &[]).await?,
        events: event_ticks(events.as_deref()),
        concurrency: "1".to_owned(),
        keep_going: false,
        grant: false,
        grant_private: false,
        tried: None,
        errors: FieldErrors::new(),
    };
    Ok(html(destination_form::page(&chrome, None, &form)))
}

async fn database_ticks(app: &App, chosen: &[String]) -> Result<Vec<Tick>> {
    let all = databases::list(app).await?;
    let tick = |name: String| Tick { on: chosen.contains(&name), label: name.clone(), text: name };
    Ok(all.iter().map(|it| tick(it.slug.to_string())).collect())
}

/// What a notifier can tell of; nothing where it is none.
fn event_ticks(chosen: Option<&[EventKind]>) -> Vec<Tick> {
    let Some(chosen) = chosen else { return Vec::new() };
    let tick = |event: &EventKind| Tick {
        text: event.as_str().to_owned(),
        label: text::event(*event).to_owned(),
        on: chosen.contains(event),
    };
    EventKind::ALL.iter().map(tick).collect()
}

/// What was posted, as the services take it.
pub(super) fn input(form: &Pairs, posted: &Posted) -> dto::DestinationInput {
    let concurrency = form.first("concurrency").trim();
    // Given as nothing, a stored secret goes.
    let goes = posted.forget.iter().map(|name| (name.clone(), Value::Null));
    let settings = posted.settings.clone().into_iter().chain(goes).collect();
    dto::DestinationInput {
        name: Some(form.first("name").to_owned()),
        settings: Some(settings),
        databases: form.all("databases"),
        events: form.all("events"),
        // What is no number is as wrong as a number that is too large.
        concurrency: (!concurrency.is_empty()).then(|| concurrency.parse().unwrap_or(0)),
        keep_going: Some(form.first("keep_going") == "true"),
        grant: Some(form.first("grant") == "true"),
        grant_private: Some(form.first("grant_private") == "true"),
        ..dto::DestinationInput::default()
    }
}

/// The form again, with what is wrong beside its fields.
pub(super) async fn again(
    app: &App,
    form: &Pairs,
    plugin: PluginChoice,
    settings: SettingsForm,
    errors: FieldErrors,
) -> Result<DestinationForm> {
    let events = form
        .all("events")
        .map(|words| words.iter().filter_map(|word| word.parse().ok()).collect::<Vec<EventKind>>());
    Ok(DestinationForm {
        plugin,
        name: form.first("name").to_owned(),
        settings,
        databases: database_ticks(app, &form.all("databases").unwrap_or_default()).await?,
        events: event_ticks(events.as_deref()),
        concurrency: form.first("concurrency").to_owned(),
        keep_going: form.first("keep_going") == "true",
        grant: form.first("grant") == "true",
        grant_private: form.first("grant_private") == "true",
        tried: None,
        errors,
    })
}

/// Errors of the services: those about settings, and the others.
pub(super) fn apart(error: Error) -> Result<(Vec<Problem>, FieldErrors)> {
    let Error::Invalid(fields) = error else { return Ok((Vec::new(), form_errors(error)?)) };
    let mut problems = Vec::new();
    let mut errors = FieldErrors::new();
    for FieldError { field, message } in fields {
        match field.strip_prefix("settings") {
            Some(name) => {
                problems.push(Problem { field: name.trim_start_matches('.').to_owned(), message });
            }
            None if field == "plugin" => errors.add_whole(message),
            None => errors.add(field, message),
        }
    }
    Ok((problems, errors))
}

/// A form for a new destination, as it was posted.
pub(super) struct PostedNew {
    pub(super) plugin: PluginChoice,
    pub(super) posted: Posted,
    /// The same as the services take it.
    pub(super) wish: dto::DestinationInput,
}

/// Reads a form for a new destination; nothing where its plugin may not run any more.
pub(super) async fn posted_new(app: &App, form: &Pairs) -> Result<Option<PostedNew>> {
    let id = form.first("plugin");
    let chosen = choices(app).await?.into_iter().find(|(it, _)| it.id.as_str() == id);
    Ok(chosen.map(|(plugin, schema)| {
        let posted = schema.posted(&form.0, &[]);
        let wish =
            dto::DestinationInput { plugin: Some(plugin.id.to_string()), ..input(form, &posted) };
        PostedNew { plugin, posted, wish }
    }))
}

/// There is no form for a plugin that may not run any more.
pub(super) fn not_approved(session: &Session) -> HttpResponse {
    let text = "Its plugin is not approved any more. Approve it again, then add the destination.";
    session::notice(session, NoticeKind::Failed, text);
    see_other("/destinations/new")
}

/// `POST /destinations`
pub async fn create(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    CheckedForm(form): CheckedForm<Pairs>,
) -> Result<HttpResponse> {
    let Some(PostedNew { plugin, posted, wish }) = posted_new(&app, &form).await? else {
        return Ok(not_approved(&session));
    };
    let error = if posted.problems.is_empty() {
        match destinations::create(&app, &caller, &wish).await {
            Ok(made) => {
                let text = format!("{} was added. Test the connection next.", made.name);
                session::notice(&session, NoticeKind::Done, &text);
                return Ok(see_other(format!("/destinations/{}", made.id)));
            }
            Err(error) => apart(error)?,
        }
    } else {
        (Vec::new(), FieldErrors::new())
    };
    let settings = posted.form.with_problems(&error.0);
    let shown = again(&app, &form, plugin, settings, error.1).await?;
    let page = destination_form::page(&chrome::of(&request, NAV), None, &shown);
    Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
}

/// The plugin of a destination, for its form.
pub(super) fn choice_of(known: &Known) -> Result<PluginChoice> {
    let own = known.plugin.as_ref().and_then(|it| it.about.as_ref());
    let own = own.ok_or_else(|| {
        Error::conflict("the plugin of this destination is gone, and with it the form")
    })?;
    Ok(PluginChoice { id: known.destination.plugin.clone(), about: about(own) })
}

pub(super) fn names(secrets: &[String]) -> Vec<&str> {
    secrets.iter().map(String::as_str).collect()
}

/// `GET /destinations/{id}/edit`
pub async fn edit_form(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let known = Known::one(&app, destinations::find(&app, &id).await?).await?;
    let it = &known.destination;
    let chosen = known.shown.databases.clone().unwrap_or_default();
    let form = DestinationForm {
        plugin: choice_of(&known)?,
        name: it.name.to_string(),
        settings: known.schema.filled(&known.settings(), &names(&known.shown.secrets)),
        databases: database_ticks(&app, &chosen).await?,
        events: event_ticks(it.roles.notifier.then_some(&it.events)),
        concurrency: it.concurrency.to_string(),
        keep_going: it.keep_going,
        grant: false,
        grant_private: false,
        tried: None,
        errors: FieldErrors::new(),
    };
    Ok(html(destination_form::page(&chrome::of(&request, NAV), Some(it), &form)))
}

/// `POST /destinations/{id}/edit`
pub async fn edit(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    id: web::Path<String>,
    CheckedForm(form): CheckedForm<Pairs>,
) -> Result<HttpResponse> {
    let known = Known::one(&app, destinations::find(&app, &id).await?).await?;
    let destination: &Destination = &known.destination;
    let posted = known.schema.posted(&form.0, &names(&known.shown.secrets));
    let error = if posted.problems.is_empty() {
        match destinations::update(&app, &caller, destination, &input(&form, &posted)).await {
            Ok(changed) => {
                let text = format!("{} was saved.", changed.name);
                session::notice(&session, NoticeKind::Done, &text);
                return Ok(see_other(format!("/destinations/{}", changed.id)));
            }
            Err(error) => apart(error)?,
        }
    } else {
        (Vec::new(), FieldErrors::new())
    };
    let settings = posted.form.with_problems(&error.0);
    let shown = again(&app, &form, choice_of(&known)?, settings, error.1).await?;
    let page = destination_form::page(&chrome::of(&request, NAV), Some(destination), &shown);
    Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
}

/// `GET /destinations/preview`: what a template makes of an example. The form
/// sends the one field that changed, whatever its name.
pub async fn preview(query: web::Query<Vec<(String, String)>>) -> HttpResponse {
    let template = query.first().map_or("", |(_, text)| text.as_str());
    html(destination_form::preview(template))
}
