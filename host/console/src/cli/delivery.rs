//! `cofferdam delivery …`

use super::{
    args::Delivery,
    client::Client,
    output::{self, exact},
};
use crate::dto;

/// Does it.
pub async fn run(command: Delivery, client: &Client, as_json: bool) -> anyhow::Result<()> {
    let (done, said) = match command {
        Delivery::List { destination } => {
            let list = client.deliveries(&destination).await?;
            return if as_json { output::json(&list) } else { table(&list) };
        }
        Delivery::Show { delivery } => {
            let found = client.delivery(&delivery).await?;
            return if as_json { output::json(&found) } else { show(&found) };
        }
        Delivery::Retry { delivery } => {
            (client.change_delivery(&delivery, "retry").await?, "is tried again at once")
        }
        Delivery::Cancel { delivery } => {
            (client.change_delivery(&delivery, "cancel").await?, "is stopped")
        }
    };
    if as_json {
        return output::json(&done);
    }
    output::line(&format!("The delivery to {} {said}.", done.delivery.destination))
}

fn table(list: &dto::DeliveryList) -> anyhow::Result<()> {
    let row = |it: &dto::Delivery| {
        vec![
            it.id.clone(),
            it.database.clone(),
            it.purpose.as_str().to_owned(),
            it.status.as_str().to_owned(),
            exact(it.created_at),
            it.location.clone().unwrap_or_default(),
        ]
    };
    let columns = ["DELIVERY", "DATABASE", "WHAT", "STATE", "CREATED", "LOCATION"];
    if list.deliveries.is_empty() && list.left_behind.is_empty() {
        return output::line("Nothing was sent there yet.");
    }
    output::table(&columns, &list.deliveries.iter().map(row).collect::<Vec<_>>())?;
    if !list.left_behind.is_empty() {
        output::line("")?;
        output::line("Of deleted backups, this may still be there:")?;
        output::table(&columns, &list.left_behind.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(())
}

fn show(found: &dto::DeliveryDetail) -> anyhow::Result<()> {
    let it = &found.delivery;
    let rows = [
        ("Delivery", it.id.clone()),
        ("Backup", it.backup.clone()),
        ("Database", it.database.clone()),
        ("To", it.destination.clone()),
        ("What", it.purpose.as_str().to_owned()),
        ("State", it.status.as_str().to_owned()),
        ("Next try", it.next_attempt_at.map(exact).unwrap_or_default()),
        ("Location", it.location.clone().unwrap_or_default()),
        ("Note", it.note.clone().unwrap_or_default()),
        ("Error", it.error.clone().unwrap_or_default()),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(&format!("{name:9} {value}"))?;
    }
    for attempt in &found.history {
        let outcome = attempt.outcome.map_or("running", |it| it.as_str());
        let error = attempt.error.as_deref().map_or_else(String::new, |it| format!(": {it}"));
        let (number, began) = (attempt.number, exact(attempt.started_at));
        output::line(&format!("Attempt {number} of {began}: {outcome}{error}"))?;
        for line in &attempt.log {
            output::line(&format!("  {}", line.text))?;
        }
    }
    Ok(())
}
