//! The form of a destination, tried out before it is stored.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_model::Destination;
use cofferdam_views::{
    FieldErrors, Nav,
    pages::{
        destination_form::{self, DestinationForm},
        destination_new::PluginChoice,
    },
    schema::Posted,
};

use super::{
    destination::{Known, tested},
    destinations::{PostedNew, again, apart, choice_of, input, names, not_approved, posted_new},
};
use crate::{
    app::App,
    dto,
    http::{
        chrome::{self, html_with},
        csrf::{CheckedForm, Pairs},
        guard::Caller,
    },
    service::{Actor, Error, FieldError, Result, destinations},
};

const NAV: Option<Nav> = Some(Nav::Destinations);

/// `POST /destinations/try`: the form for a new one, with what the plugin says to it.
pub async fn try_new(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    CheckedForm(form): CheckedForm<Pairs>,
) -> Result<HttpResponse> {
    let Some(PostedNew { plugin, posted, wish }) = posted_new(&app, &form).await? else {
        return Ok(not_approved(&session));
    };
    let shown = tried(&app, &caller, &form, plugin, posted, &wish, None).await?;
    Ok(trial(&request, None, &shown))
}

/// `POST /destinations/{id}/try`: the same for changes of one that is there.
pub async fn try_change(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    CheckedForm(form): CheckedForm<Pairs>,
) -> Result<HttpResponse> {
    let known = Known::one(&app, destinations::find(&app, &id).await?).await?;
    let before = Some(&known.destination);
    let posted = known.schema.posted(&form.0, &names(&known.shown.secrets));
    let wish = input(&form, &posted);
    let plugin = choice_of(&known)?;
    let shown = tried(&app, &caller, &form, plugin, posted, &wish, before).await?;
    Ok(trial(&request, before, &shown))
}

/// The form again with what a test of it has found; or, where it is not even
/// complete, with what is wrong.
async fn tried(
    app: &App,
    by: &Actor,
    form: &Pairs,
    plugin: PluginChoice,
    posted: Posted,
    wish: &dto::DestinationInput,
    before: Option<&Destination>,
) -> Result<DestinationForm> {
    let mut found = None;
    let (problems, errors) = if posted.problems.is_empty() {
        match destinations::try_out(app, by, wish, before).await {
            Ok(told) => {
                let wrong = told
                    .errors
                    .iter()
                    .map(|it| FieldError::new(it.field.clone(), it.message.clone()));
                let wrong = apart(Error::Invalid(wrong.collect()))?;
                found = Some(tested(app.now(), told));
                wrong
            }
            Err(error) => apart(error)?,
        }
    } else {
        (Vec::new(), FieldErrors::new())
    };
    let settings = posted.form.with_problems(&problems);
    let shown = again(app, form, plugin, settings, errors).await?;
    Ok(DestinationForm { tried: found, ..shown })
}

fn trial(
    request: &HttpRequest,
    before: Option<&Destination>,
    shown: &DestinationForm,
) -> HttpResponse {
    let page = destination_form::page(&chrome::of(request, NAV), before, shown);
    let is_asked = shown.tried.is_some();
    html_with(if is_asked { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, page)
}
