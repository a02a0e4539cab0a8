//! `/plugins`

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Bytes},
};
use serde::Deserialize;

use super::{Body, query};
use crate::{
    app::App,
    dto::{Approval, Plugin, PluginList},
    http::{csrf::upload_in_time, guard::Caller},
    service::{Error, Result, plugins},
};

/// All plugins: what is in the folder, what the program carries, and what was
/// approved and is gone.
#[utoipa::path(get, path = "/api/v1/plugins", tag = "plugins", operation_id = "list_plugins", responses((status = 200, body = PluginList)))]
pub async fn list(app: web::Data<App>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(all(&app).await?))
}

/// The same for the command line.
pub async fn all(app: &App) -> Result<PluginList> {
    let folder = app.plugins.folder().display().to_string();
    let plugins = plugins::list(app).await?;
    Ok(PluginList { plugins, folder, problem: app.plugins.problem() })
}

/// The name of an upload.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UploadQuery {
    name: String,
}

/// Puts a component into the plugin folder, in place of one with the same
/// name. The body is the file. It waits for approval.
#[utoipa::path(
    post, path = "/api/v1/plugins", tag = "plugins", operation_id = "upload_plugin",
    params(("name" = String, Query, description = "The file's name: my-plugin.wasm")),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 201, body = Plugin), (status = 413), (status = 422)),
)]
pub async fn upload(
    app: web::Data<App>,
    caller: Caller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let name = query::<UploadQuery>(&request)?.name;
    let most = usize::try_from(crate::plugins::FILE_MAX).unwrap_or(usize::MAX);
    let bytes: Bytes = upload_in_time(payload.to_bytes_limited(most))
        .await?
        .map_err(|_| Error::TooLarge)?
        .map_err(|error| Error::form(&error))?;
    let plugin = plugins::upload(&app, &caller, &name, bytes).await?;
    Ok(HttpResponse::Created().json(plugin))
}

/// One plugin, by the hash of its file or at least six digits of it, by its
/// file's name, or by its short name.
#[utoipa::path(
    get, path = "/api/v1/plugins/{hash}", tag = "plugins", operation_id = "get_plugin", params(("hash" = String, Path,)),
    responses((status = 200, body = Plugin), (status = 404)),
)]
pub async fn get(app: web::Data<App>, hash: web::Path<String>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(plugins::find(&app, &hash).await?))
}

/// Approves a component, named by the whole SHA-256 of its file, or changes what
/// it may touch. What is given is all that it may touch from then on.
#[utoipa::path(
    post, path = "/api/v1/plugins/{hash}/approve", tag = "plugins", operation_id = "approve_plugin", params(("hash" = String, Path,)),
    request_body = Approval,
    responses((status = 200, body = Plugin), (status = 404), (status = 409, description = "There is nothing to approve now"), (status = 422)),
)]
pub async fn approve(
    app: web::Data<App>,
    caller: Caller,
    hash: web::Path<String>,
    Body(wish): Body<Approval>,
) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(plugins::approve(&app, &caller, &hash, &wish).await?))
}

/// Takes approval and grants back. What runs goes on to its end.
#[utoipa::path(
    post, path = "/api/v1/plugins/{hash}/revoke", tag = "plugins", operation_id = "revoke_plugin", params(("hash" = String, Path,)),
    responses((status = 200, body = Plugin), (status = 404), (status = 409, description = "It is not approved")),
)]
pub async fn revoke(
    app: web::Data<App>,
    caller: Caller,
    hash: web::Path<String>,
) -> Result<HttpResponse> {
    plugins::revoke(&app, &caller, &hash).await?;
    match plugins::find(&app, &hash).await {
        Ok(plugin) => Ok(HttpResponse::Ok().json(plugin)),
        // Its file is gone, and without approval nothing of it is left.
        Err(Error::NotFound(_)) => Ok(HttpResponse::NoContent().finish()),
        Err(other) => Err(other),
    }
}
