//! `/destinations`.

use actix_web::{HttpResponse, web};

use super::Body;
use crate::{
    app::App,
    dto::{
        DeliveryList, Destination, DestinationCheck, DestinationInput, DestinationList, Retention,
        RetentionWish,
    },
    http::guard::Caller,
    service::{Result, deliveries, destinations, retention},
};

/// All destinations, by name.
#[utoipa::path(get, path = "/api/v1/destinations", tag = "destinations", operation_id = "list_destinations", responses((status = 200, body = DestinationList)))]
pub async fn list(app: web::Data<App>) -> Result<HttpResponse> {
    let destinations = destinations::views(&app).await?;
    Ok(HttpResponse::Ok().json(DestinationList { destinations }))
}

/// Adds a destination.
#[utoipa::path(
    post, path = "/api/v1/destinations", tag = "destinations", operation_id = "add_destination", request_body = DestinationInput,
    responses((status = 201, body = Destination), (status = 422, description = "Some fields are wrong; see errors")),
)]
pub async fn create(
    app: web::Data<App>,
    caller: Caller,
    Body(input): Body<DestinationInput>,
) -> Result<HttpResponse> {
    let made = destinations::create(&app, &caller, &input).await?;
    Ok(HttpResponse::Created()
        .insert_header(("location", format!("/api/v1/destinations/{}", made.id)))
        .json(destinations::view(&app, &made).await?))
}

/// One destination, by identifier or short name.
#[utoipa::path(
    get, path = "/api/v1/destinations/{id}", tag = "destinations", operation_id = "get_destination", params(("id" = String, Path,)),
    responses((status = 200, body = Destination), (status = 404)),
)]
pub async fn get(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    Ok(HttpResponse::Ok().json(destinations::view(&app, &destination).await?))
}

/// Changes a destination; a field that is left out keeps its value. Settings
/// are replaced as a whole, but for secrets that are left out.
#[utoipa::path(
    patch, path = "/api/v1/destinations/{id}", tag = "destinations", operation_id = "update_destination", params(("id" = String, Path,)),
    request_body = DestinationInput,
    responses((status = 200, body = Destination), (status = 404), (status = 409), (status = 422)),
)]
pub async fn update(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    Body(input): Body<DestinationInput>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    let changed = destinations::update(&app, &caller, &destination, &input).await?;
    Ok(HttpResponse::Ok().json(destinations::view(&app, &changed).await?))
}

/// Forgets a destination; what it keeps stays there.
#[utoipa::path(
    delete, path = "/api/v1/destinations/{id}", tag = "destinations", operation_id = "remove_destination", params(("id" = String, Path,)),
    responses((status = 204), (status = 404), (status = 409, description = "A delivery to it runs")),
)]
pub async fn remove(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    destinations::remove(&app, &caller, &destination).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Asks the plugin whether a destination with these settings would work, before
/// there is one. Nothing is stored, and what is granted along with them counts for
/// this test alone.
#[utoipa::path(
    post, path = "/api/v1/destinations/check", tag = "destinations", operation_id = "try_destination", request_body = DestinationInput,
    responses((status = 200, body = DestinationCheck), (status = 422, description = "Some fields are wrong; see errors")),
)]
pub async fn try_out(
    app: web::Data<App>,
    caller: Caller,
    Body(input): Body<DestinationInput>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(destinations::try_out(&app, &caller, &input, None).await?))
}

/// Asks the plugin whether the destination works now, and keeps what it said.
/// With changes in the body: whether it would work with them. Then nothing is kept.
#[utoipa::path(
    post, path = "/api/v1/destinations/{id}/check", tag = "destinations", operation_id = "check_destination", params(("id" = String, Path,)),
    request_body = Option<DestinationInput>,
    responses((status = 200, body = DestinationCheck), (status = 404), (status = 422, description = "Some fields are wrong; see errors")),
)]
pub async fn check(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    Body(changes): Body<DestinationInput>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    if changes != DestinationInput::default() {
        let found = destinations::try_out(&app, &caller, &changes, Some(&destination)).await?;
        return Ok(HttpResponse::Ok().json(found));
    }
    Ok(HttpResponse::Ok().json(destinations::check(&app, &destination).await?))
}

/// Sends a test notification.
#[utoipa::path(
    post, path = "/api/v1/destinations/{id}/test", tag = "destinations", operation_id = "test_destination", params(("id" = String, Path,)),
    responses((status = 200, body = DestinationCheck), (status = 404), (status = 409, description = "It tells nobody anything")),
)]
pub async fn test(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    Ok(HttpResponse::Ok().json(destinations::send_test(&app, &caller, &destination).await?))
}

/// Which copies there would go now, as the plugin's policy has it, and why.
/// Removes nothing.
#[utoipa::path(
    get, path = "/api/v1/destinations/{id}/retention", tag = "destinations", operation_id = "preview_retention", params(("id" = String, Path,)),
    responses((status = 200, body = Retention), (status = 404), (status = 409, description = "It has no policy, or keeps no copies")),
)]
pub async fn preview_retention(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    Ok(HttpResponse::Ok().json(retention::preview(&app, &destination).await?))
}

/// Has the copies go whose time is over. They are removed one after the other,
/// as deliveries.
#[utoipa::path(
    post, path = "/api/v1/destinations/{id}/retention", tag = "destinations", operation_id = "run_retention", params(("id" = String, Path,)),
    request_body = RetentionWish,
    responses((status = 200, description = "What would go", body = Retention), (status = 202, description = "What goes", body = Retention), (status = 404), (status = 409, description = "It has no policy, or keeps no copies")),
)]
pub async fn run_retention(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    Body(wish): Body<RetentionWish>,
) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    if wish.dry_run {
        return Ok(HttpResponse::Ok().json(retention::preview(&app, &destination).await?));
    }
    Ok(HttpResponse::Accepted().json(retention::run(&app, &caller, &destination).await?))
}

/// The newest deliveries to a destination, and what may be left there of
/// deleted backups.
#[utoipa::path(
    get, path = "/api/v1/destinations/{id}/deliveries", tag = "destinations", operation_id = "list_deliveries", params(("id" = String, Path,)),
    responses((status = 200, body = DeliveryList), (status = 404)),
)]
pub async fn deliveries(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    let destination = destinations::find(&app, &id).await?;
    Ok(HttpResponse::Ok().json(deliveries::list(&app, &destination).await?))
}
