//! `/login`.

use maud::{Markup, html};

use crate::{Chrome, FieldErrors, layout::layout};

/// The sign-in form. Fields: `username`, `password`, `next`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginPage {
    /// The name as typed.
    pub username: String,
    /// Where to go afterwards, a path of this console; posted as `next`.
    pub next: Option<String>,
    /// What is wrong: usually one message about the whole, the same for an unknown name and a wrong password.
    pub errors: FieldErrors,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &LoginPage) -> Markup {
    layout(chrome, "", &html! {})
}
