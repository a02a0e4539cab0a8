//! `/account`: one's own name, password and sessions.

use cofferdam_model::{SessionId, Timestamp};
use maud::{Markup, html};

use crate::{
    Chrome, FieldErrors, agent,
    icons::{Icon, icon},
    layout::layout,
    parts::{Input, csrf, fact, password, summary, time},
    text::{common, people as t, states},
};

/// More sessions than these are folded.
const SESSIONS_SHOWN: usize = 5;

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
pub fn page(chrome: &Chrome, data: &AccountPage) -> Markup {
    layout(
        chrome,
        common::ACCOUNT,
        &html! {
            div.head { h1 { (common::ACCOUNT) } }
            div.columns {
                div.column {
                    (profile(chrome, data))
                    (sessions(chrome, data))
                }
                div.column { (password_form(chrome, data)) }
            }
        },
    )
}

fn profile(chrome: &Chrome, data: &AccountPage) -> Markup {
    let Some(viewer) = &chrome.viewer else { return html! {} };
    html! {
        section.panel aria-labelledby="profile" {
            h2 #profile { (t::PROFILE) }
            dl.facts {
                (fact(t::USERNAME, html! { bdi { (viewer.name) } }))
                (fact(t::ROLE, html! {
                    (states::role(viewer.role)) p.sub { (t::role_means(viewer.role)) }
                }))
                (fact(t::MEMBER_SINCE, time(chrome, data.created_at)))
                @if let Some(at) = data.password_changed_at {
                    (fact(t::PASSWORD_CHANGED, time(chrome, at)))
                }
            }
        }
    }
}

fn password_form(chrome: &Chrome, data: &AccountPage) -> Markup {
    let name = chrome.viewer.as_ref().map_or("", |viewer| viewer.name.as_str());
    html! {
        section.panel aria-labelledby="change-password" {
            h2 #change-password { (t::CHANGE_PASSWORD) }
            p.muted { (t::CHANGE_PASSWORD_NOTE) }
            (summary(&data.password_errors, "password"))
            form.stack method="post" action="/account/password" {
                (csrf(chrome))
                // Password managers want to know whose password it is.
                input type="text" name="username" value=(name) autocomplete="username" hidden;
                (password(&data.password_errors, &Input {
                    name: "current", prefix: "password", label: t::CURRENT_PASSWORD,
                    autocomplete: "current-password", required: true, ..Input::default()
                }))
                (password(&data.password_errors, &Input {
                    name: "new", prefix: "password", label: t::NEW_PASSWORD,
                    hint: Some(t::PASSWORD_HINT), autocomplete: "new-password", required: true,
                    ..Input::default()
                }))
                (password(&data.password_errors, &Input {
                    name: "repeat", prefix: "password", label: t::NEW_PASSWORD_AGAIN,
                    autocomplete: "new-password", required: true, ..Input::default()
                }))
                div.actions { button.button.primary type="submit" { (t::CHANGE_PASSWORD) } }
            }
        }
    }
}

fn sessions(chrome: &Chrome, data: &AccountPage) -> Markup {
    let (first, rest) = data.sessions.split_at(data.sessions.len().min(SESSIONS_SHOWN));
    html! {
        section.panel aria-labelledby="sessions" {
            h2 #sessions { (t::SESSIONS) }
            ul.sessions { @for session in first { (item(chrome, session)) } }
            @if !rest.is_empty() {
                details.fold.sessions-rest {
                    summary { (icon(Icon::Chevron)) span { (t::more_sessions(rest.len())) } }
                    ul.sessions { @for session in rest { (item(chrome, session)) } }
                }
            }
            @if data.sessions.iter().any(|session| !session.current) {
                form.actions method="post" action="/account/sessions/end" {
                    (csrf(chrome))
                    button.button type="submit" { (icon(Icon::SignOut)) (t::SIGN_OUT_OTHERS) }
                }
            } @else {
                p.muted { (t::ONLY_SESSION) }
            }
        }
    }
}

fn item(chrome: &Chrome, session: &SessionItem) -> Markup {
    let sent = session.agent.as_deref();
    let known = sent.and_then(agent::words);
    html! {
        li {
            p {
                strong { (if session.current { t::THIS_BROWSER } else { t::OTHER_BROWSER }) }
                @if let Some(address) = &session.address { " · " span.mono { (address) } }
            }
            p.sub title=[sent.filter(|_| known.is_some())] {
                bdi { (known.as_deref().or(sent).unwrap_or(t::UNKNOWN_BROWSER)) }
            }
            p.sub {
                (t::SIGNED_IN) " " (time(chrome, session.created_at)) " · "
                (t::LAST_USED) " " (time(chrome, session.seen_at))
            }
        }
    }
}
