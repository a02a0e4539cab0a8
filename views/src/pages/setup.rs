//! `/setup/{token}`: the first administrator.

use maud::{Markup, html};

use crate::{
    Chrome, FieldErrors,
    layout::bare,
    parts::{Input, csrf, password, summary, text_input},
    text::people as t,
};

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
pub fn page(chrome: &Chrome, data: &SetupPage) -> Markup {
    bare(
        chrome,
        t::SETUP_TITLE,
        &html! {
            div.narrow.panel {
                h1 { (t::SETUP_TITLE) }
                p.muted { (t::SETUP_LEAD) }
                (summary(&data.errors, "setup"))
                form.stack method="post" action={ "/setup/" (data.token) } {
                    (csrf(chrome))
                    (text_input(&data.errors, &Input {
                        name: "username", prefix: "setup", label: t::USERNAME, value: &data.username,
                        hint: Some(t::SETUP_NAME_HINT), autocomplete: "username", required: true,
                        exact: true, maxlength: Some(64), autofocus: data.errors.is_empty(),
                        ..Input::default()
                    }))
                    (password(&data.errors, &Input {
                        name: "password", prefix: "setup", label: t::PASSWORD,
                        hint: Some(t::PASSWORD_HINT), autocomplete: "new-password", required: true,
                        ..Input::default()
                    }))
                    (password(&data.errors, &Input {
                        name: "password_again", prefix: "setup", label: t::PASSWORD_AGAIN,
                        autocomplete: "new-password", required: true, ..Input::default()
                    }))
                    button.button.primary.block type="submit" { (t::SETUP_SUBMIT) }
                }
            }
        },
    )
}

/// The page for a link that is used, wrong or too old.
#[must_use]
pub fn expired(chrome: &Chrome) -> Markup {
    bare(
        chrome,
        t::SETUP_EXPIRED_TITLE,
        &html! {
            div.narrow.panel {
                h1 { (t::SETUP_EXPIRED_TITLE) }
                p { (t::SETUP_EXPIRED_TEXT) }
                p { a.button.primary.block href="/login" { (t::SIGN_IN) } }
            }
        },
    )
}
