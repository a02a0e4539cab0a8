//! The REST API under `/api/v1`. Every handler is one service function.

pub mod backups;
pub mod databases;
pub mod deliveries;
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
            understand(text).map(Self)
        })
    }
}

fn understand<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| unfit(&error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| unfit("", &error))?;
    Ok(value)
}

/// serde's words for unknown and missing fields name fields only; any other
/// message could repeat what was sent, so the place is enough. `field` is the
/// path to a value whose type is wrong: all its names are the type's own.
fn unfit(field: &str, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let reason = if !error.is_data() {
        "it is not JSON".to_owned()
    } else if text.starts_with("unknown field") || text.starts_with("missing field") {
        text.split(" at line ").next().unwrap_or_default().to_owned()
    } else if matches!(field, "" | "." | "?") {
        "a value has the wrong type".to_owned()
    } else {
        format!("{field} has the wrong type")
    };
    let (line, column) = (error.line(), error.column());
    Error::BadRequest(format!("the body does not fit: {reason} (line {line}, column {column})"))
}

/// A query string; what does not fit is an error, so that a misspelled filter
/// never shows everything.
pub fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Error> {
    web::Query::<T>::from_query(request.query_string())
        .map(web::Query::into_inner)
        .map_err(|error| Error::BadRequest(format!("the query does not fit: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dto;

    #[test]
    fn a_value_of_the_wrong_type_is_named_and_not_repeated() {
        let told = |text: &str| match understand::<dto::NewBackup>(text.as_bytes()) {
            Err(Error::BadRequest(told)) => told,
            other => panic!("{other:?}"),
        };
        let wrong = told(r#"{"database": "shop", "compression_level": "canary"}"#);
        assert!(wrong.contains("compression_level has the wrong type (line 1"), "{wrong}");
        assert!(!wrong.contains("canary"), "{wrong}");
        let wrong = told(r#"{"database": "shop", "destinations": ["a", {"canary": 1}]}"#);
        assert!(wrong.contains("destinations[1] has") && !wrong.contains("canary"), "{wrong}");
        assert!(told("[]").contains("has the wrong type"));
        assert!(told(r#"{"databse": "shop"}"#).contains("unknown field `databse`"));
        assert!(told(r#"{"database": "shop"}{}"#).contains("it is not JSON"));
    }
}
