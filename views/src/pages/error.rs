//! Pages for requests that did not work out.

use maud::{Markup, html};

use crate::{
    Chrome, format,
    icons::{Icon, icon},
    layout::{bare, layout},
    parts::copy_button,
    text::trouble as t,
};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorPage {
    /// 400: the request cannot be understood; one sentence with its full stop says why.
    BadRequest(String),
    /// 403: the viewer's role does not allow it.
    Forbidden,
    /// 403: the form's token did not fit (signed in elsewhere, or an old page).
    FormExpired,
    /// 404: nothing is there, or nothing that the viewer may see.
    NotFound,
    /// 405: the address does not take this method.
    Method,
    /// 409: it cannot be done now; one sentence with its full stop says why.
    Conflict(String),
    /// 413: more was sent than is taken.
    TooLarge,
    /// 429: too many tries; seconds until the next one.
    TooMany(u64),
    /// 500: a fault of Cofferdam; the identifier is in the log too.
    Internal(String),
    /// 503: busy, or stopping.
    Unavailable,
}

impl ErrorPage {
    fn words(&self) -> (&'static str, Markup) {
        let plain = |text: &str| html! { p { (text) } };
        match self {
            Self::BadRequest(reason) => (t::BAD_REQUEST, plain(reason)),
            Self::Forbidden => (t::FORBIDDEN, plain(t::FORBIDDEN_TEXT)),
            Self::FormExpired => {
                (t::FORM_EXPIRED, html! { p { (t::FORM_EXPIRED_TEXT) } p { (t::RELOAD) } })
            }
            Self::NotFound => (t::NOT_FOUND, plain(t::NOT_FOUND_TEXT)),
            Self::Method => (t::METHOD, plain(t::METHOD_TEXT)),
            Self::Conflict(reason) => (t::CONFLICT, plain(reason)),
            Self::TooLarge => (t::TOO_LARGE, plain(t::TOO_LARGE_TEXT)),
            Self::TooMany(seconds) => (
                t::TOO_MANY,
                plain(&t::too_many(&format::duration(seconds.saturating_mul(1000).max(10_000)))),
            ),
            Self::Internal(incident) => (
                t::INTERNAL,
                html! {
                    p { (t::INTERNAL_TEXT) }
                    p { (t::INCIDENT) " " code { (incident) } " " (copy_button(t::INCIDENT, incident)) }
                    p.muted { (t::INCIDENT_NOTE) }
                },
            ),
            Self::Unavailable => (t::UNAVAILABLE, plain(t::UNAVAILABLE_TEXT)),
        }
    }
}

/// The whole page. Without a viewer it has no navigation.
#[must_use]
pub fn page(chrome: &Chrome, error: &ErrorPage) -> Markup {
    let (title, text) = error.words();
    let signed_in = chrome.viewer.is_some();
    let body = html! {
        div.narrow.panel.trouble {
            div.empty-icon { (icon(Icon::Alert)) }
            h1 { (title) }
            (text)
            p {
                @if signed_in {
                    a.button href="/" { (t::TO_OVERVIEW) }
                } @else {
                    a.button href="/login" { (t::TO_LOGIN) }
                }
            }
        }
    };
    if signed_in { layout(chrome, title, &body) } else { bare(chrome, title, &body) }
}
