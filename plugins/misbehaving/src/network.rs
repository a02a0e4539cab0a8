//! Requests to wherever the settings say.

use std::time::Duration;

use cofferdam_plugin::{
    Failure, Result,
    bindings::imports::wasi::http::{
        outgoing_handler,
        types::{Fields, Method, OutgoingRequest, Scheme},
    },
    http::Request,
};

use crate::Settings;

pub(crate) fn act(mode: &str, settings: &Settings) -> Option<Result<String>> {
    let url = url(settings);
    Some(match mode {
        "request" => request(url),
        // The same name again and again: it may resolve to something else.
        "requests" => {
            (0..settings.times).try_fold(String::new(), |told, _| Ok(told + &request(url)? + "; "))
        }
        "redirect" => redirect(url),
        "headers" => headers(url),
        "impatient" => impatient(url, settings.milliseconds),
        "dawdle" => dawdle(url, settings.milliseconds),
        "long-path" => {
            request(&format!("{url}{}", "x".repeat(usize::try_from(settings.bytes).unwrap_or(0))))
        }
        "upload" => upload(settings),
        "late-flush" => late_flush(settings),
        "requests-at-once" => at_once(settings),
        _ => return None,
    })
}

fn url(settings: &Settings) -> &str {
    if settings.target.is_empty() { &settings.url } else { &settings.target }
}

/// Reads the whole answer, and waits for each part of it so long.
fn impatient(url: &str, milliseconds: u64) -> Result<String> {
    let response = Request::get(url).timeout(Duration::from_millis(milliseconds)).send()?;
    Ok(format!("{} bytes", response.bytes(1 << 20)?.len()))
}

/// Waits for nothing longer than so long, and reads the answer three times as late.
fn dawdle(url: &str, milliseconds: u64) -> Result<String> {
    let patience = Duration::from_millis(milliseconds);
    let response = Request::get(url).timeout(patience).send()?;
    std::thread::sleep(3 * patience);
    Ok(format!("{} bytes", response.bytes(1 << 20)?.len()))
}

fn request(url: &str) -> Result<String> {
    let response = Request::get(url).send()?;
    let told = response.header("location").map_or(String::new(), |to| format!(" to {to}"));
    let status = response.status();
    let body = String::from_utf8_lossy(&response.beginning()).chars().take(100).collect::<String>();
    Ok(format!("answered {status}{told}: {body}"))
}

/// Does by itself what the host does not do.
fn redirect(url: &str) -> Result<String> {
    let response = Request::get(url).send()?;
    match response.header("location") {
        Some(to) => request(&to),
        None => Err(Failure::permanent("it did not redirect")),
    }
}

/// A request with 100,000 headers.
fn headers(url: &str) -> Result<String> {
    let request = (0..100_000).fold(Request::get(url), |request, number| {
        request.header(format!("x-header-{number}"), "value")
    });
    request.send().map(|response| format!("answered {}", response.status()))
}

/// More than the backup has.
fn upload(settings: &Settings) -> Result<String> {
    let piece = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while sent < settings.bytes {
        Request::post(url(settings)).bytes(piece.clone()).send()?.success()?;
        sent += piece.len() as u64;
    }
    Ok(format!("sent {sent} bytes"))
}

/// Looks whether the last byte was taken when the answer is there already.
fn late_flush(settings: &Settings) -> Result<String> {
    let url: cofferdam_plugin::http::Url =
        url(settings).parse().map_err(|error| Failure::setting("url", error))?;
    let refused = |()| Failure::permanent("the request is refused");
    let length = [("content-length".to_owned(), b"5".to_vec())];
    let fields = Fields::from_list(&length).map_err(|_| refused(()))?;
    let request = OutgoingRequest::new(fields);
    let set = request
        .set_method(&Method::Put)
        .and_then(|()| request.set_scheme(Some(&Scheme::Http)))
        .and_then(|()| request.set_authority(Some(url.authority())))
        .and_then(|()| request.set_path_with_query(Some(url.path_with_query())));
    set.map_err(refused)?;
    let body = request.body().map_err(refused)?;
    let answer = outgoing_handler::handle(request, None)
        .map_err(|code| Failure::denied(format!("{code:?}")))?;
    let stream = body.write().map_err(refused)?;
    let written = stream.blocking_write_and_flush(b"12345");
    answer.subscribe().block();
    let flushed = stream.blocking_flush();
    Ok(format!("written {written:?}, flushed {flushed:?}"))
}

/// Requests whose answers nobody reads.
fn at_once(settings: &Settings) -> Result<String> {
    let url: cofferdam_plugin::http::Url =
        url(settings).parse().map_err(|error| Failure::setting("url", error))?;
    let mut answers = Vec::new();
    for _ in 0..settings.times {
        let request = OutgoingRequest::new(Fields::new());
        let set = request
            .set_scheme(Some(if url.is_secure() { &Scheme::Https } else { &Scheme::Http }))
            .and_then(|()| request.set_authority(Some(url.authority())))
            .and_then(|()| request.set_path_with_query(Some(url.path_with_query())));
        set.map_err(|()| Failure::permanent("the URL is refused"))?;
        let answer = outgoing_handler::handle(request, None);
        answers.push(answer.map_err(|code| Failure::denied(format!("{code:?}")))?);
    }
    std::thread::sleep(Duration::from_millis(settings.milliseconds));
    Ok(format!("{} requests", answers.len()))
}
