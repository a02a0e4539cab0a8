//! Requests, as plain as they can be made.

use crate::bindings::{
    cofferdam::plugin::types::Failure,
    wasi::{
        http::{
            outgoing_handler::handle,
            types::{ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, Scheme},
        },
        io::streams::StreamError,
    },
};

pub(crate) fn of_code(code: &ErrorCode) -> Failure {
    Failure::Permanent(format!("{code:?}"))
}

/// A request without a body yet.
pub(crate) fn request(method: &Method, url: &str, length: Option<u64>) -> OutgoingRequest {
    let headers = Fields::new();
    if let Some(length) = length {
        headers.append("content-length", length.to_string().as_bytes()).expect("a header");
    }
    let request = OutgoingRequest::new(headers);
    let (scheme, rest) = match url.strip_prefix("https://") {
        Some(rest) => (Scheme::Https, rest),
        None => (Scheme::Http, url.strip_prefix("http://").expect("a URL")),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    request.set_method(method).expect("a method");
    request.set_scheme(Some(&scheme)).expect("a scheme");
    request.set_authority(Some(authority)).expect("an authority");
    request.set_path_with_query(Some(if path.is_empty() { "/" } else { path })).expect("a path");
    request
}

pub(crate) type Future = crate::bindings::wasi::http::types::FutureIncomingResponse;

/// The status and the body, once they are there.
pub(crate) fn answer(future: &Future) -> Result<(u16, String), ErrorCode> {
    let pollable = future.subscribe();
    pollable.block();
    let response = future.get().expect("it is there").expect("it is asked for once")?;
    let status = response.status();
    let body = response.consume().expect("once");
    let stream = body.stream().expect("once");
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(part) => bytes.extend(part),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                bytes.extend(error.to_debug_string().bytes());
                break;
            }
        }
    }
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

pub(crate) fn get(url: &str) -> Result<String, Failure> {
    let future = handle(request(&Method::Get, url, None), None).map_err(|code| of_code(&code))?;
    let (status, body) = answer(&future).map_err(|code| of_code(&code))?;
    Ok(format!("{status} {body}"))
}

/// A body without an end.
pub(crate) fn post_forever(url: &str) -> Result<String, Failure> {
    let request = request(&Method::Post, url, None);
    let body = request.body().expect("once");
    let future = handle(request, None).map_err(|code| of_code(&code))?;
    let stream = body.write().expect("once");
    let block = vec![b'x'; 4096];
    while stream.blocking_write_and_flush(&block).is_ok() {}
    drop(stream);
    drop(OutgoingBody::finish(body, None));
    let (status, body) = answer(&future).map_err(|code| of_code(&code))?;
    Ok(format!("{status} {body}"))
}

/// Whether a request may have a method of a megabyte.
pub(crate) fn long_method() -> bool {
    let request = request(&Method::Get, "http://a.example/", None);
    request.set_method(&Method::Other("X".repeat(1 << 20))).is_ok()
}

/// Makes requests with bodies, and sends none.
pub(crate) fn unsent() -> usize {
    let mut all = Vec::new();
    for _ in 0..60 {
        let request = request(&Method::Put, "http://a.example/", None);
        let body = request.body().expect("once");
        all.push((request, body));
    }
    all.len()
}

/// Writes more than a stream takes at once.
pub(crate) fn write_much() {
    let request = request(&Method::Put, "http://a.example/", None);
    let body = request.body().expect("once");
    let stream = body.write().expect("once");
    stream.subscribe().block();
    let _ = stream.check_write();
    let _ = stream.write(&vec![0; 2 << 20]);
}
