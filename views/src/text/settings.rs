//! Fields of a plugin's settings.

use crate::schema::TEMPLATE_PLACEHOLDERS;

pub(crate) const PREVIEW: &str = "Makes";
pub(crate) const SECRET_STORED: &str = "One is stored, encrypted. Leave this empty to keep it.";
pub(crate) const SECRET_NEW: &str = "Stored encrypted; never shown again.";

/// To tick, below a secret that is stored.
pub(crate) fn forget(label: &str) -> String {
    format!("Remove the stored one ({label})")
}

pub(crate) fn only_where(condition: &str) -> String {
    format!("Only where {condition}:")
}

/// The entry that chooses none.
pub(crate) fn none(default: &str) -> String {
    if default.is_empty() { "Choose".to_owned() } else { format!("As usual: {default}") }
}

pub(crate) fn unknown_placeholders(names: &[String]) -> String {
    let braces = |names: Vec<&str>| {
        names.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(" ")
    };
    let unknown = braces(names.iter().map(String::as_str).collect());
    format!("There is no {unknown}. There are {}.", braces(TEMPLATE_PLACEHOLDERS.to_vec()))
}
