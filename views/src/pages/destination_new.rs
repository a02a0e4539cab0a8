//! `/destinations/new`: first, which plugin.

use cofferdam_model::PluginId;
use maud::{Markup, html};

use super::plugins::{About, roles};
use crate::{
    Chrome,
    icons::{Icon, icon},
    layout::layout,
    parts::{Empty, empty},
    text::{common, destination as t, plugin},
};

/// A plugin that may run.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginChoice {
    /// The plugin's own short name.
    pub id: PluginId,
    /// What it says of itself.
    pub about: About,
}

/// The whole page: the choice of a plugin.
#[must_use]
pub fn page(chrome: &Chrome, plugins: &[PluginChoice]) -> Markup {
    layout(
        chrome,
        t::ADD,
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) { a href="/destinations" { (common::DESTINATIONS) } }
            div.head { div { h1 { (t::ADD) } p.description.muted { (t::CHOOSE_LEAD) } } }
            @if plugins.is_empty() {
                (empty(&Empty {
                    icon: Icon::Plugin, title: t::NO_PLUGIN_TITLE, text: t::NO_PLUGIN_TEXT,
                    action: Some(html! { a.button.primary href="/plugins" { (t::TO_PLUGINS) } }),
                }))
            } @else {
                ul.cards { @for choice in plugins { li.panel.card { (one(choice)) } } }
            }
        },
    )
}

fn one(choice: &PluginChoice) -> Markup {
    let about = &choice.about;
    html! {
        div.card-head { h2 { bdi { (about.name) } } }
        p.sub { bdi { (about.version) } " · " bdi { (plugin::by(&about.author)) } }
        p.card-text { bdi { (about.summary) } }
        (roles(about.roles))
        div.card-foot {
            span {}
            a.button.primary href={ "/destinations/new?plugin=" (choice.id) }
                aria-label={ (t::CHOOSE_SUBMIT) ": " (about.name) } {
                (icon(Icon::Plus)) (t::CHOOSE_SUBMIT)
            }
        }
    }
}
