//! What an administrator decides about a component: the form, and what
//! changed since it was approved before.

use cofferdam_model::Grants;
use maud::{Markup, html};

use super::{
    plugin::{ApproveForm, Before, ImportItem, PluginPage},
    plugins::Asks,
};
use crate::{
    Chrome,
    icons::{Icon, icon},
    parts::{Input, callout, csrf, summary, text_area, text_input, tick},
    text::{common, plugin as t},
};

const PREFIX: &str = "approve";

/// The form: only what the component asks for can be granted.
pub(super) fn form(chrome: &Chrome, data: &PluginPage, asks: Asks) -> Markup {
    let approved = data.approved.is_some();
    let form = &data.form;
    let any = asks.network || asks.folder || asks.mail;
    html! {
        section.panel #approve aria-labelledby="approve-title" {
            h2 #approve-title { (if approved { t::CHANGE_TITLE } else { t::APPROVE_TITLE }) }
            p.muted { (t::APPROVE_WHAT) }
            @if data.before.is_some() && !approved { p { (t::APPROVE_CHANGED) } }
            (summary(&form.errors, PREFIX))
            @if any || !approved {
                form.stack.below-text method="post" action={ (data.item.address()) "/approve" } {
                    (csrf(chrome))
                    @if asks.network { (network(form)) }
                    @if asks.folder {
                        (text_input(&form.errors, &Input {
                            name: "folder", prefix: PREFIX, label: t::FOLDER_GRANT, value: &form.folder,
                            hint: Some(t::FOLDER_GRANT_HINT), exact: true, optional: true,
                            placeholder: Some("/srv/backups"), ..Input::default()
                        }))
                    }
                    @if asks.mail { (tick(PREFIX, "mail", "true", t::MAIL_GRANT, form.mail)) }
                    div.actions {
                        button.button.primary type="submit" {
                            (icon(Icon::Shield)) (if approved { t::SAVE } else { t::APPROVE })
                        }
                    }
                }
            } @else {
                p { (t::NOTHING_TO_GRANT) }
            }
        }
    }
}

fn network(form: &ApproveForm) -> Markup {
    html! {
        (text_area(&form.errors, &Input {
            name: "hosts", prefix: PREFIX, label: t::HOSTS, value: &form.hosts,
            hint: Some(t::HOSTS_HINT), exact: true, optional: true,
            placeholder: Some("s3.example.org:443"), ..Input::default()
        }, 3))
        (text_area(&form.errors, &Input {
            name: "private_hosts", prefix: PREFIX, label: t::PRIVATE_HOSTS, value: &form.private_hosts,
            hint: Some(t::PRIVATE_HINT), exact: true, optional: true,
            placeholder: Some("nas.local:9000"), ..Input::default()
        }, 2))
    }
}

/// What differs from the version that was approved before.
pub(super) fn changed(before: &Before) -> Markup {
    let body = html! {
        ul.wishes {
            @for change in &before.changes {
                li { (icon(Icon::Alert)) bdi { (common::sentence(change)) } }
            }
        }
        @if let Some((before, now)) = &before.hashes {
            h3 { (t::HASHES) }
            dl.hashes {
                div { dt { (t::HASH_BEFORE) } dd { code { (before) } } }
                div { dt { (t::HASH_NOW) } dd { code { (now) } } }
            }
        }
        h3 { (t::BEFORE_GRANTS) }
        (grants(&before.grants))
    };
    callout("warn", Icon::Alert, t::BEFORE_TITLE, &body)
}

/// Grants in words.
fn grants(grants: &Grants) -> Markup {
    let none = grants.hosts.is_empty() && grants.folder.is_none() && !grants.mail;
    html! {
        ul.wishes {
            @for host in &grants.hosts { li { (icon(Icon::Network)) code { (host) } } }
            @if let Some(folder) = &grants.folder { li { (icon(Icon::Folder)) code { (folder.display()) } } }
            @if grants.mail { li { (icon(Icon::Mail)) span { (t::ASKS_MAIL) } } }
            @if none { li.muted { (t::NO_GRANTS) } }
        }
    }
}

/// Imports in words, with their names.
pub(super) fn import_list(imports: &[ImportItem]) -> Markup {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for import in imports {
        match kinds.iter_mut().find(|(words, _)| *words == import.words) {
            Some((_, names)) => names.push(&import.name),
            None => kinds.push((&import.words, vec![&import.name])),
        }
    }
    html! {
        @if imports.is_empty() { p { (t::NO_IMPORTS) } }
        ul.imports {
            @for (words, names) in kinds {
                li { bdi { (words) } @for name in names { code.sub.block-link { (name) } } }
            }
        }
    }
}
