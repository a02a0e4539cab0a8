//! `/healthz` and `/readyz`, for whatever supervises the process. They say
//! nothing that a stranger may not know.

use actix_web::{HttpResponse, web::Data};

use crate::app::App;

/// The process answers.
pub async fn alive() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The process can work: the catalog answers and the backup folder is there.
pub async fn ready(app: Data<App>) -> HttpResponse {
    if let Err(error) = app.catalog.health().await {
        tracing::warn!("not ready: {error}");
        return HttpResponse::ServiceUnavailable()
            .content_type("text/plain")
            .body("the catalog does not answer\n");
    }
    if let Err(failure) = app.folder().await {
        tracing::warn!("not ready: {failure}");
        return HttpResponse::ServiceUnavailable()
            .content_type("text/plain")
            .body("the backup folder cannot be used\n");
    }
    HttpResponse::Ok().content_type("text/plain").body("ready\n")
}
