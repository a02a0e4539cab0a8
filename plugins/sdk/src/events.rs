//! Which events a notifier passes on.

use crate::{Event, Severity};

/// The kinds that this version knows, as they stand in a form's choice.
pub const KINDS: [&str; 4] =
    ["backup.completed", "backup.failed", "backup.cancelled", "delivery.failed"];

/// The choice that most people want: what somebody has to look at.
pub const USUAL: [&str; 2] = ["backup.failed", "delivery.failed"];

/// Whether an event is among the chosen ones. A test always is; one of a kind
/// that this version does not know is if it is a warning or worse, because
/// silence about it would be the greater harm.
pub fn is_wanted(chosen: &[String], event: &Event) -> bool {
    event.kind == "test"
        || chosen.contains(&event.kind)
        || (!KINDS.contains(&event.kind.as_str()) && event.severity != Severity::Info)
}

/// The setting `events`, for a schema.
pub fn schema() -> serde_json::Value {
    serde_json::json!({
        "type": "array",
        "title": "Events",
        "description": "What to tell. Warnings and errors of kinds that later versions add are always told.",
        "items": { "type": "string", "enum": KINDS },
        "uniqueItems": true,
        "minItems": 1,
        "default": USUAL
    })
}

/// The default of the setting `events`.
pub fn usual() -> Vec<String> {
    USUAL.map(str::to_owned).to_vec()
}
