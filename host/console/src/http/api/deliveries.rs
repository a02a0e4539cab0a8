//! `/deliveries`, and the same under the backup that they are of. A removal
//! outlives its backup's record, and is found by its own address alone.

use actix_web::{HttpResponse, web};

use crate::{
    app::App,
    dto::DeliveryDetail,
    http::guard::Caller,
    service::{Result, backups, deliveries},
};

/// One delivery with its attempts and their logs.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", tag = "deliveries", operation_id = "get_delivery", params(("id" = String, Path,)),
    responses((status = 200, body = DeliveryDetail), (status = 404)),
)]
pub async fn get(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    let delivery = deliveries::find(&app, &id).await?;
    Ok(HttpResponse::Ok().json(deliveries::detail(&app, &delivery).await?))
}

/// Tries a delivery now, also one that was given up or cancelled. A removal
/// takes an administrator, and a policy that still asks for it.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/retry", tag = "deliveries", operation_id = "retry_delivery", params(("id" = String, Path,)),
    responses((status = 202, body = DeliveryDetail), (status = 403), (status = 404), (status = 409, description = "It runs or is done, its backup was deleted, or the copy is to stay")),
)]
pub async fn retry(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let delivery = deliveries::find(&app, &id).await?;
    deliveries::retry(&app, &caller, &delivery).await?;
    let now = deliveries::find(&app, &id).await?;
    Ok(HttpResponse::Accepted().json(deliveries::detail(&app, &now).await?))
}

/// Stops a delivery that waits or runs.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/cancel", tag = "deliveries", operation_id = "cancel_delivery", params(("id" = String, Path,)),
    responses((status = 202, body = DeliveryDetail), (status = 404), (status = 409, description = "It is over already")),
)]
pub async fn cancel(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let delivery = deliveries::find(&app, &id).await?;
    deliveries::cancel(&app, &caller, &delivery).await?;
    let now = deliveries::find(&app, &id).await?;
    Ok(HttpResponse::Accepted().json(deliveries::detail(&app, &now).await?))
}

/// One delivery of a backup with its attempts and their logs.
#[utoipa::path(
    get, path = "/api/v1/backups/{id}/deliveries/{delivery}", tag = "backups", operation_id = "get_backup_delivery",
    params(("id" = String, Path,), ("delivery" = String, Path,)),
    responses((status = 200, body = DeliveryDetail), (status = 404)),
)]
pub async fn get_of(
    app: web::Data<App>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &path.0).await?;
    let delivery = deliveries::find_of(&app, &backup, &path.1).await?;
    Ok(HttpResponse::Ok().json(deliveries::detail(&app, &delivery).await?))
}

/// Tries a delivery now, also one that was given up or cancelled. A removal
/// takes an administrator, and a policy that still asks for it.
#[utoipa::path(
    post, path = "/api/v1/backups/{id}/deliveries/{delivery}/retry", tag = "backups", operation_id = "retry_backup_delivery",
    params(("id" = String, Path,), ("delivery" = String, Path,)),
    responses((status = 202, body = DeliveryDetail), (status = 403), (status = 404), (status = 409, description = "It runs or is done, or the copy is to stay")),
)]
pub async fn retry_of(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &path.0).await?;
    let delivery = deliveries::find_of(&app, &backup, &path.1).await?;
    deliveries::retry(&app, &caller, &delivery).await?;
    let now = deliveries::find_of(&app, &backup, &path.1).await?;
    Ok(HttpResponse::Accepted().json(deliveries::detail(&app, &now).await?))
}

/// Stops a delivery that waits or runs.
#[utoipa::path(
    post, path = "/api/v1/backups/{id}/deliveries/{delivery}/cancel", tag = "backups", operation_id = "cancel_backup_delivery",
    params(("id" = String, Path,), ("delivery" = String, Path,)),
    responses((status = 202, body = DeliveryDetail), (status = 404), (status = 409, description = "It is over already")),
)]
pub async fn cancel_of(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &path.0).await?;
    let delivery = deliveries::find_of(&app, &backup, &path.1).await?;
    deliveries::cancel(&app, &caller, &delivery).await?;
    let now = deliveries::find_of(&app, &backup, &path.1).await?;
    Ok(HttpResponse::Accepted().json(deliveries::detail(&app, &now).await?))
}
