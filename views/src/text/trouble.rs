//! Requests that did not work out: a title and one or two sentences each.

pub(crate) const TO_OVERVIEW: &str = "To the overview";
pub(crate) const TO_LOGIN: &str = "Sign in";
pub(crate) const RELOAD: &str = "Go back, load the page again, and repeat what you did.";
pub(crate) const INCIDENT: &str = "Incident";
pub(crate) const INCIDENT_NOTE: &str = "The log has the details under this number.";

pub(crate) const BAD_REQUEST: &str = "This request does not make sense";
pub(crate) const FORBIDDEN: &str = "Your role does not allow this";
pub(crate) const FORBIDDEN_TEXT: &str = "An administrator can do it, or change your role.";
pub(crate) const FORM_EXPIRED: &str = "This form is out of date";
pub(crate) const FORM_EXPIRED_TEXT: &str = "You signed in again after it was loaded, or it was sent from another site. Nothing was changed.";
pub(crate) const NOT_FOUND: &str = "There is nothing here";
pub(crate) const NOT_FOUND_TEXT: &str = "It was deleted, or the address is not quite right.";
pub(crate) const METHOD: &str = "This address cannot be used that way";
pub(crate) const METHOD_TEXT: &str = "It takes another kind of request. Nothing was changed.";
pub(crate) const CONFLICT: &str = "This cannot be done now";
pub(crate) const TOO_LARGE: &str = "That was too much";
pub(crate) const TOO_LARGE_TEXT: &str =
    "More was sent than this address takes. Nothing was changed.";
pub(crate) const TOO_MANY: &str = "Too many tries";
pub(crate) const INTERNAL: &str = "Something broke in Cofferdam";
pub(crate) const INTERNAL_TEXT: &str =
    "This is a fault in the console, not in what you did. Backups that are running go on.";
pub(crate) const UNAVAILABLE: &str = "The console is busy or stopping";
pub(crate) const UNAVAILABLE_TEXT: &str = "Nothing was changed. Try again in a moment.";

pub(crate) fn too_many(wait: &str) -> String {
    format!("Try again in {wait}.")
}
