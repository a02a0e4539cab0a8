//! What every page needs of its request.

use std::rc::Rc;

use actix_session::SessionExt as _;
use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use chrono::Utc;
use cofferdam_views::{Chrome, Markup, Nav, Viewer};

use super::{assets, headers::Nonce, session};
use crate::{app::App, service::Actor};

/// The frame for a whole page, with the sentence that waits for it.
pub fn of(request: &HttpRequest, nav: Option<Nav>) -> Chrome {
    Chrome { notice: session::take_notice(&request.get_session()), ..part(request, nav) }
}

/// What a part of a page needs. A sentence that waits is left to a whole page.
pub fn part(request: &HttpRequest, nav: Option<Nav>) -> Chrome {
    let session = request.get_session();
    let viewer = request
        .extensions()
        .get::<Rc<Actor>>()
        .map(|actor| Viewer { name: actor.name.clone(), role: actor.role });
    let nonce =
        request.extensions().get::<Nonce>().map_or_else(String::new, |nonce| nonce.0.clone());
    Chrome {
        nonce,
        csrf: session::csrf(&session).unwrap_or_default(),
        live_url: viewer.as_ref().map(|_| "/events".to_owned()),
        viewer,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        asset_version: assets::VERSION.clone(),
        nav,
        public_url: public_url(request),
        now: Utc::now(),
        notice: None,
    }
}

/// The console's address as this browser reaches it: the one in the settings,
/// or what the request itself was sent to.
fn public_url(request: &HttpRequest) -> String {
    let access = request.app_data::<Data<App>>().map(|app| &app.config.access);
    if let Some(url) = access.and_then(|access| access.public_url.clone()) {
        return url;
    }
    let scheme = if access.is_some_and(|access| access.tls.is_some()) { "https" } else { "http" };
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

/// Whether htmx asks, for a part of a page that is open already.
pub fn is_part(request: &HttpRequest) -> bool {
    request.headers().contains_key("hx-request")
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
