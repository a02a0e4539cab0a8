//! Writing down in the catalog what is there.

use std::sync::Arc;

use cofferdam_catalog::NewComponent;
use cofferdam_model::PluginId;
use cofferdam_runtime::{GrantKinds, Import, Plugin};
use serde_json::{Value, json};

use super::pause::Trouble;
use crate::{
    app::App,
    dto,
    service::{Actor, audit},
};

/// Notes a component that was loaded.
pub(super) async fn noted(
    app: &App,
    file: &str,
    bundled: bool,
    loaded: Result<Arc<Plugin>, Trouble>,
) -> Result<Arc<Plugin>, Trouble> {
    let plugin = loaded?;
    note(app, file, bundled, &plugin).await.map_err(|error| {
        tracing::error!(file, "a plugin could not be noted in the catalog: {error:#}");
        Trouble::passing("the console could not note it in its catalog".to_owned())
    })?;
    Ok(plugin)
}

/// Notes in the catalog that a component is there. One that the program
/// carries is approved with it, and takes over what the administrator granted
/// to the version that an earlier program carried, unless that was revoked.
async fn note(app: &App, file: &str, bundled: bool, plugin: &Plugin) -> anyhow::Result<()> {
    let about = about(plugin);
    let id: PluginId = about.id.parse()?;
    let now = app.now();
    let seen = NewComponent {
        hash: plugin.hash().clone(),
        plugin: id.clone(),
        name: about.name.clone(),
        version: about.version.clone(),
        description: serde_json::to_value(&about)?,
        file: file.to_owned(),
        bundled,
    };
    let known = app.catalog.component(&seen.hash).await?;
    if known.as_ref().is_some_and(|it| it.seen == seen) {
        return Ok(());
    }
    let mut tx = app.catalog.begin().await?;
    let before = tx.components_of(&id).await?;
    let by = Actor::system();
    let object = audit::Object::component(&seen);
    if let Some(known) = known.filter(|it| it.approved.is_some())
        && !is_what_was_approved(&about, &known.seen.description)
    {
        tracing::warn!(file, "the plugin describes itself otherwise than when it was approved");
        tx.revoke_component(&seen.hash).await?;
        let details =
            json!({ "reason": "it describes itself otherwise than when it was approved" });
        audit::record_with(&mut tx, &by, "plugin.revoke", object.clone(), details, now).await?;
    }
    if tx.see_component(&seen, now).await? {
        audit::record(&mut tx, &by, "plugin.appear", object.clone(), now).await?;
    }
    // Also one that somebody has had in the folder before, unapproved.
    let new_here = before
        .iter()
        .find(|it| it.seen.hash == seen.hash)
        .is_none_or(|it| !it.seen.bundled && it.approved.is_none());
    let earlier = before.into_iter().filter(|it| it.seen.bundled && it.seen.hash != seen.hash);
    let last = earlier.max_by_key(|it| it.first_seen_at);
    // Whoever revoked the one before does not get it back with an upgrade.
    let revoked = last.as_ref().is_some_and(|it| it.approved.is_none());
    if bundled && new_here && !revoked {
        let grants = last.map(|it| it.grants).unwrap_or_default();
        tx.approve_component(&seen.hash, &by.name, &grants, now).await?;
        audit::record(&mut tx, &by, "plugin.approve", object, now).await?;
        tx.wake_deliveries(Some(&id), None, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Whether a component still asks for what somebody has read and approved. Its
/// file is the same, but it may have looked at the clock.
fn is_what_was_approved(now: &dto::PluginAbout, approved: &Value) -> bool {
    serde_json::from_value::<dto::PluginAbout>(approved.clone()).is_ok_and(|then| {
        (&now.id, &now.asks, &now.settings_schema) == (&then.id, &then.asks, &then.settings_schema)
    })
}

/// What an import lets a component do, with what it asks for: what it does not
/// ask for cannot be granted, however much of the standard library it brings along.
fn words_of(import: &Import, asks: GrantKinds) -> String {
    let is = |start: &str| import.name.starts_with(start);
    let refused = if is("wasi:http/") && !asks.network {
        "Requests over HTTP, which are all refused: it asks for no hosts"
    } else if is("wasi:filesystem/") && !asks.folder {
        "Files, of which it sees none: it asks for no folder"
    } else if is("cofferdam:plugin/mail") && !asks.mail {
        "Mail, which is refused: it does not ask for it"
    } else {
        import.words
    };
    refused.to_owned()
}

/// What a component says of itself, as the API and the catalog have it.
pub fn about(plugin: &Plugin) -> dto::PluginAbout {
    let said = plugin.description();
    let roles = plugin.roles();
    let words = |list: &[(bool, &str)]| {
        list.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect()
    };
    dto::PluginAbout {
        id: said.id.clone(),
        name: said.name.clone(),
        version: said.version.to_string(),
        summary: said.summary.clone(),
        author: said.author.clone(),
        homepage: said.homepage.clone(),
        roles: words(&[
            (roles.storage, "storage"),
            (roles.notifier, "notifier"),
            (roles.retention, "retention"),
        ]),
        asks: words(&[
            (said.grants.network, "network"),
            (said.grants.folder, "folder"),
            (said.grants.mail, "mail"),
        ]),
        imports: plugin
            .imports()
            .iter()
            .map(|it| dto::PluginImport { name: it.name.clone(), words: words_of(it, said.grants) })
            .collect(),
        settings_schema: said.settings_schema.clone(),
    }
}
