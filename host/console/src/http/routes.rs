//! The route table: every address, its methods, and the role that each needs.

use std::sync::Arc;

use actix_web::{
    Error as WebError, HttpResponse, Resource,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::Method,
    middleware::from_fn,
    web::{self, ServiceConfig},
};
use cofferdam_model::Role::{Administrator, Operator, Viewer};

use super::{
    api, assets,
    csrf::same_site,
    download,
    guard::{Caller, Entrance, identify, route},
    health, pages, session,
};
use crate::{
    app::App,
    service::{Error, Result, backups},
};

/// Forms are small.
const FORM_MAX: usize = 64 << 10;

/// Everything that the console answers.
pub fn all(app: &web::Data<App>) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let app = app.clone();
    move |config: &mut ServiceConfig| {
        let _ = config
            .service(web::resource("/healthz").get(health::alive))
            .service(web::resource("/readyz").get(health::ready))
            .service(web::resource("/assets/{name}").get(assets::serve))
            .service(
                web::resource("/api/docs")
                    .wrap(from_fn(|request, next| identify(Entrance::Session, request, next)))
                    .wrap(session::middleware(&app.clone().into_inner()))
                    .get(api::docs::page),
            )
            .service(api_scope())
            .service(page_scope(app.into_inner()));
    }
}

fn api_scope() -> actix_web::Scope<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = WebError,
        InitError = (),
    >,
> {
    web::scope("/api")
        .app_data(web::PayloadConfig::new(api::BODY_MAX))
        .wrap(from_fn(|request, next| identify(Entrance::Bearer, request, next)))
        .service(web::resource("/openapi.json").get(api::openapi::document))
        .service(
            web::scope("/v1")
                .service(web::resource("/auth/login").post(api::session::login))
                .service(
                    web::resource("/status")
                        .route(route(Method::GET, Viewer).to(api::status::show)),
                )
                .configure(api_databases)
                .configure(api_backups)
                .configure(api_deliveries)
                .configure(api_destinations)
                .configure(api_plugins),
        )
        .default_service(web::to(|| async { Err::<HttpResponse, _>(Error::NotFound("address")) }))
}

fn api_databases(config: &mut ServiceConfig) {
    let _ = config
        .service(
            web::resource("/databases")
                .route(route(Method::GET, Viewer).to(api::databases::list))
                .route(route(Method::POST, Administrator).to(api::databases::create)),
        )
        .service(
            web::resource("/databases/{id}")
                .route(route(Method::GET, Viewer).to(api::databases::get))
                .route(route(Method::PATCH, Administrator).to(api::databases::update))
                .route(route(Method::DELETE, Administrator).to(api::databases::remove)),
        )
        .service(
            web::resource("/databases/{id}/check")
                .route(route(Method::POST, Operator).to(api::databases::check)),
        );
}

fn api_backups(config: &mut ServiceConfig) {
    let _ = config
        .service(
            web::resource("/backups")
                .route(route(Method::GET, Viewer).to(api::backups::list))
                .route(route(Method::POST, Operator).to(api::backups::create)),
        )
        .service(
            web::resource("/backups/stats")
                .route(route(Method::GET, Viewer).to(api::backups::stats)),
        )
        .service(
            web::resource("/backups/{id}")
                .route(route(Method::GET, Viewer).to(api::backups::get))
                .route(route(Method::DELETE, Administrator).to(api::backups::delete)),
        )
        .service(
            web::resource("/backups/{id}/status")
                .route(route(Method::GET, Viewer).to(api::backups::state)),
        )
        .service(
            web::resource("/backups/{id}/log")
                .route(route(Method::GET, Viewer).to(api::backups::log)),
        )
        .service(
            web::resource("/backups/{id}/events")
                .route(route(Method::GET, Viewer).to(api::events::stream)),
        )
        .service(
            web::resource("/backups/{id}/download")
                .route(route(Method::GET, Operator).to(api::backups::download))
                .route(route(Method::HEAD, Operator).to(api::backups::download)),
        )
        .service(
            web::resource("/backups/{id}/cancel")
                .route(route(Method::POST, Operator).to(api::backups::cancel)),
        )
        .service(
            web::resource("/backups/{id}/labels")
                .route(route(Method::PUT, Operator).to(api::backups::labels)),
        )
        .service(
            web::resource("/backups/{id}/pin")
                .route(route(Method::POST, Operator).to(api::backups::pin)),
        );
}

fn api_deliveries(config: &mut ServiceConfig) {
    let _ = config
        .service(
            web::resource("/deliveries/{id}")
                .route(route(Method::GET, Viewer).to(api::deliveries::get)),
        )
        .service(
            web::resource("/deliveries/{id}/retry")
                .route(route(Method::POST, Operator).to(api::deliveries::retry)),
        )
        .service(
            web::resource("/deliveries/{id}/cancel")
                .route(route(Method::POST, Operator).to(api::deliveries::cancel)),
        )
        .service(
            web::resource("/backups/{id}/deliveries/{delivery}")
                .route(route(Method::GET, Viewer).to(api::deliveries::get_of)),
        )
        .service(
            web::resource("/backups/{id}/deliveries/{delivery}/retry")
                .route(route(Method::POST, Operator).to(api::deliveries::retry_of)),
        )
        .service(
            web::resource("/backups/{id}/deliveries/{delivery}/cancel")
                .route(route(Method::POST, Operator).to(api::deliveries::cancel_of)),
        );
}

fn api_destinations(config: &mut ServiceConfig) {
    let _ = config
        .service(
            web::resource("/destinations")
                .route(route(Method::GET, Administrator).to(api::destinations::list))
                .route(route(Method::POST, Administrator).to(api::destinations::create)),
        )
        .service(
            web::resource("/destinations/check")
                .route(route(Method::POST, Administrator).to(api::destinations::try_out)),
        )
        .service(
            web::resource("/destinations/{id}")
                .route(route(Method::GET, Administrator).to(api::destinations::get))
                .route(route(Method::PATCH, Administrator).to(api::destinations::update))
                .route(route(Method::DELETE, Administrator).to(api::destinations::remove)),
        )
        .service(
            web::resource("/destinations/{id}/check")
                .route(route(Method::POST, Administrator).to(api::destinations::check)),
        )
        .service(
            web::resource("/destinations/{id}/test")
                .route(route(Method::POST, Administrator).to(api::destinations::test)),
        )
        .service(
            web::resource("/destinations/{id}/deliveries")
                .route(route(Method::GET, Administrator).to(api::destinations::deliveries)),
        )
        .service(
            web::resource("/destinations/{id}/retention")
                .route(route(Method::GET, Administrator).to(api::destinations::preview_retention))
                .route(route(Method::POST, Administrator).to(api::destinations::run_retention)),
        );
}

fn api_plugins(config: &mut ServiceConfig) {
    let _ = config
        .service(
            web::resource("/plugins")
                .route(route(Method::GET, Administrator).to(api::plugins::list))
                .route(route(Method::POST, Administrator).to(api::plugins::upload)),
        )
        .service(
            web::resource("/plugins/{hash}")
                .route(route(Method::GET, Administrator).to(api::plugins::get)),
        )
        .service(
            web::resource("/plugins/{hash}/approve")
                .route(route(Method::POST, Administrator).to(api::plugins::approve)),
        )
        .service(
            web::resource("/plugins/{hash}/revoke")
                .route(route(Method::POST, Administrator).to(api::plugins::revoke)),
        );
}

fn page(path: &str) -> Resource {
    web::resource(path)
}

fn page_destinations(config: &mut ServiceConfig) {
    use pages::{destination, destination_try, destinations, retention};
    let get = |role| route(Method::GET, role);
    let post = |role| route(Method::POST, role);
    let _ = config
        .service(
            page("/destinations")
                .route(get(Administrator).to(destinations::list))
                .route(post(Administrator).to(destinations::create)),
        )
        .service(page("/destinations/new").route(get(Administrator).to(destinations::new)))
        .service(page("/destinations/try").route(post(Administrator).to(destination_try::try_new)))
        .service(page("/destinations/preview").route(get(Administrator).to(destinations::preview)))
        .service(page("/destinations/{id}").route(get(Administrator).to(destination::show)))
        .service(
            page("/destinations/{id}/edit")
                .route(get(Administrator).to(destinations::edit_form))
                .route(post(Administrator).to(destinations::edit)),
        )
        .service(
            page("/destinations/{id}/try")
                .route(post(Administrator).to(destination_try::try_change)),
        )
        .service(page("/destinations/{id}/check").route(post(Administrator).to(destination::check)))
        .service(
            page("/destinations/{id}/test").route(post(Administrator).to(destination::send_test)),
        )
        .service(
            page("/destinations/{id}/retention")
                .route(get(Administrator).to(retention::show))
                .route(post(Administrator).to(retention::run)),
        )
        .service(
            page("/destinations/{id}/enabled").route(post(Administrator).to(destination::enabled)),
        )
        .service(
            page("/destinations/{id}/delete")
                .route(get(Administrator).to(destination::delete_form))
                .route(post(Administrator).to(destination::delete)),
        );
}

fn page_plugins(config: &mut ServiceConfig) {
    use pages::plugins;
    let get = |role| route(Method::GET, role);
    let post = |role| route(Method::POST, role);
    let _ = config
        .service(
            page("/plugins")
                .route(get(Administrator).to(plugins::list))
                .route(post(Administrator).to(plugins::upload)),
        )
        .service(page("/plugins/{key}").route(get(Administrator).to(plugins::show)))
        .service(page("/plugins/{key}/approve").route(post(Administrator).to(plugins::approve)))
        .service(
            page("/plugins/{key}/revoke")
                .route(get(Administrator).to(plugins::revoke_form))
                .route(post(Administrator).to(plugins::revoke)),
        );
}

#[allow(clippy::needless_pass_by_value)] // A reference would tie the scope to its lifetime.
fn page_scope(
    app: Arc<App>,
) -> actix_web::Scope<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = WebError,
        InitError = (),
    >,
> {
    use pages::{
        account, backup, backups, database, databases, delivery, events, overview, sign_in,
    };
    let get = |role| route(Method::GET, role);
    let post = |role| route(Method::POST, role);
    web::scope("")
        .app_data(web::FormConfig::default().limit(FORM_MAX))
        // The last one wrapped is the first to see a request.
        .wrap(from_fn(same_site))
        .wrap(from_fn(|request, next| identify(Entrance::Session, request, next)))
        .wrap(session::middleware(&app))
        .service(page("/setup/{token}").get(sign_in::setup_form).post(sign_in::setup))
        .service(page("/login").get(sign_in::login_form).post(sign_in::login))
        .service(page("/logout").route(post(Viewer).to(sign_in::logout)))
        .service(page("/").route(get(Viewer).to(overview::show)))
        .service(page("/events").route(get(Viewer).to(events::stream)))
        .service(
            page("/backups")
                .route(get(Viewer).to(backups::list))
                .route(post(Operator).to(backups::create)),
        )
        .service(page("/backups/new").route(get(Operator).to(backups::new)))
        .service(page("/backups/{id}").route(get(Viewer).to(backup::show)))
        .service(page("/backups/{id}/row").route(get(Viewer).to(backup::row)))
        .service(page("/backups/{id}/live").route(get(Viewer).to(backup::live)))
        .service(page("/backups/{id}/log").route(get(Viewer).to(backup::log)))
        .service(
            page("/backups/{id}/download")
                .route(get(Operator).to(page_download))
                .route(route(Method::HEAD, Operator).to(page_download)),
        )
        .service(page("/backups/{id}/cancel").route(post(Operator).to(backup::cancel)))
        .service(page("/backups/{id}/pin").route(post(Operator).to(backup::pin)))
        .service(page("/backups/{id}/labels").route(post(Operator).to(backup::labels)))
        .service(
            page("/backups/{id}/delete")
                .route(get(Administrator).to(backup::delete_form))
                .route(post(Administrator).to(backup::delete)),
        )
        .service(
            page("/databases")
                .route(get(Viewer).to(databases::list))
                .route(post(Administrator).to(databases::create)),
        )
        .service(page("/databases/new").route(get(Administrator).to(databases::new)))
        .service(page("/databases/{id}").route(get(Viewer).to(database::show)))
        .service(
            page("/databases/{id}/edit")
                .route(get(Administrator).to(databases::edit_form))
                .route(post(Administrator).to(databases::edit)),
        )
        .service(page("/databases/{id}/check").route(post(Operator).to(database::check)))
        .service(
            page("/databases/{id}/delete")
                .route(get(Administrator).to(databases::delete_form))
                .route(post(Administrator).to(databases::delete)),
        )
        .service(
            page("/backups/{id}/deliveries/{delivery}/retry")
                .route(post(Operator).to(backup::retry)),
        )
        .service(page("/deliveries/{id}").route(get(Viewer).to(delivery::show)))
        .service(page("/deliveries/{id}/retry").route(post(Operator).to(delivery::retry)))
        .service(page("/deliveries/{id}/cancel").route(post(Operator).to(delivery::cancel)))
        .configure(page_destinations)
        .configure(page_plugins)
        .service(page("/account").route(get(Viewer).to(account::show)))
        .service(page("/account/password").route(post(Viewer).to(account::password)))
        .service(page("/account/sessions/end").route(post(Viewer).to(account::end_sessions)))
        .default_service(web::to(|| async { Err::<HttpResponse, _>(Error::NotFound("page")) }))
}

/// `GET /backups/{id}/download`, for a signed-in browser.
async fn page_download(
    app: web::Data<App>,
    caller: Caller,
    request: actix_web::HttpRequest,
    id: web::Path<String>,
) -> Result<HttpResponse> {
    let backup = backups::find(&app, &id).await?;
    download::answer(&app, &caller, &request, &backup).await
}
