//! `cofferdam database …`

use anyhow::bail;
use cofferdam_model::Secret;

use super::{args::Database, client::Client, output, user::line};
use crate::{dto::AddedDatabase, service::Error};

/// Does it.
pub async fn run(command: Database, client: &Client, as_json: bool) -> anyhow::Result<()> {
    match command {
        Database::Add { url, url_stdin, name, password_stdin } => {
            let url = match url {
                Some(url) if !url_stdin => {
                    refuse_password(&url)?;
                    Secret::new(url)
                }
                _ => line()?,
            };
            let password = if password_stdin { Some(line()?) } else { None };
            let added = client.add_database(url, name, password).await?;
            if as_json { output::json(&added) } else { print_added(&added) }
        }
        Database::List => {
            let list = client.databases().await?;
            if as_json {
                return output::json(&list);
            }
            if list.databases.is_empty() {
                return output::line(
                    "There is no database yet. Add one: cofferdam database add URL",
                );
            }
            let rows: Vec<_> = list
                .databases
                .iter()
                .map(|it| vec![it.name.clone(), it.engine.label().to_owned(), it.summary.clone()])
                .collect();
            output::table(&["NAME", "ENGINE", "WHERE"], &rows)
        }
        Database::Check { database } => {
            let found = client.check_database(&database).await?;
            let good = found["ok"] == true;
            if as_json {
                output::json(&found)?;
            } else {
                print_check(&found)?;
            }
            if good { Ok(()) } else { bail!("a backup of {database} would fail now") }
        }
        Database::Remove { database, yes } => {
            output::confirm(&format!("Forget the database {database}? Its backups stay."), yes)?;
            client.remove_database(&database).await?;
            if as_json {
                return output::json(&serde_json::json!({ "removed": database }));
            }
            output::line(&format!("{database} was removed. Its backups are still here."))
        }
    }
}

/// Arguments are seen by every process on the machine.
fn refuse_password(url: &str) -> anyhow::Result<()> {
    let has_password = matches!(crate::config::parse_url(url), Ok(connection) if crate::service::connection::password(&connection).is_some());
    if has_password {
        return Err(Error::Conflict {
            message: "the URL holds a password, which every process on this machine can see in the arguments".to_owned(),
            hint: Some("--url-stdin reads the URL from standard input, --password-stdin only the password".to_owned()),
        }
        .into());
    }
    Ok(())
}

fn print_added(added: &AddedDatabase) -> anyhow::Result<()> {
    let AddedDatabase { database, first_look, same_as } = added;
    output::line(&format!("{} was added: {}", database.name, database.summary))?;
    if !same_as.is_empty() {
        output::line(&format!("The same place is listed already as {}.", same_as.join(", ")))?;
    }
    if let Some(failure) = &first_look.error {
        output::line(&format!("It cannot be looked at now: {}", failure.message))?;
        if let Some(hint) = &failure.hint {
            output::line(&format!("HINT: {hint}"))?;
        }
        return output::line(&format!("Look again: cofferdam database check {}", database.name));
    }
    let version = first_look.server_version.as_deref().unwrap_or("It");
    let verdict = if first_look.ok { "a backup would work." } else { "a backup would fail now:" };
    output::line(&format!("{version} answers; {verdict}"))?;
    for problem in &first_look.problems {
        output::line(&format!("! {}", problem.text))?;
        if let Some(hint) = &problem.hint {
            output::line(&format!("  HINT: {hint}"))?;
        }
    }
    Ok(())
}

fn print_check(found: &serde_json::Value) -> anyhow::Result<()> {
    let text = |name: &str| found[name].as_str().unwrap_or("-").to_owned();
    let bytes = |name: &str| cofferdam_views::format::bytes(found[name].as_u64().unwrap_or(0));
    output::line(&format!("Server  {}", text("server_version")))?;
    output::line(&format!("Client  {}", text("tool_version")))?;
    output::line(&format!("Size    {}, {} tables", bytes("size_bytes"), found["tables"]))?;
    output::line(&format!(
        "Room    {} free, at most {} needed",
        bytes("free_bytes"),
        bytes("needed_bytes")
    ))?;
    for problem in found["problems"].as_array().into_iter().flatten() {
        output::line(&format!("! {}", problem["text"].as_str().unwrap_or_default()))?;
        if let Some(hint) = problem["hint"].as_str() {
            output::line(&format!("  HINT: {hint}"))?;
        }
    }
    if found["ok"] == true { output::line("A backup would work.") } else { Ok(()) }
}
