//! The page around the content: head, navigation, notices, footer.

use cofferdam_model::{Role, is_unfit};
use maud::{DOCTYPE, Markup, html};

use crate::{
    Chrome, Nav, NoticeKind,
    icons::{Icon, icon, mark},
    parts::csrf,
    text::{api, common as t, states},
};

/// Answers that are errors are never put into a page, but where an element says so.
/// No evaluated code, no injected styles, no pages kept for going back (the
/// browser loads them again), no scripts from fragments; `open` belongs to the
/// reader, so a morph leaves it alone.
const HTMX: &str = r#"{"extensions":"sse,hx-csp","safeEval":false,"includeIndicatorCSS":false,"history":"reload","mode":"same-origin","noSwap":[204,304,"4xx","5xx"],"morphIgnore":["data-htmx-powered","open"]}"#;

/// Who listens, and whether also in the background, is decided by `app.js`.
const STREAM: &str = "sse.reconnectMaxDelay:10000";

/// A whole page with the navigation. `body` has the page's one `h1`.
pub(crate) fn layout(chrome: &Chrome, title: &str, body: &Markup) -> Markup {
    document(
        chrome,
        title,
        "with-nav",
        &html! {
            header.side {
                a.brand href="/" { (mark()) span { (t::PRODUCT) } }
                nav aria-label=(t::NAV_LABEL) { ul { (entries(chrome)) } }
                (who(chrome))
            }
            main #main tabindex="-1" {
                (notices(chrome))
                (body)
            }
        },
    )
}

/// A page without navigation: signing in, setting up, errors before that.
pub(crate) fn bare(chrome: &Chrome, title: &str, body: &Markup) -> Markup {
    document(
        chrome,
        title,
        "bare",
        &html! {
            header.bare-head { span.brand { (mark()) span { (t::PRODUCT) } } }
            main #main tabindex="-1" {
                (notices(chrome))
                (body)
            }
            footer.bare-foot { (t::version(&chrome.version)) }
        },
    )
}

fn document(chrome: &Chrome, title: &str, class: &str, body: &Markup) -> Markup {
    // A title holds text alone, so nothing could keep apart what turns text around.
    let title = t::title(&title.replace(is_unfit, ""));
    html! {
        (DOCTYPE)
        html lang="en" data-title=(title) {
            head {
                meta charset="utf-8";
                title { (title) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="same-origin";
                meta name="htmx-config" content=(HTMX);
                link rel="icon" type="image/svg+xml" href=(chrome.asset("favicon.svg"));
                link rel="stylesheet" href=(chrome.asset("app.css"));
                // Not deferred: where the document has already been read, htmx begins a moment
                // after its own script, perhaps before its extensions are there. And in the
                // head, since htmx runs the scripts in the body of a page it takes a part of.
                @for script in ["htmx.js", "hx-csp.js", "hx-sse.js"] {
                    script src=(chrome.asset(script)) nonce=(chrome.nonce) {}
                }
                script src=(chrome.asset("app.js")) nonce=(chrome.nonce) defer {}
            }
            body class=(class) data-copied=(t::COPIED) data-online=(t::ONLINE) {
                a.skip href="#main" { (t::SKIP) }
                (body)
                p #announcer.sr role="status" {}
                @if let Some(url) = &chrome.live_url {
                    div #stream hidden "hx-sse:connect"=(url) hx-trigger="listen"
                        hx-config=(STREAM) hx-swap="none" hx-nonce=(chrome.nonce) {}
                    dialog #dialog.dialog aria-labelledby="confirm-title" {}
                }
            }
        }
    }
}

fn entries(chrome: &Chrome) -> Markup {
    let entries = [
        (Nav::Overview, "/", Icon::Overview, t::OVERVIEW),
        (Nav::Backups, "/backups", Icon::Archive, t::BACKUPS),
        (Nav::Databases, "/databases", Icon::Database, t::DATABASES),
        (Nav::Destinations, "/destinations", Icon::Destination, t::DESTINATIONS),
        (Nav::Plugins, "/plugins", Icon::Plugin, t::PLUGINS),
    ];
    let administrator = chrome.may(Role::Administrator);
    let open = |entry| administrator || !matches!(entry, Nav::Destinations | Nav::Plugins);
    html! {
        @for (entry, href, shape, word) in entries.into_iter().filter(|(entry, ..)| open(*entry)) {
            li {
                a href=(href) aria-current=[(chrome.nav == Some(entry)).then_some("page")] {
                    (icon(shape)) span { (word) }
                }
            }
        }
    }
}

fn who(chrome: &Chrome) -> Markup {
    let Some(viewer) = &chrome.viewer else { return html! {} };
    html! {
        div.who {
            a.who-link href="/account" aria-current=[(chrome.nav == Some(Nav::Account)).then_some("page")] {
                (icon(Icon::User))
                span.who-words {
                    span.sr { (t::ACCOUNT) ": " }
                    bdi.who-name { (viewer.name) }
                    span.who-role { (states::role(viewer.role)) }
                }
            }
            form method="post" action="/logout" {
                (csrf(chrome))
                button.icon-button type="submit" title=(t::SIGN_OUT) {
                    (icon(Icon::SignOut)) span.sr { (t::SIGN_OUT) }
                }
            }
            p.version { (t::version(&chrome.version)) " · " a href="/api/docs" { (api::TITLE) } }
        }
    }
}

fn notices(chrome: &Chrome) -> Markup {
    html! {
        @if chrome.live_url.is_some() {
            p #offline.notice.notice-warn hidden { (icon(Icon::Offline)) span { (t::OFFLINE) } }
        }
        @if let Some(notice) = &chrome.notice {
            @let (class, shape, role) = match notice.kind {
                NoticeKind::Done => ("notice-good", Icon::Check, "status"),
                NoticeKind::Failed => ("notice-bad", Icon::Alert, "alert"),
            };
            p class={ "notice " (class) } role=(role) { (icon(shape)) span { (notice.text) } }
        }
    }
}
