//! The frame, and words that many pages share.

pub(crate) const PRODUCT: &str = "Cofferdam";
pub(crate) const SKIP: &str = "Skip to the content";
pub(crate) const NAV_LABEL: &str = "Main";
pub(crate) const OVERVIEW: &str = "Overview";
pub(crate) const BACKUPS: &str = "Backups";
pub(crate) const DATABASES: &str = "Databases";
pub(crate) const DESTINATIONS: &str = "Destinations";
pub(crate) const PLUGINS: &str = "Plugins";
pub(crate) const ACCOUNT: &str = "Account";
pub(crate) const SIGN_OUT: &str = "Sign out";
pub(crate) const OFFLINE: &str =
    "The connection to the console is lost. Trying again; until then this page stands still.";
pub(crate) const ONLINE: &str = "Connected again.";
pub(crate) const COPIED: &str = "Copied";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const BACK: &str = "Back to it";
pub(crate) const DELETE: &str = "Delete";
pub(crate) const EDIT: &str = "Edit";
pub(crate) const HINT: &str = "HINT:";
pub(crate) const OPTIONAL: &str = "optional";
pub(crate) const SHOW: &str = "Show";
pub(crate) const NEVER: &str = "never";
pub(crate) const NONE: &str = "–";
pub(crate) const BREADCRUMB: &str = "Where you are";
pub(crate) const API_TITLE: &str = "The same over the API";

pub(crate) fn title(page: &str) -> String {
    format!("{page} · {PRODUCT}")
}

pub(crate) fn version(version: &str) -> String {
    format!("{PRODUCT} {version}")
}

pub(crate) fn copy_what(what: &str) -> String {
    format!("Copy {what}")
}

/// A message beside the field with this label, as it reads apart from it.
pub(crate) fn of_field(label: &str, message: &str) -> String {
    match message.strip_prefix("this is ") {
        Some(rest) => format!("{label} is {rest}"),
        None if message.to_lowercase().contains(&label.to_lowercase()) => message.to_owned(),
        None => format!("{label}: {message}"),
    }
}

pub(crate) fn errors_title(count: usize) -> String {
    if count == 1 {
        "One thing needs another look".to_owned()
    } else {
        format!("{count} things need another look")
    }
}

/// A message in the style of the model's errors, as a sentence of its own.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let Some(first) = chars.next() else { return String::new() };
    // Addresses and names of files stay as they are.
    let word = message.split_whitespace().next().unwrap_or_default();
    let is_name = word.trim_end_matches(['.', ',', ':', ';']).contains(['.', '/', ':', '_']);
    let mut text: String = if is_name { first.to_string() } else { first.to_uppercase().collect() };
    text.push_str(chars.as_str());
    // A full stop behind SQL would be copied with it.
    if !text.ends_with(['.', '?', ':', '…', ';']) {
        text.push('.');
    }
    text
}
