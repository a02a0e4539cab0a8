//! Signing in, the first administrator, the account.

pub(crate) const NOBODY_YET: &str = "Nobody has an account here yet. The first one is made with the link behind \"Set up:\", which the console printed when it started; each start prints a new one.";
pub(crate) const NOBODY_YET_ELSE: &str = "Or, on the console's machine:";
pub(crate) const LOGIN_TITLE: &str = "Sign in";
pub(crate) const SESSION_ENDED: &str = "Your session has ended. Sign in and click again.";
pub(crate) const USERNAME: &str = "Name";
pub(crate) const PASSWORD: &str = "Password";
pub(crate) const SIGN_IN: &str = "Sign in";

pub(crate) const SETUP_TITLE: &str = "Set up Cofferdam";
pub(crate) const SETUP_LEAD: &str =
    "Choose the name and password of the first administrator. This link works once.";
pub(crate) const SETUP_NAME_HINT: &str = "Letters, digits and . _ - @";
pub(crate) const PASSWORD_HINT: &str =
    "At least 12 characters, of any kind. A sentence or a password manager's choice is good.";
pub(crate) const PASSWORD_AGAIN: &str = "Password again";
pub(crate) const SETUP_SUBMIT: &str = "Create the administrator";
pub(crate) const SETUP_EXPIRED_TITLE: &str = "This set-up link no longer works";
pub(crate) const SETUP_EXPIRED_TEXT: &str = "Each link works once, and only until the first administrator exists. If there is one, sign in. If not, restart the console: it prints a new link.";

pub(crate) const PROFILE: &str = "Profile";
pub(crate) const ROLE: &str = "Role";
pub(crate) const MEMBER_SINCE: &str = "Account made";
pub(crate) const PASSWORD_CHANGED: &str = "Password changed";
pub(crate) const CHANGE_PASSWORD: &str = "Change the password";
pub(crate) const CHANGE_PASSWORD_NOTE: &str = "Changing it signs out every other browser.";
pub(crate) const CURRENT_PASSWORD: &str = "Current password";
pub(crate) const NEW_PASSWORD: &str = "New password";
pub(crate) const NEW_PASSWORD_AGAIN: &str = "New password again";
pub(crate) const SESSIONS: &str = "Signed-in browsers";
pub(crate) const THIS_BROWSER: &str = "This browser";
pub(crate) const OTHER_BROWSER: &str = "Another browser";
pub(crate) const UNKNOWN_BROWSER: &str = "Unknown browser";
pub(crate) const SIGNED_IN: &str = "Signed in";
pub(crate) const LAST_USED: &str = "Last used";
pub(crate) const SIGN_OUT_OTHERS: &str = "Sign out the others";
pub(crate) const ONLY_SESSION: &str = "You are signed in nowhere else.";

pub(crate) fn more_sessions(count: usize) -> String {
    format!("{count} more")
}

pub(crate) fn role_means(role: cofferdam_model::Role) -> &'static str {
    use cofferdam_model::Role;
    match role {
        Role::Viewer => "May look at everything, without downloads.",
        Role::Operator => "May back up and download.",
        Role::Administrator => "May do everything.",
    }
}
