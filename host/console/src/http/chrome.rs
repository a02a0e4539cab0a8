//! What every page needs of its request.

use std::rc::Rc;

use actix_session::SessionExt as _;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, http::StatusCode, web::Data};
use chrono::Utc;
use cofferdam_views::{Chrome, Markup, Nav, Viewer};

use super::{assets, headers::Nonce, session};
use crate::{app::App, service::Actor};

/// The frame for an answer to this request.
pub fn of(request: &HttpRequest, nav: Option<Nav>) -> Chrome {
    let session = request.get_session();
    let viewer = request
        .extensions()
        .get::<Rc<Actor>>()
        .map(|actor| Viewer { name: actor.name.clone(), role: actor.role });
    let nonce =
        request.extensions().get::<Nonce>().map_or_else(String::new, |nonce| nonce.0.clone());
    let public_url =
        request.app_data::<Data<App>>().and_then(|app| app.config.access.public_url.clone());
    let public_url =
        public_url.unwrap_or_else(|| format!("http://{}", request.connection_info().host()));
    Chrome {
        nonce,
        csrf: session::csrf(&session).unwrap_or_default(),
        live_url: viewer.as_ref().map(|_| "/events".to_owned()),
        viewer,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        asset_version: assets::VERSION.clone(),
        nav,
        public_url,
        now: Utc::now(),
        notice: session::take_notice(&session),
    }
}

/// A page as an answer.
pub fn html(page: Markup) -> HttpResponse {
    html_with(StatusCode::OK, page)
}

/// A page with another status, such as 422 for a form with errors.
pub fn html_with(status: StatusCode, page: Markup) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(page.into_string())
}

/// After a change, the browser fetches a page of its own.
pub fn see_other(path: impl Into<String>) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("location", path.into())).finish()
}
