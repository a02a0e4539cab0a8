//! What a component may touch, as an administrator says it.

use std::path::{Path, PathBuf};

use cofferdam_catalog::Tx;
use cofferdam_model::{ComponentHash, Grants};
use cofferdam_runtime::Plugin;
use serde_json::json;

use super::{Actor, Error, FieldError, Result, audit};
use crate::{app::App, dto};

/// Adds grants to those that an approved component has, in the transaction of
/// the change that needs them: both happen, or neither.
pub(super) async fn grant_more(
    app: &App,
    tx: &mut Tx,
    by: &Actor,
    hash: &ComponentHash,
    more: Grants,
) -> Result<()> {
    let component = tx.component(hash).await?.ok_or(Error::NotFound("plugin"))?;
    if component.approved.is_none() {
        return Err(Error::conflict("the plugin's approval has just been taken back"));
    }
    store_grants(app, tx, by, hash, &with_more(component.grants, more)).await
}

/// Grants with more of them.
pub(super) fn with_more(mut grants: Grants, more: Grants) -> Grants {
    for host in more.hosts {
        grants.hosts.retain(|it| (&it.host, it.port) != (&host.host, host.port));
        grants.hosts.push(host);
    }
    grants.folder = more.folder.or(grants.folder);
    grants.mail |= more.mail;
    grants
}

/// Writes down what a component may touch, and approves it if it was not.
pub(super) async fn store_grants(
    app: &App,
    tx: &mut Tx,
    by: &Actor,
    hash: &ComponentHash,
    grants: &Grants,
) -> Result<()> {
    let now = app.now();
    let component = tx.component(hash).await?.ok_or(Error::NotFound("plugin"))?;
    if component.approved.is_some() {
        tx.set_grants(hash, grants).await?;
    } else {
        tx.approve_component(hash, &by.name, grants, now).await?;
    }
    tx.wake_deliveries(Some(&component.seen.plugin), None, now).await?;
    let object = audit::Object::component(&component.seen);
    let details = json!({
        "hosts": grants.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "folder": grants.folder,
        "mail": grants.mail,
    });
    audit::record_with(tx, by, "plugin.approve", object, details, now).await?;
    Ok(())
}

/// Reads grants. Nothing can be granted that the plugin does not ask for.
pub(super) async fn understand(app: &App, wish: &dto::Approval, plugin: &Plugin) -> Result<Grants> {
    let asks = plugin.description().grants;
    let mut wrong = Vec::new();
    let mut hosts = Vec::new();
    for text in wish.hosts.iter().map(|it| it.trim()).filter(|it| !it.is_empty()) {
        match text.parse::<cofferdam_model::HostGrant>() {
            Ok(host) if !hosts.contains(&host) => hosts.push(host),
            Ok(_) => {}
            Err(error) => wrong.push(FieldError::new("hosts", format!("{text}: {error}"))),
        }
    }
    if !hosts.is_empty() && !asks.network {
        wrong.push(FieldError::new("hosts", "the plugin does not ask for the network"));
    }
    let folder = wish.folder.as_deref().map(str::trim).filter(|it| !it.is_empty());
    if folder.is_some() && !asks.folder {
        wrong.push(FieldError::new("folder", "the plugin does not ask for a folder"));
    }
    if folder.is_some_and(|it| !it.starts_with('/') || it.chars().any(cofferdam_model::is_unfit)) {
        wrong
            .push(FieldError::new("folder", "a path from the root is needed, such as /srv/copies"));
    } else if asks.folder
        && let Some(folder) = folder
        && let Some(why) = not_grantable(app, Path::new(folder)).await
    {
        wrong.push(FieldError::new("folder", why));
    }
    if wish.mail && !asks.mail {
        wrong.push(FieldError::new("mail", "the plugin does not ask for mail"));
    }
    if !wrong.is_empty() {
        return Err(Error::Invalid(wrong));
    }
    Ok(Grants { hosts, folder: folder.map(Into::into), mail: wish.mail })
}

/// Why no plugin may have this folder.
pub(super) async fn not_grantable(app: &App, folder: &Path) -> Option<String> {
    if let Some(why) = is_the_consoles(app, folder) {
        return Some(why);
    }
    let trouble = app.plugins.folder_trouble(folder).await?;
    trouble.is_of_the_path().then(|| trouble.to_string())
}

/// That the console keeps something of its own there: its folders would give a
/// plugin the catalog, the backups themselves, and compiled code that the console
/// runs; its files the keys and passwords in them. The path is taken as it is:
/// one with a link in it is given to no plugin.
pub(super) fn is_the_consoles(app: &App, folder: &Path) -> Option<String> {
    let config = &app.config;
    let folders = [&config.data_dir, &config.plugin_dir, &config.backup_dir].into_iter();
    let folders =
        folders.map(|own| real(own)).find(|own| folder.starts_with(own) || own.starts_with(folder));
    let file = || {
        let files = std::iter::once(&config.catalog).chain(&config.secret_files);
        files.map(|own| real(own)).find(|own| own.starts_with(folder))
    };
    folders.or_else(file).map(|own| {
        format!("the console keeps files of its own in {}; choose a folder apart", own.display())
    })
}

/// The path without links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    let known = path.ancestors().find_map(|it| Some((it, it.canonicalize().ok()?)));
    let Some((above, real)) = known else { return path.to_owned() };
    match path.strip_prefix(above) {
        Ok(rest) if rest != Path::new("") => real.join(rest),
        _ => real,
    }
}
