//! The frame around every page.

use cofferdam_model::{Role, Timestamp};

/// Everything a page needs besides its own data.
#[derive(Debug, Clone)]
pub struct Chrome {
    /// This answer's nonce: the one in its `Content-Security-Policy`. Fragments need theirs too.
    pub nonce: String,
    /// The session's token against cross-site posts.
    pub csrf: String,
    /// Who looks; `None` on the sign-in and set-up pages.
    pub viewer: Option<Viewer>,
    /// The program's version, for the footer.
    pub version: String,
    /// Changes whenever any asset does; part of every asset's address.
    pub asset_version: String,
    /// Which entry of the navigation is this page's.
    pub nav: Option<Nav>,
    /// The event stream, `/events`; `None` where nothing moves.
    pub live_url: Option<String>,
    /// The console's address as people reach it, without a slash at the end:
    /// `http://127.0.0.1:8080`. Shown in API calls.
    pub public_url: String,
    /// Now: every relative time on the page is told from this.
    pub now: Timestamp,
    /// What the last action did; shown once, at the top.
    pub notice: Option<Notice>,
}

/// Who looks at the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The sign-in name.
    pub name: String,
    /// What they may do; buttons that would be refused are not shown.
    pub role: Role,
}

/// The entries of the navigation that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nav {
    /// `/`
    Overview,
    /// `/backups`
    Backups,
    /// `/databases`
    Databases,
    /// `/destinations`; for administrators.
    Destinations,
    /// `/plugins`; for administrators.
    Plugins,
    /// `/account`; in the corner, not in the list.
    Account,
}

/// What the last action did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its colour and icon.
    pub kind: NoticeKind,
    /// One sentence, with its full stop.
    pub text: String,
}

/// How a [`Notice`] is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeKind {
    /// It was done.
    Done,
    /// It was not.
    Failed,
}

impl Chrome {
    /// Whether the viewer has at least this role.
    #[must_use]
    pub fn may(&self, role: Role) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.role >= role)
    }
}

/// The value of the `Content-Security-Policy` header that every page and
/// fragment is sent with.
#[must_use]
pub fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         require-trusted-types-for 'script'; trusted-types htmx"
    )
}

impl Chrome {
    /// The address of an asset; it changes with its content.
    pub(crate) fn asset(&self, name: &str) -> String {
        format!("/assets/{name}?v={}", self.asset_version)
    }
}
