//! Who may come in. The route table names a role beside each route; these
//! functions hold it.

use std::{net::IpAddr, rc::Rc};

use actix_session::SessionExt as _;
use actix_web::{
    Error as WebError, FromRequest, HttpMessage as _, HttpRequest, Route,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::{Next, from_fn},
    web::{self, Data},
};
use cofferdam_model::Role;

use super::{remote, session};
use crate::{
    app::App,
    service::{Actor, Error, audit, users},
};

/// Which requests a part of the console takes its callers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// The session cookie, for pages.
    Session,
    /// The `Authorization` header, for the API. A cookie opens nothing here,
    /// so that no other site can use the API through a browser.
    Bearer,
}

/// The caller's address, put on every request.
#[derive(Clone, Copy)]
pub struct Remote(pub IpAddr);

/// A route that callers with at least this role may take.
pub fn route(method: Method, role: Role) -> Guarded {
    Guarded { method, role }
}

/// See [`route`].
pub struct Guarded {
    method: Method,
    role: Role,
}

impl Guarded {
    /// Where it leads.
    pub fn to<F, Args>(self, handler: F) -> Route
    where
        F: actix_web::Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: actix_web::Responder + 'static,
    {
        let role = self.role;
        web::method(self.method)
            .to(handler)
            .wrap(from_fn(move |request, next| hold(role, request, next)))
    }
}

async fn hold(
    role: Role,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, WebError> {
    let actor = request.extensions().get::<Rc<Actor>>().cloned();
    match actor {
        Some(actor) if actor.role >= role => Ok(next.call(request).await?.map_into_boxed_body()),
        Some(actor) => {
            let app = app(&request)?;
            let what =
                format!("{} {}", request.method(), request.match_pattern().unwrap_or_default());
            audit::denied(&app, &actor, &what).await;
            Ok(request.error_response(Error::Forbidden))
        }
        None => Ok(request.error_response(Error::SignedOut)),
    }
}

fn app(request: &ServiceRequest) -> Result<Data<App>, Error> {
    request
        .app_data()
        .cloned()
        .ok_or_else(|| Error::Internal(anyhow::anyhow!("no application data")))
}

/// Finds out who calls and puts them on the request, for [`route`] and [`Caller`].
pub async fn identify(
    entrance: Entrance,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, WebError> {
    let app = app(&request)?;
    let remote = remote::address(&request, &app.config.access.trusted_proxies);
    if let Some(address) = remote {
        request.extensions_mut().insert(Remote(address));
    }
    match who(&app, entrance, &request, remote).await {
        Ok(Some(actor)) => {
            request.extensions_mut().insert(Rc::new(actor));
        }
        Ok(None) => {}
        Err(error) => return Ok(request.error_response(error)),
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

async fn who(
    app: &App,
    entrance: Entrance,
    request: &ServiceRequest,
    remote: Option<IpAddr>,
) -> Result<Option<Actor>, Error> {
    match entrance {
        Entrance::Session => {
            let session = request.get_session();
            session::usable(&session)?;
            match session::user(&session) {
                Some(user) => users::actor_by_id(app, user, remote).await,
                None => Ok(None),
            }
        }
        Entrance::Bearer => match bearer(request) {
            Some(token) => users::actor_by_token(app, token, remote).await,
            None => Ok(None),
        },
    }
}

/// A bearer token counts in the header only: an address ends up in logs and histories.
fn bearer(request: &ServiceRequest) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who calls, in a handler behind [`route`].
pub struct Caller(pub Rc<Actor>);

impl std::ops::Deref for Caller {
    type Target = Actor;
    fn deref(&self) -> &Actor {
        &self.0
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = std::future::Ready<Result<Self, Error>>;
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(
            request.extensions().get::<Rc<Actor>>().cloned().map(Self).ok_or(Error::SignedOut),
        )
    }
}
