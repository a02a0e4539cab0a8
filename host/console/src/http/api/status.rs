//! `/status`

use actix_web::{HttpResponse, web};

use crate::{
    app::App,
    dto::Status,
    service::{Result, status},
};

/// How the console stands.
#[utoipa::path(get, path = "/api/v1/status", tag = "status", operation_id = "get_status", responses((status = 200, body = Status)))]
pub async fn show(app: web::Data<App>) -> Result<HttpResponse> {
    Ok(HttpResponse::Ok().json(status::status(&app).await?))
}
