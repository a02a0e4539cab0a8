//! `/setup/{token}`: the first administrator.

use maud::{Markup, html};

use crate::{Chrome, FieldErrors, layout::layout};

/// The form for the first administrator. Fields: `username`, `password`, `password_again`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetupPage {
    /// The token of the link; the form posts to `/setup/{token}`.
    pub token: String,
    /// The name as typed.
    pub username: String,
    /// What is wrong.
    pub errors: FieldErrors,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &SetupPage) -> Markup {
    layout(chrome, "", &html! {})
}

/// The page for a link that is used, wrong or too old.
#[must_use]
pub fn expired(chrome: &Chrome) -> Markup {
    layout(chrome, "", &html! {})
}
