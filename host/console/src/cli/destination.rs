//! `cofferdam destination …`

use std::{fs, io::Read as _, path::Path};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use super::{args::Destination, client::Client, output, problem::Problem};
use crate::dto;

/// Does it.
pub async fn run(command: Destination, client: &Client, as_json: bool) -> anyhow::Result<()> {
    match command {
        Destination::Add { plugin, name, settings, set, databases, grant, grant_private } => {
            let wish = serde_json::json!({
                "plugin": plugin,
                "name": name,
                "settings": read_settings(settings.as_deref(), &set)?,
                "databases": (!databases.is_empty()).then_some(databases),
                "grant": grant || grant_private,
                "grant_private": grant_private,
            });
            let made = client.add_destination(wish).await?;
            if as_json { output::json(&made) } else { added(&made) }
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
        Destination::Check { destination } => {
            let found = client.check_destination(&destination).await?;
            if as_json {
                output::json(&found)?;
            } else {
                for line in &found.log {
                    output::line(&format!("  {}", line.text))?;
                }
                for error in &found.errors {
                    output::line(&format!("! {}: {}", error.field, error.message))?;
                }
                if found.ok {
                    output::line(&found.message)?;
                }
            }
            if found.ok { Ok(()) } else { bail!("{destination} does not work: {}", found.message) }
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

async fn enable(client: &Client, key: &str, enabled: bool, as_json: bool) -> anyhow::Result<()> {
    let changed = client.change_destination(key, serde_json::json!({ "enabled": enabled })).await?;
    if as_json {
        return output::json(&changed);
    }
    let state = if enabled { "on" } else { "off" };
    output::line(&format!("{} is switched {state}.", changed.name))
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

/// The settings of a file (`-` is standard input), with single ones over it.
/// Secrets belong into the file: arguments are seen by every process.
pub fn read_settings(file: Option<&Path>, set: &[String]) -> anyhow::Result<Value> {
    let mut settings = match file.map(read_json).transpose()? {
        None => Map::new(),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(not_settings()),
    };
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
        ("Databases", it.databases.as_ref().map_or_else(|| "all".to_owned(), |it| it.join(", "))),
        ("Secrets", it.secrets.join(", ")),
        ("At once", it.concurrency.to_string()),
        ("Tries", if it.keep_going { "for ever" } else { "for a day" }.to_owned()),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(&format!("{name:9} {value}"))?;
    }
    output::line(&serde_json::to_string_pretty(&it.settings)?)?;
    if let Some(last) = &it.last_delivery {
        let error = last.error.as_deref().map_or_else(String::new, |it| format!(": {it}"));
        output::line(&format!("Last delivery {}{error}", last.status.as_str()))?;
    }
    Ok(())
}
