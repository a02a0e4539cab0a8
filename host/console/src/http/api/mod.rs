//! The REST API under `/api/v1`. Every handler is one service function.

pub mod backups;
pub mod databases;
pub mod destinations;
pub mod docs;
pub mod events;
pub mod openapi;
pub mod plugins;
pub mod session;
pub mod status;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    web::{self, Bytes},
};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::csrf::in_time;
use crate::service::Error;

/// The largest JSON body; nothing that the API takes comes near it.
pub const BODY_MAX: usize = 64 << 10;

/// A JSON body. An empty one stands for `{}`, so that calls without any
/// option need none. What does not fit is answered with its place in the body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let json = request.headers().get("content-type").is_none_or(|value| {
            value.to_str().is_ok_and(|text| text.starts_with("application/json"))
        });
        let bytes = Bytes::from_request(request, payload);
        Box::pin(async move {
            let bytes = in_time(bytes).await?.map_err(|error| Error::form(&error))?;
            let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
            if !json && !bytes.is_empty() {
                return Err(Error::BadRequest("the body is not application/json".to_owned()));
            }
            serde_json::from_slice(text).map(Self).map_err(|error| {
                // The parser's message may quote a value; the place is enough.
                let reason =
                    if error.is_data() { data_error(&error) } else { "it is not JSON".to_owned() };
                Error::BadRequest(format!(
                    "the body does not fit: {reason} (line {}, column {})",
                    error.line(),
                    error.column()
                ))
            })
        })
    }
}

/// serde's words for unknown and missing fields name fields only; any other
/// message could repeat what was sent.
fn data_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let names_fields = text.starts_with("unknown field") || text.starts_with("missing field");
    let text = text.split(" at line ").next().unwrap_or_default();
    if names_fields { text.to_owned() } else { "a value has the wrong type".to_owned() }
}

/// A query string; what does not fit is an error, so that a misspelled filter
/// never shows everything.
pub fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Error> {
    web::Query::<T>::from_query(request.query_string())
        .map(web::Query::into_inner)
        .map_err(|error| Error::BadRequest(format!("the query does not fit: {error}")))
}
