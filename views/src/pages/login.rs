//! `/login`.

use maud::{Markup, html};

use crate::{
    Chrome, FieldErrors,
    layout::bare,
    parts::{Input, csrf, password, summary, text_input},
    text::people as t,
};

/// The sign-in form. Fields: `username`, `password`, `next`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginPage {
    /// The name as typed.
    pub username: String,
    /// Where to go afterwards, a path of this console; posted as `next`.
    pub next: Option<String>,
    /// Nobody has an account yet: the page says how to make the first one.
    pub nobody_yet: bool,
    /// The session ended before something was clicked: the page says so.
    pub ended: bool,
    /// What is wrong: usually one message about the whole, the same for an unknown name and a wrong password.
    pub errors: FieldErrors,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, data: &LoginPage) -> Markup {
    let retry = !data.username.is_empty();
    bare(
        chrome,
        t::LOGIN_TITLE,
        &html! {
            div.narrow.panel {
                h1 { (t::LOGIN_TITLE) }
                (summary(&data.errors, "login"))
                @if data.ended { p role="status" { (t::SESSION_ENDED) } }
                @if data.nobody_yet {
                    p { (t::NOBODY_YET) }
                    p.muted { (t::NOBODY_YET_ELSE) " " code { "cofferdam user add NAME" } }
                }
                form.stack method="post" action="/login" {
                    (csrf(chrome))
                    @if let Some(next) = &data.next { input type="hidden" name="next" value=(next); }
                    (text_input(&data.errors, &Input {
                        name: "username", prefix: "login", label: t::USERNAME, value: &data.username,
                        autocomplete: "username", required: true, exact: true,
                        autofocus: !retry && data.errors.is_empty(), ..Input::default()
                    }))
                    (password(&data.errors, &Input {
                        name: "password", prefix: "login", label: t::PASSWORD,
                        autocomplete: "current-password", required: true,
                        autofocus: retry && data.errors.is_empty(), ..Input::default()
                    }))
                    button.button.primary.block type="submit" { (t::SIGN_IN) }
                }
            }
        },
    )
}
