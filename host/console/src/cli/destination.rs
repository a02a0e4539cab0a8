//! `cofferdam destination …`

use std::{fs, io::Read as _, path::Path};

use anyhow::{Context as _, bail};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    args::{Destination, Settings, Usage},
    client::Client,
    output,
    problem::Problem,
    retention,
};
use crate::dto;

/// Does it.
pub async fn run(command: Destination, client: &Client, as_json: bool) -> anyhow::Result<()> {
    match command {
        Destination::Add { plugin, name, settings, databases, usage } => {
            let wish = Wish {
                plugin: Some(plugin),
                name,
                settings: Some(read_settings(settings.file.as_deref(), &settings.set, Map::new())?),
                databases: (!databases.is_empty()).then_some(databases),
                ..Wish::of(&settings, usage)
            };
            let made = client.add_destination(serde_json::to_value(wish)?).await?;
            if as_json { output::json(&made) } else { added(&made) }
        }
        Destination::Change {
            destination,
            name,
            settings,
            unset,
            databases,
            all_databases,
            usage,
        } => {
            let named = all_databases || !databases.is_empty();
            let wish = Wish {
                name,
                settings: changed_settings(client, &destination, &settings, &unset).await?,
                databases: named.then_some(databases),
                ..Wish::of(&settings, usage)
            };
            let wish = serde_json::to_value(wish)?;
            let changed = client.change_destination(&destination, wish).await?;
            if as_json {
                return output::json(&changed);
            }
            output::line(&format!("{} was saved.", changed.name))
        }
        Destination::List => {
            let list = client.destinations().await?;
            if as_json {
                return output::json(&list);
            }
            if list.destinations.is_empty() {
                return output::line(
                    "There is no destination yet. Add one: cofferdam destination add PLUGIN",
                );
            }
            let rows: Vec<_> = list.destinations.iter().map(row).collect();
            output::table(&["NAME", "PLUGIN", "ROLES", "STATE", "LAST DELIVERY"], &rows)
        }
        Destination::Show { destination } => {
            let found = client.destination(&destination).await?;
            if as_json { output::json(&found) } else { show(&found) }
        }
        Destination::Check { destination: Some(destination), settings, .. } => {
            let changes = changed_settings(client, &destination, &settings, &[]).await?;
            let wish = changes.map(|it| Wish {
                settings: Some(it),
                grant: settings.grant || settings.grant_private,
                grant_private: settings.grant_private,
                ..Wish::default()
            });
            let wish = wish.map(serde_json::to_value).transpose()?;
            let found = client.check_destination(&destination, wish).await?;
            report(&found, &destination, as_json)
        }
        Destination::Check { plugin, settings, .. } => {
            let wish = Wish {
                settings: Some(read_settings(settings.file.as_deref(), &settings.set, Map::new())?),
                grant: settings.grant || settings.grant_private,
                grant_private: settings.grant_private,
                plugin,
                ..Wish::default()
            };
            let found = client.try_destination(serde_json::to_value(wish)?).await?;
            report(&found, "it", as_json)
        }
        Destination::Retention { destination, dry_run, yes } => {
            retention::run(client, &destination, dry_run, yes, as_json).await
        }
        Destination::Test { destination } => {
            let found = client.test_destination(&destination).await?;
            report(&found, &destination, as_json)
        }
        Destination::Enable { destination } => enable(client, &destination, true, as_json).await,
        Destination::Disable { destination } => enable(client, &destination, false, as_json).await,
        Destination::Remove { destination, yes } => {
            let question =
                format!("Forget the destination {destination}? What it keeps stays there.");
            output::confirm(&question, yes)?;
            client.remove_destination(&destination).await?;
            if as_json {
                return output::json(&serde_json::json!({ "removed": destination }));
            }
            output::line(&format!("{destination} was removed. What it keeps is still there."))
        }
    }
}

/// What a test found.
fn report(found: &dto::DestinationCheck, of: &str, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        output::json(found)?;
    } else {
        for line in &found.log {
            output::line(&format!("  {}", line.text))?;
        }
        if found.ok {
            output::line(&found.message)?;
        }
    }
    if found.ok { Ok(()) } else { bail!("{of} does not work: {}", found.message) }
}

async fn enable(client: &Client, key: &str, enabled: bool, as_json: bool) -> anyhow::Result<()> {
    let changed = client.change_destination(key, serde_json::json!({ "enabled": enabled })).await?;
    if as_json {
        return output::json(&changed);
    }
    let state = if enabled { "on" } else { "off" };
    output::line(&format!("{} is switched {state}.", changed.name))
}

/// A destination's JSON, as the API takes it; what is left out stays as it is.
#[derive(Default, Serialize)]
struct Wish {
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    databases: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_going: Option<bool>,
    grant: bool,
    grant_private: bool,
}

impl Wish {
    fn of(settings: &Settings, usage: Usage) -> Self {
        Self {
            events: (!usage.events.is_empty()).then_some(usage.events),
            concurrency: usage.at_once,
            keep_going: usage.keep_going,
            grant: settings.grant || settings.grant_private,
            grant_private: settings.grant_private,
            ..Self::default()
        }
    }
}

/// The stored settings with what is named over them; nothing where nothing is.
async fn changed_settings(
    client: &Client,
    key: &str,
    changes: &Settings,
    unset: &[String],
) -> anyhow::Result<Option<Value>> {
    if changes.file.is_none() && changes.set.is_empty() && unset.is_empty() {
        return Ok(None);
    }
    let Value::Object(mut stored) = client.destination(key).await?.settings else {
        bail!("the stored settings of {key} are not a JSON object");
    };
    // What is given as nothing goes, secrets too.
    stored.extend(unset.iter().map(|name| (name.clone(), Value::Null)));
    read_settings(changes.file.as_deref(), &changes.set, stored).map(Some)
}

/// The JSON document of a file; `-` is standard input.
pub fn read_json(path: &Path) -> anyhow::Result<Value> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text)?;
    } else {
        text = fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
    }
    // The parser's own words would quote what may be a secret.
    serde_json::from_str(&text).map_err(|_| not_settings())
}

fn not_settings() -> anyhow::Error {
    Problem::usage("the settings are not a JSON object").into()
}

/// The settings of a file (`-` is standard input) and single ones over others.
/// Secrets belong into the file: arguments are seen by every process.
pub fn read_settings(
    file: Option<&Path>,
    set: &[String],
    mut settings: Map<String, Value>,
) -> anyhow::Result<Value> {
    match file.map(read_json).transpose()? {
        None => {}
        Some(Value::Object(fields)) => settings.extend(fields),
        Some(_) => return Err(not_settings()),
    }
    for pair in set {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Problem::usage(&format!("{pair:?} is not NAME=VALUE")).into());
        };
        // What reads as a number, a list or true is one; everything else is text.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        settings.insert(name.to_owned(), value);
    }
    Ok(Value::Object(settings))
}

fn added(made: &dto::Destination) -> anyhow::Result<()> {
    output::line(&format!("{} was added.", made.name))?;
    if let Some(problem) = &made.problem {
        output::line(&format!("It cannot be used yet: {problem}"))?;
    }
    output::line(&format!("Try it out: cofferdam destination check {}", made.name))
}

fn state(destination: &dto::Destination) -> String {
    match &destination.problem {
        _ if !destination.enabled => "off".to_owned(),
        Some(_) => "problem".to_owned(),
        None => "on".to_owned(),
    }
}

fn row(it: &dto::Destination) -> Vec<String> {
    let last = it.last_delivery.as_ref();
    vec![
        it.name.clone(),
        it.plugin.clone(),
        it.roles.join(", "),
        state(it),
        last.map_or_else(String::new, |last| last.status.as_str().to_owned()),
    ]
}

fn show(it: &dto::Destination) -> anyhow::Result<()> {
    let rows = [
        ("Name", it.name.clone()),
        ("Plugin", it.plugin.clone()),
        ("Roles", it.roles.join(", ")),
        ("State", state(it)),
        ("Problem", it.problem.clone().unwrap_or_default()),
        ("Tells of", it.events.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")),
        ("Databases", it.databases.as_ref().map_or_else(|| "all".to_owned(), |it| it.join(", "))),
        ("Secrets", it.secrets.join(", ")),
        ("At once", it.concurrency.to_string()),
        ("Tries", if it.keep_going { "for ever" } else { "for a day" }.to_owned()),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(&format!("{name:9} {value}"))?;
    }
    output::line(&serde_json::to_string_pretty(&it.settings)?)?;
    if let Some(check) = &it.last_check {
        let verdict = if check.found.ok { "works" } else { "does not work" };
        let (at, message) = (output::exact(check.at), &check.found.message);
        output::line(&format!("Tested {at}: it {verdict}: {message}"))?;
    }
    if let Some(held) = &it.retention_held {
        output::line(&format!("Nothing goes from there by itself: {held}"))?;
    }
    if let Some(last) = &it.last_delivery {
        let error = last.error.as_deref().map_or_else(String::new, |it| format!(": {it}"));
        output::line(&format!("Last delivery {}{error}", last.status.as_str()))?;
    }
    Ok(())
}
