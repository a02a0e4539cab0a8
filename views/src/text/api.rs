//! The API's own page.

pub(crate) const TITLE: &str = "API";
pub(crate) const INTRO: &str = "Everything the pages do, programs can do too. Sign in with POST /auth/login to get a bearer token; it holds for twelve hours.";
pub(crate) const DOCUMENT: &str = "OpenAPI document";
pub(crate) const TOKEN: &str = "Bearer token for trying calls";
pub(crate) const TOKEN_HINT: &str = "It stays in this page and is gone when you leave it";
pub(crate) const PARAMETERS: &str = "Parameters";
pub(crate) const BODY: &str = "Body";
pub(crate) const ANSWERS: &str = "Answers";
pub(crate) const TRY: &str = "Try it";
pub(crate) const ANSWER: &str = "Answer";
pub(crate) const REQUIRED: &str = "required";

/// What a group of calls is about.
pub(crate) fn group(tag: &str) -> &str {
    match tag {
        "auth" => "Signing in",
        "backups" => "Backups",
        "databases" => "Databases",
        "destinations" => "Destinations",
        "plugins" => "Plugins",
        "status" => "Status",
        other => other,
    }
}
