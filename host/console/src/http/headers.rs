//! The headers of every answer: what a browser may do with it.

use actix_web::{
    Error, HttpMessage as _,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use cofferdam_views::content_security_policy;

use crate::app::App;

/// The nonce of one answer's Content-Security-Policy.
#[derive(Clone)]
pub struct Nonce(pub String);

/// Gives each request a nonce, and each answer its headers. A handler that
/// sets `Cache-Control` itself keeps it; everything else is not stored.
pub async fn secure<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(actix_web::error::ErrorInternalServerError)?;
    let nonce = BASE64_STANDARD_NO_PAD.encode(bytes);
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let https = request.app_data::<Data<App>>().is_some_and(|app| app.config.access.https());

    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let policy = HeaderValue::try_from(content_security_policy(&nonce))
        .map_err(actix_web::error::ErrorInternalServerError)?;
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    Ok(response)
}
