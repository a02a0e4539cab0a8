//! Errors as their reader wants them: a page for people, problem details
//! (RFC 9457) for programs, the cause for the log.

use actix_web::{
    Error as WebError, HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
};
use cofferdam_views::pages::error::{self as view, ErrorPage};
use serde_json::json;

use super::chrome;
use crate::service::Error;

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::Credentials | Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::CrossSite | Self::FormExpired | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Failed(_) => StatusCode::BAD_GATEWAY,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The bare status; [`render`] gives it its body.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// Gives every error its body: also the ones that the framework makes. The
/// request must not be held while it is routed, so it is taken from the answer;
/// middleware therefore answers with [`ServiceRequest::error_response`] rather
/// than with `Err`.
pub async fn render(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, WebError> {
    let response = next.call(request).await.inspect_err(|error| {
        tracing::error!("a request failed outside of its handler: {error:#}");
    })?;
    let status = response.status();
    let request = response.request().clone();
    if let Some(error) = response.response().error().and_then(|error| error.as_error::<Error>()) {
        return Ok(response_to(&request, error));
    }
    if !(status.is_client_error() || status.is_server_error()) || has_type(&response) {
        return Ok(response.map_into_boxed_body());
    }
    if status.is_server_error() {
        let cause =
            response.response().error().map_or_else(|| status.to_string(), ToString::to_string);
        return Ok(response_to(&request, &Error::Internal(anyhow::anyhow!(cause))));
    }
    let mut answer = response_to(&request, &from_status(status, &request));
    if let Some(allow) = response.headers().get(header::ALLOW).cloned() {
        answer.headers_mut().insert(header::ALLOW, allow);
    }
    Ok(answer)
}

fn has_type<B>(response: &ServiceResponse<B>) -> bool {
    response.headers().contains_key(header::CONTENT_TYPE) && response.response().error().is_none()
}

fn from_status(status: StatusCode, request: &HttpRequest) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::NotFound(if is_api(request) { "address" } else { "page" }),
        StatusCode::METHOD_NOT_ALLOWED => Error::Method,
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        StatusCode::UNAUTHORIZED => Error::SignedOut,
        StatusCode::FORBIDDEN => Error::Forbidden,
        _ => Error::BadRequest("the request cannot be understood".to_owned()),
    }
}

fn response_to(request: &HttpRequest, error: &Error) -> ServiceResponse<BoxBody> {
    let incident = log(request, error);
    let response = if is_api(request) {
        problem(error, incident.as_deref())
    } else {
        page(request, error, incident)
    };
    ServiceResponse::new(request.clone(), response)
}

fn is_api(request: &HttpRequest) -> bool {
    request.path() == "/api" || request.path().starts_with("/api/")
}

/// Faults of our own get an identifier that page and log share.
fn log(request: &HttpRequest, error: &Error) -> Option<String> {
    let Error::Internal(cause) = error else { return None };
    let incident = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
    tracing::error!(incident, method = %request.method(), route = request.match_pattern().unwrap_or_default(), "{cause:#}");
    Some(incident)
}

/// A problem document. `type` stays `about:blank` but for failures of a run's
/// kind, whose word stands in `kind`, and the tool's own words in `log`.
fn problem(error: &Error, incident: Option<&str>) -> HttpResponse {
    let status = error.status_code();
    let mut document = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": error.to_string(),
    });
    if let Some(hint) = error.hint() {
        document["hint"] = hint.into();
    }
    if let Some(incident) = incident {
        document["incident"] = incident.into();
    }
    if let Error::Invalid(fields) = error {
        document["errors"] =
            fields.iter().map(|it| json!({"field": it.field, "message": it.message})).collect();
    }
    if let Error::Failed(failure) = error {
        document["kind"] = failure.kind.as_str().into();
        if let Some(words) = &failure.detail {
            document["log"] = words.as_str().into();
        }
    }
    let mut response = HttpResponse::build(status);
    retry_headers(&mut response, error);
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    response.content_type("application/problem+json").body(document.to_string())
}

fn retry_headers(response: &mut actix_web::HttpResponseBuilder, error: &Error) {
    match error {
        Error::Throttled(seconds) => {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        Error::Busy => {
            response.insert_header((header::RETRY_AFTER, "2"));
        }
        Error::Slow => {
            // What else would come of the body is not waited for.
            response.force_close();
        }
        Error::Range(size) => {
            response.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
        }
        _ => {}
    }
}

fn page(request: &HttpRequest, error: &Error, incident: Option<String>) -> HttpResponse {
    if matches!(error, Error::SignedOut) {
        return to_login(request);
    }
    let sentence = || sentence(error);
    let content = match error {
        Error::NotFound(_) => ErrorPage::NotFound,
        Error::Forbidden | Error::CrossSite => ErrorPage::Forbidden,
        Error::FormExpired => ErrorPage::FormExpired,
        Error::Method => ErrorPage::Method,
        Error::Conflict { .. } | Error::Failed(_) => ErrorPage::Conflict(sentence()),
        Error::TooLarge => ErrorPage::TooLarge,
        Error::Throttled(seconds) => ErrorPage::TooMany(*seconds),
        Error::Busy => ErrorPage::Unavailable,
        Error::Internal(_) => ErrorPage::Internal(incident.unwrap_or_default()),
        _ => ErrorPage::BadRequest(sentence()),
    };
    let mut response = HttpResponse::build(error.status_code());
    retry_headers(&mut response, error);
    response
        .content_type("text/html; charset=utf-8")
        .body(view::page(&chrome::of(request, None), &content).into_string())
}

/// The message with its advice, with a capital letter and full stops.
pub fn sentence(error: &Error) -> String {
    let mut text = finish(&error.to_string());
    if let Some(hint) = error.hint() {
        text = format!("{text} {}", finish(hint));
    }
    text
}

/// A sentence, with a capital letter and a full stop.
pub fn finish(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters
        .next()
        // A full stop behind SQL would be copied with it.
        .map_or_else(String::new, |first| {
            let stop = if text.ends_with(';') { "" } else { "." };
            format!("{}{}{stop}", first.to_uppercase(), letters.as_str())
        })
}

/// Browsers go to the sign-in page and come back; parts of pages that htmx
/// asks for take the whole window there.
fn to_login(request: &HttpRequest) -> HttpResponse {
    let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
    let back = match *request.method() {
        actix_web::http::Method::GET if path != "/" => {
            let set = percent_encoding::NON_ALPHANUMERIC;
            format!("/login?next={}", percent_encoding::utf8_percent_encode(path, set))
        }
        _ => "/login".to_owned(),
    };
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    // htmx would also take a stream for an answer, whatever it asks for.
    let asked = *request.method() != actix_web::http::Method::GET;
    if !asked && accepts.is_some_and(|types| types.contains("text/event-stream")) {
        return HttpResponse::Unauthorized().finish();
    }
    if chrome::is_part(request) {
        let to = if asked { "/login?ended=true" } else { "/login" };
        return HttpResponse::Unauthorized().insert_header(("hx-redirect", to)).finish();
    }
    HttpResponse::SeeOther().insert_header((header::LOCATION, back)).finish()
}
