//! `/deliveries/{id}`: one delivery, whether or not its backup is still there.

use actix_session::Session;
use actix_web::{HttpRequest, HttpResponse, web};
use cofferdam_views::{DeliveryItem, Nav, NoticeKind, pages::delivery as view};

use super::{common::refusal, sign_in::Empty};
use crate::{
    app::App,
    http::{
        chrome::{self, html, see_other},
        csrf::CheckedForm,
        guard::Caller,
        session,
    },
    service::{Result, deliveries},
};

/// `GET /deliveries/{id}`
pub async fn show(
    app: web::Data<App>,
    request: HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let delivery = deliveries::find(&app, &id).await?;
    let backup = app.catalog.backup(delivery.backup).await?;
    let item = DeliveryItem {
        is_deleted: backup.is_none(),
        size_bytes: backup.and_then(|it| it.size_bytes),
        attempts: app.catalog.attempts(delivery.id).await?,
        delivery,
    };
    Ok(html(view::page(&chrome::of(&request, Some(Nav::Backups)), &item)))
}

/// `POST /deliveries/{id}/retry`
pub async fn retry(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let delivery = deliveries::find(&app, &id).await?;
    if let Err(error) = deliveries::retry(&app, &caller, &delivery).await {
        session::notice(&session, NoticeKind::Failed, &refusal(error)?);
    }
    Ok(see_other(format!("/deliveries/{}", delivery.id)))
}

/// `POST /deliveries/{id}/cancel`
pub async fn cancel(
    app: web::Data<App>,
    caller: Caller,
    session: Session,
    id: web::Path<String>,
    _form: CheckedForm<Empty>,
) -> Result<HttpResponse> {
    let delivery = deliveries::find(&app, &id).await?;
    if let Err(error) = deliveries::cancel(&app, &caller, &delivery).await {
        session::notice(&session, NoticeKind::Failed, &refusal(error)?);
    }
    Ok(see_other(format!("/deliveries/{}", delivery.id)))
}
