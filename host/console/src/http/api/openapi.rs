//! `/api/openapi.json`, made from the handlers themselves.

use actix_web::HttpResponse;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{backups, databases, deliveries, destinations, events, plugins, session, status};

/// The document. A test holds its paths against the route table.
#[derive(OpenApi)]
#[openapi(
    info(title = "Cofferdam", description = "A self-hosted backup console for databases. Errors are problem details (RFC 9457)."),
    paths(
        session::login, status::show,
        databases::list, databases::create, databases::get, databases::update, databases::remove, databases::check,
        backups::create, backups::list, backups::stats, backups::get, backups::state, backups::log, events::stream,
        backups::download, backups::cancel, backups::pin, backups::labels, backups::delete,
        deliveries::get, deliveries::retry, deliveries::cancel,
        deliveries::get_of, deliveries::retry_of, deliveries::cancel_of,
        destinations::list, destinations::create, destinations::get, destinations::update, destinations::remove, destinations::try_out, destinations::check, destinations::test, destinations::preview_retention, destinations::run_retention, destinations::deliveries,
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_parameter_is_of_the_path_where_the_path_names_it_and_optional_elsewhere() {
        let document = serde_json::to_value(Api::openapi()).expect("it is JSON");
        let mut seen = 0;
        for (path, calls) in document["paths"].as_object().expect("paths") {
            for (method, call) in calls.as_object().expect("calls") {
                let given = call["parameters"].as_array().map_or(&[][..], Vec::as_slice);
                for it in given {
                    let (name, place) = (it["name"].as_str().expect("a name"), &it["in"]);
                    let what = format!("{method} {path}: {name}");
                    let in_path = path.contains(&format!("{{{name}}}"));
                    assert_eq!(place == "path", in_path, "{what} is in {place}");
                    assert!(in_path || place == "query" || place == "header", "{what}: {place}");
                    // A file that is sent needs its name; every other filter may be left out.
                    let needed = in_path || (path == "/api/v1/plugins" && name == "name");
                    assert_eq!(it["required"] == true, needed, "{what}");
                    seen += 1;
                }
                for part in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                    let named = |it: &Value| it["name"] == part;
                    assert!(given.iter().any(named), "{method} {path}: {part} is not described");
                }
            }
        }
        assert!(seen > 10, "{seen}");
    }
}
