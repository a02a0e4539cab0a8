//! `/databases`

use actix_web::{HttpResponse, web};
use cofferdam_backup::Preflight;

use super::Body;
use crate::{
    app::App,
    dto::{AddedDatabase, Database, DatabaseInput, DatabaseList},
    http::guard::Caller,
    service::{Result, databases},
};

/// All databases, by name.
#[utoipa::path(get, path = "/api/v1/databases", tag = "databases", operation_id = "list_databases", responses((status = 200, body = DatabaseList)))]
pub async fn list(app: web::Data<App>) -> Result<HttpResponse> {
    let databases = databases::list(&app).await?;
    Ok(HttpResponse::Ok()
        .json(DatabaseList { databases: databases.iter().map(Database::new).collect() }))
}

/// Adds a database, and looks at it at once, some seconds long at most. It is
/// stored whatever `first_look` says: its server may be down for now.
#[utoipa::path(
    post, path = "/api/v1/databases", tag = "databases", operation_id = "add_database", request_body = DatabaseInput,
    responses((status = 201, body = AddedDatabase), (status = 422, description = "Some fields are wrong; see errors")),
)]
pub async fn create(
    app: web::Data<App>,
    caller: Caller,
    Body(input): Body<DatabaseInput>,
) -> Result<HttpResponse> {
    let added = databases::add(&app.into_inner(), &caller, &input).await?;
    Ok(HttpResponse::Created()
        .insert_header(("location", format!("/api/v1/databases/{}", added.database.id)))
        .json(AddedDatabase::new(&added)))
}

/// One database, by identifier or short name.
#[utoipa::path(
    get, path = "/api/v1/databases/{id}", tag = "databases", operation_id = "get_database", params(("id" = String, Path,)),
    responses((status = 200, body = Database), (status = 404)),
)]
pub async fn get(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(Database::new(&databases::find(&app, &id).await?)))
}

/// Changes a database; a field that is left out keeps its value.
#[utoipa::path(
    patch, path = "/api/v1/databases/{id}", tag = "databases", operation_id = "update_database", params(("id" = String, Path,)),
    request_body(content = DatabaseInput, example = json!({"name": "shop"})),
    responses((status = 200, body = Database), (status = 404), (status = 422)),
)]
pub async fn update(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
    Body(input): Body<DatabaseInput>,
) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    Ok(HttpResponse::Ok()
        .json(Database::new(&databases::update(&app, &caller, &database, &input).await?)))
}

/// Forgets a database; its backups stay.
#[utoipa::path(
    delete, path = "/api/v1/databases/{id}", tag = "databases", operation_id = "remove_database", params(("id" = String, Path,)),
    responses((status = 204), (status = 404), (status = 409, description = "A backup of it runs")),
)]
pub async fn remove(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    databases::remove(&app, &caller, &database).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Looks whether a backup would work now.
#[utoipa::path(
    post, path = "/api/v1/databases/{id}/check", tag = "databases", operation_id = "check_database", params(("id" = String, Path,)),
    responses(
        (status = 200, description = "What was found; problems that block and problems that deserve a look", body = Object),
        (status = 404),
        (status = 502, description = "The database cannot be looked at; kind says why"),
    ),
)]
pub async fn check(app: web::Data<App>, id: web::Path<String>) -> Result<HttpResponse> {
    let database = databases::find(&app, &id).await?;
    let found = databases::check(&app.into_inner(), &database).await?.found?;
    Ok(HttpResponse::Ok().json(check_json(&found)))
}

/// The findings, with the one answer that most callers want.
pub fn check_json(found: &Preflight) -> serde_json::Value {
    let mut json = serde_json::to_value(found).unwrap_or_default();
    json["ok"] = found.is_clear().into();
    json
}
