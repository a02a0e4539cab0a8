//! `/account`: one's own name, password and sessions.

use cofferdam_model::{SessionId, Timestamp};
use maud::{Markup, html};

use crate::{Chrome, FieldErrors, layout::layout};

/// The viewer's own account.
#[derive(Debug, Clone)]
pub struct AccountPage {
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the password was last changed.
    pub password_changed_at: Option<Timestamp>,
    /// What is wrong with the password form. Fields: `current`, `new`, `repeat`.
    pub password_errors: FieldErrors,
    /// Signed-in browsers, newest use first.
    pub sessions: Vec<SessionItem>,
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionItem {
    /// Its identifier.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// When it signed in.
    pub created_at: Timestamp,
    /// When it was last used.
    pub seen_at: Timestamp,
    /// The address it came from.
    pub address: Option<String>,
    /// Its `User-Agent`, as sent.
    pub agent: Option<String>,
}

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, _data: &AccountPage) -> Markup {
    layout(chrome, "", &html! {})
}
