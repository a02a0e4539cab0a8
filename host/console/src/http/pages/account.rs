//! `/account`: one's own password and sessions.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use cofferdam_model::Secret;
use cofferdam_views::{
    FieldErrors, Nav, NoticeKind,
    pages::account::{self as view, AccountPage, SessionItem},
};
use serde::Deserialize;

use super::{common::form_errors, sign_in::Empty};
use crate::{
    app::App,
    http::{
        chrome::{self, html, html_with, see_other},
        csrf::CheckedForm,
        guard::Caller,
        session,
    },
    service::{Actor, Error, Result, sessions, users},
};

async fn data(
    app: &App,
    actor: &Actor,
    session: &Session,
    errors: FieldErrors,
) -> Result<AccountPage> {
    let id = actor.user.ok_or(Error::SignedOut)?;
    let user = app.catalog.user(id).await?.ok_or(Error::SignedOut)?;
    let own = match session::digest(session) {
        Some(digest) => app.catalog.session(digest, app.now()).await?.map(|it| it.id),
        None => None,
    };
    let others = app.catalog.sessions_of(id, app.now()).await?;
    let sessions = others.into_iter().map(|it| {
        let (address, agent) = session::origin(&it.state);
        SessionItem {
            current: Some(it.id) == own,
            id: it.id,
            created_at: it.created_at,
            seen_at: it.last_seen_at,
            address,
            agent,
        }
    });
    Ok(AccountPage {
        created_at: user.created_at,
        password_changed_at: (user.password_changed_at != user.created_at)
            .then_some(user.password_changed_at),
        password_errors: errors,
        sessions: sessions.collect(),
    })
}

/// `GET /account`
pub async fn show(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let data = data(&app, &caller, &session, FieldErrors::new()).await?;
    Ok(html(view::page(&chrome::of(&request, Some(Nav::Account)), &data)))
}

/// Present and new password.
#[derive(Deserialize)]
pub struct PasswordForm {
    current: Secret,
    new: Secret,
    repeat: Secret,
}

/// `POST /account/password`: ends every other session, and renews this one's key.
pub async fn password(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    request: HttpRequest,
    CheckedForm(form): CheckedForm<PasswordForm>,
) -> Result<HttpResponse> {
    let keep = session::digest(&session);
    match users::change_password(&app, &caller, form.current, form.new, &form.repeat, keep).await {
        Ok(()) => {
            session.renew();
            session::notice(
                &session,
                NoticeKind::Done,
                "Your password was changed. Other sessions and tokens have ended.",
            );
            Ok(see_other("/account"))
        }
        Err(error) => {
            let data = data(&app, &caller, &session, form_errors(error)?).await?;
            let page = view::page(&chrome::of(&request, Some(Nav::Account)), &data);
            Ok(html_with(StatusCode::UNPROCESSABLE_ENTITY, page))
        }
    }
}

/// `POST /account/sessions/end`: signs out everywhere else.
pub async fn end_sessions(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    sessions::end_others(&app, &caller, session::digest(&session)).await?;
    session::notice(&session, NoticeKind::Done, "Your other sessions have ended.");
    Ok(see_other("/account"))
}
