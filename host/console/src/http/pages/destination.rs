//! `/destinations/{id}`: one destination, its test, its switch, its end.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_model::{Delivery, Destination, Timestamp};
use cofferdam_views::{
    DeliveryItem, Nav, NoticeKind, Point,
    pages::{
        destination::{self as view, DestinationPage, Tested},
        destination_delete::{self, DestinationDeletePage},
        destinations::DestinationCard,
    },
    schema::Schema,
};
use serde_json::{Map, Value};

use super::{common::refusal, sign_in::Empty};
use crate::{
    app::App,
    dto,
    http::{
        answer::finish,
        chrome::{self, html, html_with, see_other},
        csrf::{CheckedForm, Pairs},
        guard::Caller,
        session,
    },
    service::{Result, deliveries, destinations, plugins},
};

/// How many deliveries count for the rate and the small chart.
const HISTORY: u32 = 30;
/// How many of them the page lists.
const RECENT: usize = 10;

const NAV: Option<Nav> = Some(Nav::Destinations);

/// A destination with what its page and the list need.
pub struct Known {
    /// The record.
    pub destination: Destination,
    /// As the API shows it.
    pub shown: dto::Destination,
    /// Its plugin, as far as one is there.
    pub plugin: Option<dto::Plugin>,
    /// Its settings' schema.
    pub schema: Schema,
}

impl Known {
    /// What is known of these destinations.
    pub async fn all(app: &App, list: Vec<Destination>) -> Result<Vec<Self>> {
        let plugins = plugins::list(app).await?;
        let usable = plugins::Usable::now(app).await?;
        let views = destinations::views_of(app, &list).await?;
        let mut known = Vec::with_capacity(list.len());
        for (destination, shown) in list.into_iter().zip(views) {
            let own = |it: &&dto::Plugin| {
                it.about.as_ref().is_some_and(|about| about.id == destination.plugin.as_str())
            };
            // The one that runs, if there is one: others may be of another form.
            let of: Vec<&dto::Plugin> = plugins.iter().filter(own).collect();
            let ready = usable.of(&destination.plugin).ok();
            let runs = ready.as_ref().map(|it| it.plugin.hash().as_str());
            let running = of.iter().find(|it| runs.is_some() && it.hash.as_deref() == runs);
            let plugin = running.or(of.first()).copied().cloned();
            let schema = plugin.as_ref().and_then(|it| it.about.as_ref());
            let schema = schema.map(|it| Schema::read(&it.settings_schema)).unwrap_or_default();
            known.push(Self { destination, shown, plugin, schema });
        }
        Ok(known)
    }

    /// What is known of this one.
    pub async fn one(app: &App, destination: Destination) -> Result<Self> {
        let found = Self::all(app, vec![destination]).await?.pop();
        found.ok_or(crate::service::Error::NotFound("destination"))
    }

    /// Its settings without secrets.
    pub fn settings(&self) -> Map<String, Value> {
        self.shown.settings.as_object().cloned().unwrap_or_default()
    }

    /// Its card, with its newest deliveries.
    pub fn card(&self, newest: &[Delivery]) -> DestinationCard {
        let over = newest.iter().rev().filter(|it| it.status.is_over());
        let history: Vec<Point> = over.map(point).collect();
        let name = self.plugin.as_ref().and_then(|it| it.about.as_ref()).map(|it| it.name.clone());
        DestinationCard {
            plugin: name.unwrap_or_else(|| self.destination.plugin.to_string()),
            place: self.schema.place(&self.settings()),
            blocked: self.shown.problem.as_deref().map(finish),
            last: newest.first().cloned(),
            good: history.iter().filter(|it| it.good).count() as u64,
            all: history.len() as u64,
            history,
            destination: self.destination.clone(),
        }
    }
}

fn point(delivery: &Delivery) -> Point {
    let at = delivery.completed_at.unwrap_or(delivery.created_at);
    Point {
        at,
        bytes: delivery.bytes.unwrap_or(0),
        millis: u64::try_from((at - delivery.created_at).num_milliseconds()).unwrap_or(0),
        good: delivery.status == cofferdam_model::DeliveryStatus::Completed,
    }
}

/// A destination's newest deliveries.
pub async fn newest(app: &App, destination: &Destination) -> Result<Vec<Delivery>> {
    deliveries::to(app, destination, HISTORY).await
}

/// What the page shows; a part of it does without what is left of deleted backups.
async fn data(app: &App, destination: Destination, whole: bool) -> Result<DestinationPage> {
    let known = Known::one(app, destination).await?;
    let newest = newest(app, &known.destination).await?;
    let left =
        if whole { deliveries::left_behind(app, &known.destination).await? } else { Vec::new() };
    let recent: Vec<Delivery> = newest.iter().take(RECENT).cloned().collect();
    let ids: Vec<_> = recent.iter().map(|it| it.backup).collect();
    let backups = app.catalog.backups_by_id(&ids).await?;
    let item = |delivery: Delivery| {
        let backup = backups.iter().find(|it| it.id == delivery.backup);
        DeliveryItem {
            is_deleted: backup.is_none(),
            size_bytes: backup.and_then(|it| it.size_bytes),
            delivery,
            attempts: Vec::new(),
        }
    };
    let labels = known.schema.fields().iter();
    let label = |name: &String| {
        let field = labels.clone().find(|field| field.name == *name);
        field.map_or_else(|| name.clone(), |field| field.label.clone())
    };
    let hash = known.plugin.as_ref().and_then(|it| it.hash.as_ref()?.parse().ok());
    Ok(DestinationPage {
        left: left.into_iter().map(&item).collect(),
        recent: recent.into_iter().map(&item).collect(),
        card: known.card(&newest),
        held: known.shown.retention_held.clone(),
        component: hash,
        settings: known.schema.summary(&known.settings()),
        secrets: known.shown.secrets.iter().map(label).collect(),
        databases: known.shown.databases.clone(),
        tested: known.shown.last_check.clone().map(|it| tested(it.at, it.found)),
    })
}

/// `GET /destinations/{id}`
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let is_part = chrome::is_part(&request);
    let data = data(&app, destinations::find(&app, &id).await?, !is_part).await?;
    if is_part {
        return Ok(html(view::recent(&chrome::part(&request, NAV), &data)));
    }
    Ok(html(view::page(&chrome::of(&request, NAV), &data)))
}

/// `POST /destinations/{id}/check`
pub async fn check(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    let found = destinations::check(&app, &destination).await?;
    let mut data = data(&app, destination, !chrome::is_part(&request)).await?;
    data.tested = Some(tested(app.now(), found));
    if chrome::is_part(&request) {
        return Ok(html(view::test(&chrome::part(&request, NAV), &data)));
    }
    Ok(html(view::page(&chrome::of(&request, NAV), &data)))
}

/// What a test found, in the words of the views.
pub fn tested(at: Timestamp, found: dto::DestinationCheck) -> Tested {
    // The message of wrong settings names each of them.
    let text = found.message;
    Tested {
        at,
        millis: found.took_ms,
        result: if found.ok { Ok(text) } else { Err(text) },
        hint: None,
        log: found.log,
    }
}

/// `POST /destinations/{id}/test`: a test notification.
pub async fn send_test(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    let (kind, text) = match destinations::send_test(&app, &caller, &destination).await {
        Ok(found) if found.ok => (NoticeKind::Done, format!("Test: {}", finish(&found.message))),
        Ok(found) => {
            (NoticeKind::Failed, format!("The test was not sent: {}", finish(&found.message)))
        }
        Err(error) => (NoticeKind::Failed, refusal(error)?),
    };
    session::notice(&session, kind, &text);
    Ok(see_other(format!("/destinations/{}", destination.id)))
}

/// `POST /destinations/{id}/enabled`
pub async fn enabled(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    CheckedForm(form): CheckedForm<Pairs>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    let on = form.first("enabled") == "true";
    destinations::set_enabled(&app, &caller, &destination, on).await?;
    Ok(see_other(format!("/destinations/{}", destination.id)))
}

async fn delete_data(
    app: &App,
    destination: Destination,
    refused: Option<String>,
) -> Result<DestinationDeletePage> {
    let known = Known::one(app, destination).await?;
    let newest = newest(app, &known.destination).await?;
    let waiting = newest.iter().filter(|it| !it.status.is_over()).count() as u64;
    Ok(DestinationDeletePage { card: known.card(&newest), waiting, refused })
}

/// `GET /destinations/{id}/delete`
pub async fn delete_form(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let data = delete_data(&app, destinations::find(&app, &id).await?, None).await?;
    Ok(html(destination_delete::page(&chrome::of(&request, NAV), &data)))
}

/// `POST /destinations/{id}/delete`
pub async fn delete(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    match destinations::remove(&app, &caller, &destination).await {
        Ok(()) => {
            let text = format!("{} was removed. What it keeps stays there.", destination.name);
            session::notice(&session, NoticeKind::Done, &text);
            Ok(see_other("/destinations"))
        }
        Err(error) => {
            let data = delete_data(&app, destination, Some(refusal(error)?)).await?;
            let page = destination_delete::page(&chrome::of(&request, NAV), &data);
            Ok(html_with(StatusCode::CONFLICT, page))
        }
    }
}
