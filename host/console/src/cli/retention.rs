//! `cofferdam destination retention`.

use super::{client::Client, output, output::exact};
use crate::{dto, worker};

/// Shows what would go, and has it go.
pub async fn run(
    client: &Client,
    destination: &str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> anyhow::Result<()> {
    let plan = client.retention(destination, true).await?;
    let count: usize = plan.databases.iter().map(|it| it.goes.len()).sum();
    if dry_run || count == 0 {
        return if as_json { output::json(&plan) } else { show(&plan) };
    }
    if !as_json && !yes {
        show(&plan)?;
    }
    let what = if count == 1 { "this copy".to_owned() } else { format!("these {count} copies") };
    output::confirm(&format!("Remove {what} from {destination}?"), yes)?;
    let done = client.retention(destination, false).await?;
    if let Client::Local(app) = client {
        worker::remove_expired(app, &done).await?;
    }
    if as_json { output::json(&done) } else { show(&done) }
}

fn show(plan: &dto::Retention) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    let each = |it: &dto::ExpiredCopy, database: &str, what: &str| {
        let (created, file) = (exact(it.created_at), it.filename.clone());
        vec![database.to_owned(), what.to_owned(), created, file, it.reason.clone()]
    };
    let goes = if plan.dry_run { "would go" } else { "goes" };
    for of in &plan.databases {
        rows.extend(of.goes.iter().map(|it| each(it, &of.database, goes)));
        rows.extend(of.stays.iter().map(|it| each(it, &of.database, "stays")));
    }
    if rows.is_empty() {
        output::line(&format!("Nothing at {} has had its time.", plan.destination))?;
    } else {
        output::table(&["DATABASE", "", "CREATED", "FILE", "BECAUSE"], &rows)?;
    }
    for of in &plan.databases {
        if let Some(why) = &of.held {
            output::line(&format!("{}: nothing goes: {why}", of.database))?;
        }
    }
    Ok(())
}
