//! `cofferdam user …`, on the console's own machine.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::bail;
use cofferdam_model::Secret;
use serde_json::json;

use super::{args::User, client::Client, output};
use crate::{
    app::App,
    service::{Actor, users},
};

/// Does it.
pub async fn run(command: User, client: &Client, as_json: bool) -> anyhow::Result<()> {
    let app = client.here()?;
    match command {
        User::Add { name, role, password_stdin } => {
            users::role(&role)?;
            let password = ask(password_stdin)?;
            let id = users::add(app, &Actor::cli(), &name, &role, password).await?;
            if as_json {
                output::json(&json!({ "id": id, "name": name.to_lowercase(), "role": role }))
            } else {
                output::line(&format!("{} was added as {role}.", name.to_lowercase()))
            }
        }
        User::Passwd { name, password_stdin } => {
            users::set_password(app, &Actor::cli(), &name, ask(password_stdin)?).await?;
            if as_json {
                output::json(&json!({ "name": name.to_lowercase() }))
            } else {
                output::line("The password was changed. Sessions and tokens have ended.")
            }
        }
        User::Disable { name } => set_disabled(app, &name, true, as_json).await,
        User::Enable { name } => set_disabled(app, &name, false, as_json).await,
        User::List => {
            let users = users::list(app).await?;
            if as_json {
                let each = users.iter().map(|it| {
                    json!({
                        "id": it.id, "name": it.username, "role": it.role,
                        "created_at": it.created_at, "disabled": it.disabled_at.is_some(),
                    })
                });
                return output::json(&json!({ "users": each.collect::<Vec<_>>() }));
            }
            let rows: Vec<_> = users
                .iter()
                .map(|it| {
                    let state = if it.disabled_at.is_some() { "disabled" } else { "" };
                    vec![it.username.to_string(), it.role.as_str().to_owned(), state.to_owned()]
                })
                .collect();
            output::table(&["NAME", "ROLE", ""], &rows)
        }
    }
}

async fn set_disabled(app: &App, name: &str, disabled: bool, as_json: bool) -> anyhow::Result<()> {
    users::set_disabled(app, &Actor::cli(), name, disabled).await?;
    let name = name.to_lowercase();
    if as_json {
        return output::json(&json!({ "name": name, "disabled": disabled }));
    }
    output::line(&if disabled {
        format!("{name} can no longer sign in. Sessions and tokens have ended.")
    } else {
        format!("{name} can sign in again.")
    })
}

/// A new password: twice from the terminal, or a line of standard input.
pub fn ask(from_stdin: bool) -> anyhow::Result<Secret> {
    if from_stdin {
        return line();
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "there is no terminal to ask for a password\nHINT: --password-stdin reads it from standard input"
        );
    }
    let first = Secret::new(rpassword::prompt_password("Password: ")?);
    let again = Secret::new(rpassword::prompt_password("Again: ")?);
    if first.expose() != again.expose() {
        bail!("the two passwords differ");
    }
    Ok(first)
}

/// One line of standard input, without its end.
pub fn line() -> anyhow::Result<Secret> {
    let mut text = zeroize::Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut text)?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}
