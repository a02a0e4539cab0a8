//! `cofferdam plugin …`

use std::{io::IsTerminal as _, time::Duration};

use anyhow::Context as _;
use cofferdam_model::Grants;

use super::{args::Plugin, client::Client, output};
use crate::dto::{self, PluginState};

/// How often one that is being compiled is asked about.
const COMPILING: Duration = Duration::from_millis(500);

/// Does it.
pub async fn run(command: Plugin, client: &Client, as_json: bool) -> anyhow::Result<()> {
    match command {
        Plugin::List => {
            let list = client.plugins().await?;
            if as_json {
                return output::json(&list);
            }
            let rows: Vec<_> = list.plugins.iter().map(row).collect();
            output::table(&["HASH", "PLUGIN", "VERSION", "STATE", "ROLES", "FILE"], &rows)?;
            for plugin in list.plugins.iter().filter(|it| it.reason.is_some()) {
                let reason = plugin.reason.as_deref().unwrap_or_default();
                output::line(&format!("{}: {reason}", plugin.file))?;
            }
            if let Some(problem) = &list.problem {
                output::line(problem)?;
            }
            output::line(&format!("The folder is {}", list.folder))
        }
        Plugin::Inspect { plugin } => {
            let found = client.plugin(&plugin).await?;
            if as_json { output::json(&found) } else { show(&found) }
        }
        Plugin::Add { file } => {
            let name = file.file_name().map(|it| it.to_string_lossy().into_owned());
            let name = name.with_context(|| format!("{} is no file", file.display()))?;
            let bytes = tokio::fs::read(&file)
                .await
                .with_context(|| format!("{} cannot be read", file.display()))?;
            let mut added = client.add_plugin(&name, bytes).await?;
            // A large one is compiled for some seconds, or for minutes.
            while added.state == PluginState::New {
                tokio::time::sleep(COMPILING).await;
                added = client.plugin(&name).await?;
            }
            if as_json {
                return output::json(&added);
            }
            row_of(&added)
        }
        Plugin::Approve { plugin, hosts, folder, mail, yes } => {
            let found = client.plugin(&plugin).await?;
            let hash = found
                .hash
                .clone()
                .ok_or_else(|| anyhow::anyhow!("{}: there is nothing to approve", found.file))?;
            let approval =
                dto::Approval { hosts, folder: folder.map(|it| it.display().to_string()), mail };
            // What is asked about is shown to whoever is asked.
            if !as_json && !yes && std::io::stdin().is_terminal() {
                show(&found)?;
            }
            output::confirm(&format!("Approve {} with {}?", name(&found), asked(&approval)), yes)?;
            let approved = client.approve_plugin(&hash, &approval).await?;
            if as_json {
                return output::json(&approved);
            }
            output::line(&format!("{} is approved with {}.", name(&approved), asked(&approval)))
        }
        Plugin::Revoke { plugin } => {
            let found = client.plugin(&plugin).await?;
            client.revoke_plugin(found.hash.as_deref().unwrap_or(&plugin)).await?;
            if as_json {
                return output::json(&serde_json::json!({ "revoked": found.hash }));
            }
            output::line(&format!("{} is no longer approved.", name(&found)))
        }
        // Done before a catalog is opened.
        Plugin::New(_) | Plugin::Test(_) => Ok(()),
    }
}

/// How a file stands that was just added.
fn row_of(added: &dto::Plugin) -> anyhow::Result<()> {
    let reason = added.reason.as_deref().unwrap_or_default();
    match added.state {
        PluginState::Refused => {
            anyhow::bail!("{} is not taken as a plugin: {reason}", added.file)
        }
        PluginState::Approved => {
            output::line(&format!("{} is there, and was approved before.", name(added)))
        }
        _ => output::line(&format!(
            "{} is there and waits for approval: cofferdam plugin approve {}",
            name(added),
            added.hash.as_deref().map_or(added.file.as_str(), |it| it.get(..12).unwrap_or(it)),
        )),
    }
}

fn name(plugin: &dto::Plugin) -> String {
    match &plugin.about {
        Some(about) => format!("{} {}", about.name, about.version),
        None => plugin.file.clone(),
    }
}

fn asked(approval: &dto::Approval) -> String {
    let mut parts = approval.hosts.clone();
    parts.extend(approval.folder.as_ref().map(|it| format!("the folder {it}")));
    parts.extend(approval.mail.then(|| "mail".to_owned()));
    if parts.is_empty() { "no grants".to_owned() } else { parts.join(", ") }
}

fn granted(grants: &Grants) -> String {
    asked(&dto::Approval {
        hosts: grants.hosts.iter().map(ToString::to_string).collect(),
        folder: grants.folder.as_ref().map(|it| it.display().to_string()),
        mail: grants.mail,
    })
}

fn row(plugin: &dto::Plugin) -> Vec<String> {
    let about = plugin.about.as_ref();
    let place = if plugin.bundled { "(bundled)" } else { &plugin.file };
    vec![
        plugin.hash.as_deref().map_or_else(String::new, |it| it[..12.min(it.len())].to_owned()),
        about.map_or_else(String::new, |it| it.id.clone()),
        about.map_or_else(String::new, |it| it.version.clone()),
        plugin.state.as_str().to_owned(),
        about.map_or_else(String::new, |it| it.roles.join(", ")),
        place.to_owned(),
    ]
}

fn show(plugin: &dto::Plugin) -> anyhow::Result<()> {
    let about = plugin.about.as_ref();
    let text = |get: fn(&dto::PluginAbout) -> String| about.map_or_else(String::new, get);
    let rows = [
        ("Plugin", name(plugin)),
        ("Id", text(|it| it.id.clone())),
        ("About", text(|it| it.summary.clone())),
        ("Author", text(|it| it.author.clone())),
        ("Page", text(|it| it.homepage.clone().unwrap_or_default())),
        ("File", plugin.file.clone()),
        ("SHA-256", plugin.hash.clone().unwrap_or_default()),
        ("State", plugin.state.as_str().to_owned()),
        ("Because", plugin.reason.clone().unwrap_or_default()),
        ("Roles", text(|it| it.roles.join(", "))),
        ("Asks for", text(|it| it.asks.join(", "))),
        (
            "Granted",
            if plugin.approved_by.is_some() { granted(&plugin.grants) } else { String::new() },
        ),
        ("Approved", plugin.approved_by.clone().unwrap_or_default()),
        ("Used by", plugin.destinations.join(", ")),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(&format!("{name:9} {value}"))?;
    }
    for import in about.iter().flat_map(|it| &it.imports) {
        output::line(&format!("Imports   {}: {}", import.name, import.words))?;
    }
    for change in &plugin.changes {
        output::line(&format!("Changed   {change}"))?;
    }
    if let Some(before) = &plugin.granted_before {
        output::line(&format!("Before    it was granted {}", granted(before)))?;
        output::line(&format!("Before    {}", plugin.hash_before.as_deref().unwrap_or("–")))?;
    }
    Ok(())
}
