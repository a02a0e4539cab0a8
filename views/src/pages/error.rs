//! Pages for requests that did not work out.

use maud::{Markup, html};

use crate::{Chrome, layout::layout};

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

/// The whole page. Without a viewer it has no navigation.
#[must_use]
pub fn page(chrome: &Chrome, _error: &ErrorPage) -> Markup {
    layout(chrome, "", &html! {})
}
