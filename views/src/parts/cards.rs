//! Databases as cards: how the last backup went, how old the last good one
//! is, and a small chart.

use cofferdam_model::Engine;
use maud::{Markup, html};

use super::{badge, size, spark, time};
use crate::{
    Chrome, DatabaseCard,
    icons::{Icon, icon},
    text::{backup, common, database as t, overview},
};

/// All of them, as a list. Their names are headings below a section's, or
/// right below the page's.
pub(crate) fn cards(chrome: &Chrome, databases: &[DatabaseCard], below_section: bool) -> Markup {
    html! { ul.cards { @for card in databases { li.panel.card { (one(chrome, card, below_section)) } } } }
}

fn one(chrome: &Chrome, card: &DatabaseCard, below_section: bool) -> Markup {
    let database = &card.database;
    let slug = database.slug.as_str();
    html! {
        div.card-head {
            @let link = html! { a href={ "/databases/" (database.id) } { (slug) } };
            @if below_section { h3 { (link) } } @else { h2 { (link) } }
            (state(card))
        }
        p.sub.card-where {
            (database.engine.label())
            @if database.engine == Engine::Postgres || !database.summary.is_empty() {
                " · " bdi title=(database.summary) { (database.summary) }
            }
        }
        (spark(chrome, &overview::chart(slug), &card.history))
        dl.card-facts {
            div {
                dt { (t::LAST_GOOD) }
                dd {
                    @if let Some(backup) = &card.last_good { (time(chrome, backup.completed_at.unwrap_or(backup.created_at))) }
                    @else { (common::NEVER) }
                }
            }
            div {
                dt { (backup::SIZE) }
                dd {
                    @if let Some(bytes) = card.last_good.as_ref().and_then(|backup| backup.size_bytes) { (size(bytes)) }
                    @else { (common::NONE) }
                }
            }
            div {
                dt { (t::KEPT) }
                dd { a href={ "/backups?database=" (slug) } aria-label={ (overview::backups(card.count)) ": " (slug) } { (overview::backups(card.count)) } }
            }
        }
    }
}

/// How the newest run stands. Its progress is shown where a row can follow it.
fn state(card: &DatabaseCard) -> Markup {
    let Some(item) = &card.last else {
        return html! { span.badge.badge-off { (icon(Icon::Clock)) (overview::NEVER_BACKED_UP) } };
    };
    badge(&item.backup)
}
