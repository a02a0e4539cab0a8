//! `/api/openapi.json`, made from the handlers themselves.

use actix_web::HttpResponse;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{backups, databases, destinations, events, plugins, session, status};

/// The document. A test holds its paths against the route table.
#[derive(OpenApi)]
#[openapi(
    info(title = "Cofferdam", description = "A self-hosted backup console for databases. Errors are problem details (RFC 9457)."),
    paths(
        session::login, status::show,
        databases::list, databases::create, databases::get, databases::update, databases::remove, databases::check,
        backups::create, backups::list, backups::stats, backups::get, backups::state, backups::log, events::stream,
        backups::download, backups::cancel, backups::pin, backups::labels, backups::delete,
        destinations::delivery, destinations::retry, destinations::cancel,
        destinations::list, destinations::create, destinations::get, destinations::update, destinations::remove, destinations::check, destinations::test,
        plugins::list, plugins::upload, plugins::get, plugins::approve, plugins::revoke,
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
)]
pub struct Api;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// `GET /api/openapi.json`
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(Api::openapi())
}
