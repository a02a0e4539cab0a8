//! Against other sites that post through a signed-in browser: where the
//! request comes from, and a token that only our own pages know.

use std::{fmt, rc::Rc, time::Duration};

use actix_session::SessionExt as _;
use actix_web::{
    Error as WebError, FromRequest, HttpMessage as _, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
    web::{self, Data},
};
use futures_util::future::LocalBoxFuture;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use subtle::ConstantTimeEq as _;
use tokio::time;

use super::{guard::Remote, session};
use crate::{
    app::App,
    service::{Actor, Door, Error, audit},
};

/// Whoever needs longer than this to send a body is answered without it: each
/// one is small, so that whoever is not through by then is slow on purpose.
const BODY_TIME: Duration = Duration::from_secs(20);
/// The same for a component, which may have 64 MiB: some 1 Mbit/s is enough.
const UPLOAD_TIME: Duration = Duration::from_mins(10);

/// Refuses a change that another site asks for, before anything else looks at
/// it. Browsers say where a request comes from in `Sec-Fetch-Site` and
/// `Origin`; what is no browser sends neither and carries no cookie of a victim.
pub async fn same_site(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, WebError> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_same_site(&request) {
        Ok(next.call(request).await?.map_into_boxed_body())
    } else {
        if let Some(app) = request.app_data::<Data<App>>() {
            let actor = request.extensions().get::<Rc<Actor>>().cloned();
            let remote = request.extensions().get::<Remote>().map(|remote| remote.0);
            let actor = actor.unwrap_or_else(|| Actor::stranger(Door::Page, remote).into());
            // Not its path, which a stranger may choose.
            audit::denied(app, &actor, "a change asked for by another site").await;
        }
        Ok(request.error_response(Error::CrossSite))
    }
}

fn is_same_site(request: &ServiceRequest) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    if text(header::HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| site != "same-origin" && site != "none")
    {
        return false;
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    let public =
        request.app_data::<Data<App>>().and_then(|app| app.config.access.public_url.clone());
    if public.as_deref() == Some(origin) {
        return true;
    }
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some() && host == text(header::HOST)
}

/// A form whose `csrf` field is the session's token. Handlers of pages take
/// their input through this and nothing else.
pub struct CheckedForm<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for CheckedForm<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let expected = session::csrf(&request.get_session());
        let fields = web::Form::<Vec<(String, String)>>::from_request(request, payload);
        Box::pin(async move {
            let fields = in_time(fields).await?.map_err(|error| Error::form(&error))?.into_inner();
            let given =
                fields.iter().find(|(name, _)| name == "csrf").map_or("", |(_, value)| value);
            hold(expected.as_deref(), given)?;
            parse(fields).map(Self)
        })
    }
}

/// Refuses a form whose token is not the session's.
pub fn hold(expected: Option<&str>, given: &str) -> Result<(), Error> {
    let expected = expected.ok_or(Error::SignedOut)?;
    if bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        Ok(())
    } else {
        Err(Error::FormExpired)
    }
}

/// A form for somebody who has no session yet, and so no token.
pub struct OpenForm<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for OpenForm<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = web::Form::<T>::from_request(request, payload);
        Box::pin(async move {
            let form = in_time(form).await?.map_err(|error| Error::form(&error))?;
            Ok(Self(form.into_inner()))
        })
    }
}

/// Waits for a body, and not for ever.
pub async fn in_time<T: 'static>(body: impl Future<Output = T> + 'static) -> Result<T, Error> {
    within(BODY_TIME, body).await
}

/// The same for a component that is uploaded.
pub async fn upload_in_time<T: 'static>(
    body: impl Future<Output = T> + 'static,
) -> Result<T, Error> {
    within(UPLOAD_TIME, body).await
}

async fn within<T: 'static>(
    limit: Duration,
    body: impl Future<Output = T> + 'static,
) -> Result<T, Error> {
    let mut body = Box::pin(body);
    if let Ok(whole) = time::timeout(limit, &mut body).await {
        return Ok(whole);
    }
    // The server reads on, without an end, from a chunked body that nobody
    // holds any more; with one that is held and not read it closes.
    actix_web::rt::spawn(async move {
        time::sleep(Duration::from_secs(2)).await;
        drop(body);
    });
    Err(Error::Slow)
}

/// The fields of a form whose names are not known beforehand, as they came.
pub struct Pairs(pub Vec<(String, String)>);

impl Pairs {
    /// The first field with this name; empty if there is none.
    pub fn first(&self, name: &str) -> &str {
        self.0.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// The one field with this name, without which the form is none.
    pub fn only(&self, name: &str) -> Result<&str, Error> {
        let mut found = self.0.iter().filter(|(own, _)| own == name);
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            (None, _) => Err(Error::BadRequest(format!("the form has no {name}"))),
            (Some(_), Some(_)) => Err(Error::BadRequest(format!("the form has {name} twice"))),
        }
    }

    /// All fields with this name that are filled in; nothing where the form
    /// did not ask.
    pub fn all(&self, name: &str) -> Option<Vec<String>> {
        let asked = self.0.iter().any(|(own, _)| own == name);
        let filled = self.0.iter().filter(|(own, value)| own == name && !value.is_empty());
        asked.then(|| filled.map(|(_, value)| value.clone()).collect())
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(String, String)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the fields of a form")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        from.deserialize_map(Fields).map(Self)
    }
}

/// Reads the fields into a struct. Each of them is text.
fn parse<T: DeserializeOwned>(fields: Vec<(String, String)>) -> Result<T, Error> {
    use serde::de::{IntoDeserializer as _, value::MapDeserializer};
    let pairs = fields.into_iter().filter(|(name, _)| name != "csrf");
    let pairs = pairs.map(|(name, value)| (name.into_deserializer(), value.into_deserializer()));
    T::deserialize(MapDeserializer::<_, serde::de::value::Error>::new(pairs))
        .map_err(|error| Error::BadRequest(format!("the form is not complete: {error}")))
}
