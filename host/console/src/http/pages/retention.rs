//! `/destinations/{id}/retention`: what has had its time there.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, web};
use cofferdam_model::Destination;
use cofferdam_views::{
    Nav, NoticeKind,
    pages::destination_retention::{self as view, RetentionItem, RetentionOf, RetentionPage},
};

use super::{common::refusal, sign_in::Empty};
use crate::{
    app::App,
    dto,
    http::{
        chrome::{self, html, see_other},
        csrf::CheckedForm,
        guard::Caller,
        session,
    },
    service::{Result, destinations, retention},
};

const NAV: Option<Nav> = Some(Nav::Destinations);

fn item(copy: &dto::ExpiredCopy) -> Option<RetentionItem> {
    Some(RetentionItem {
        backup: copy.backup.parse().ok()?,
        filename: copy.filename.clone(),
        created_at: copy.created_at,
        size_bytes: copy.size_bytes,
        reason: copy.reason.clone(),
    })
}

fn data(destination: Destination, found: Result<dto::Retention>) -> Result<RetentionPage> {
    let (databases, refused) = match found {
        Ok(found) => (found.databases, None),
        Err(error) => (Vec::new(), Some(refusal(error)?)),
    };
    let of = |of: dto::DatabaseRetention| RetentionOf {
        goes: of.goes.iter().filter_map(item).collect(),
        stays: of.stays.iter().filter_map(item).collect(),
        database: of.database,
        copies: of.copies,
        held: of.held,
    };
    Ok(RetentionPage { destination, databases: databases.into_iter().map(of).collect(), refused })
}

/// `GET /destinations/{id}/retention`
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    let found = retention::preview(&app, &destination).await;
    let data = data(destination, found)?;
    Ok(html(view::page(&chrome::of(&request, NAV), &data)))
}

/// `POST /destinations/{id}/retention`
pub async fn run(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    let (kind, text) = match retention::run(&app, &caller, &destination).await {
        Ok(done) => match done.databases.iter().map(|it| it.goes.len()).sum::<usize>() {
            0 => (NoticeKind::Done, "Nothing goes any more.".to_owned()),
            1 => (NoticeKind::Done, "1 copy is being removed.".to_owned()),
            count => (NoticeKind::Done, format!("{count} copies are being removed.")),
        },
        Err(error) => (NoticeKind::Failed, refusal(error)?),
    };
    session::notice(&session, kind, &text);
    Ok(see_other(format!("/destinations/{}", destination.id)))
}
