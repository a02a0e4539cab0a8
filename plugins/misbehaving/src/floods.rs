//! The same thing again and again, or without an end.

use cofferdam_plugin::{
    Failure, Result,
    bindings::imports::wasi::{
        http::{
            outgoing_handler,
            types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme},
        },
        random::random::get_random_bytes,
    },
    http::{Request, Url},
    mail::{self, Message},
};

use crate::Settings;

pub(crate) fn act(mode: &str, settings: &Settings) -> Option<Result<String>> {
    Some(match mode {
        "mails" => mails(settings),
        "denied" => Ok(denied(settings)),
        "pour" => pour(settings),
        _ => return None,
    })
}

/// Mails, until one is not taken.
fn mails(settings: &Settings) -> Result<String> {
    for number in 1..=settings.times {
        mail::send(&Message {
            to: vec!["ops@example.org".to_owned()],
            subject: format!("Mail {number}"),
            text: "x".repeat(usize::try_from(settings.bytes).unwrap_or(usize::MAX)),
            html: None,
        })?;
    }
    Ok(format!("sent {} mails", settings.times))
}

/// Requests to where none may go, the `#` of each host's name a number.
fn denied(settings: &Settings) -> String {
    let one = |number: &u64| {
        Request::get(&settings.target.replace('#', &number.to_string())).send().is_err()
    };
    let denied = (0..settings.times).filter(one).count();
    format!("{denied} were denied")
}

/// Random bytes as a body of unknown length, without an end.
fn pour(settings: &Settings) -> Result<String> {
    let url: Url = settings.target.parse().map_err(|error| Failure::setting("target", error))?;
    let request = OutgoingRequest::new(Fields::new());
    let set = request
        .set_method(&Method::Post)
        .and_then(|()| request.set_scheme(Some(&Scheme::Http)))
        .and_then(|()| request.set_authority(Some(url.authority())))
        .and_then(|()| request.set_path_with_query(Some(url.path_with_query())));
    let refused = |()| Failure::permanent("the URL is refused");
    set.map_err(refused)?;
    let body = request.body().map_err(refused)?;
    let answer = outgoing_handler::handle(request, None)
        .map_err(|code| Failure::denied(format!("{code:?}")))?;
    let stream = body.write().map_err(refused)?;
    let random = get_random_bytes(64 << 10);
    let mut poured = 0;
    while let Ok(room) = stream.check_write() {
        let length = usize::try_from(room).unwrap_or(usize::MAX).min(random.len());
        if length == 0 {
            stream.subscribe().block();
        } else if stream.write(&random[..length]).is_ok() {
            poured += length;
        }
    }
    drop((stream, answer));
    // As if that had been all of it.
    let finished = OutgoingBody::finish(body, None);
    Ok(format!("poured {poured} bytes, and then {finished:?}"))
}
