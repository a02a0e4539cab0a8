//! `cofferdam audit verify`, on the console's own machine.

use anyhow::bail;
use serde_json::json;

use super::{client::Client, output};

/// Walks the chain of the audit log, and fails at the first entry that does
/// not fit. The last hash, kept elsewhere, shows later whether entries were
/// cut off at the end.
pub async fn verify(client: &Client, as_json: bool) -> anyhow::Result<()> {
    let report = client.here()?.catalog.verify_audit().await?;
    let last = report.last_hash.map(|hash| hash.to_hex());
    if as_json {
        let fault = report.fault.as_ref();
        output::json(&json!({
            "checked": report.checked,
            "last_hash": last,
            "fault": fault.map(|it| json!({ "seq": it.seq, "reason": it.reason })),
        }))?;
    } else {
        let entries = if report.checked == 1 { "entry fits" } else { "entries fit" };
        output::line(&format!("{} {entries}", report.checked))?;
        if let Some(last) = &last {
            output::line(&format!("last hash {last}"))?;
        }
    }
    if let Some(fault) = report.fault {
        bail!(
            "the audit log does not hold at entry {}: {}\n\
             HINT: keep a copy of the catalog as it is, and compare it with an older backup of it",
            fault.seq,
            fault.reason
        );
    }
    Ok(())
}
