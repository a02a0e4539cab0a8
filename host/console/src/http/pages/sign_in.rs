//! `/setup/{token}`, `/login`, `/logout`.

use std::rc::Rc;

use actix_session::Session;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_model::Secret;
use cofferdam_views::{
    FieldErrors,
    pages::{
        login::{self, LoginPage},
        setup::{self, SetupPage},
    },
};
use serde::Deserialize;

use super::common::form_errors;
use crate::{
    app::App,
    http::{
        chrome::{self, html, html_with, see_other},
        csrf::{CheckedForm, OpenForm},
        guard::{Caller, Remote},
        session,
    },
    service::{self, Actor, Door, Error, Result, users},
};

fn remote(request: &HttpRequest) -> Option<std::net::IpAddr> {
    request.extensions().get::<Remote>().map(|remote| remote.0)
}

/// `GET /setup/{token}`
pub async fn setup_form(
    app: web::Data<App>,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse> {
    let chrome = chrome::of(&request, None);
    if !service::setup::link_is_valid(&app, &token).await? {
        return Ok(html_with(StatusCode::NOT_FOUND, setup::expired(&chrome)));
    }
    let page = SetupPage { token: token.into_inner(), ..SetupPage::default() };
    Ok(html(setup::page(&chrome, &page)))
}

/// The first administrator's form.
#[derive(Deserialize)]
pub struct SetupForm {
    username: String,
    password: Secret,
    password_again: Secret,
}

/// `POST /setup/{token}`: makes the first administrator and signs them in. The
/// link's own secret is the proof that the form is ours.
pub async fn setup(
    app: web::Data<App>,
    request: HttpRequest,
    session: Session,
    token: web::Path<String>,
    OpenForm(form): OpenForm<SetupForm>,
) -> Result<HttpResponse> {
    match service::setup::use_link(
        &app,
        &token,
        &form.username,
        form.password,
        &form.password_again,
    )
    .await
    {
        Ok(id) => {
            session::begin(&session, id, None, &request).map_err(Error::Internal)?;
            Ok(see_other("/"))
        }
        Err(Error::NotFound(_)) => {
            Ok(html_with(StatusCode::NOT_FOUND, setup::expired(&chrome::of(&request, None))))
        }
        Err(error) => {
            let errors = form_errors(error)?;
            let page = SetupPage { token: token.into_inner(), username: form.username, errors };
            Ok(html_with(
                StatusCode::UNPROCESSABLE_ENTITY,
                setup::page(&chrome::of(&request, None), &page),
            ))
        }
    }
}

/// Where to go after the sign-in.
#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
    /// Something was clicked after the session had ended, and was not done.
    ended: Option<bool>,
}

/// Only a path of this console: never another host, however it is spelled.
fn own_path(next: Option<String>) -> Option<String> {
    next.filter(|path| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains('\\')
            && !path.chars().any(char::is_control)
    })
}

/// `GET /login`
pub async fn login_form(
    app: web::Data<App>,
    request: HttpRequest,
    next: web::Query<Next>,
) -> Result<HttpResponse> {
    if request.extensions().get::<Rc<Actor>>().is_some() {
        return Ok(see_other("/"));
    }
    let Next { next, ended } = next.into_inner();
    let page = LoginPage {
        next: own_path(next),
        ended: ended.unwrap_or(false),
        nobody_yet: service::setup::is_open(&app).await?,
        ..LoginPage::default()
    };
    Ok(html(login::page(&chrome::of(&request, None), &page)))
}

/// The sign-in form.
#[derive(Deserialize)]
pub struct LoginForm {
    username: String,
    password: Secret,
    next: Option<String>,
}

/// `POST /login`. There is no session yet whose token could be asked for; that
/// the form comes from this site is checked for every change.
pub async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    session: Session,
    OpenForm(form): OpenForm<LoginForm>,
) -> Result<HttpResponse> {
    let next = own_path(form.next);
    let refused = |status, message: String| {
        let mut errors = FieldErrors::new();
        errors.add_whole(message);
        let page = LoginPage {
            username: form.username.clone(),
            next: next.clone(),
            errors,
            ..LoginPage::default()
        };
        html_with(status, login::page(&chrome::of(&request, None), &page))
    };
    match users::sign_in(&app, Door::Page, &form.username, form.password, remote(&request)).await {
        Ok(users::SignedIn { actor, verified }) => {
            users::signed_in(&app, &actor, verified.id).await?;
            session::begin(&session, verified.id, Some(verified), &request)
                .map_err(Error::Internal)?;
            Ok(see_other(next.unwrap_or_else(|| "/".to_owned())))
        }
        Err(error @ Error::Credentials) => Ok(refused(StatusCode::UNAUTHORIZED, error.to_string())),
        Err(error @ Error::Throttled(seconds)) => {
            let mut answer = refused(StatusCode::TOO_MANY_REQUESTS, error.to_string());
            answer.headers_mut().insert(actix_web::http::header::RETRY_AFTER, seconds.into());
            Ok(answer)
        }
        Err(other) => Err(other),
    }
}

/// `POST /logout`
pub async fn logout(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    users::signed_out(&app, &caller).await?;
    session.purge();
    Ok(see_other("/login"))
}

/// A form with no field but its token.
#[derive(Deserialize)]
pub struct Empty {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_sign_in_nobody_is_sent_to_another_site() {
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
            "/a\nb",
            "",
        ] {
            assert_eq!(own_path(Some(bad.to_owned())), None, "{bad:?}");
        }
        assert_eq!(
            own_path(Some("/backups?page=2".to_owned())).as_deref(),
            Some("/backups?page=2")
        );
    }
}
