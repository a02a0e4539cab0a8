//! Databases.

use crate::format;

pub(crate) const ADD: &str = "Add a database";
pub(crate) const ADD_SUBMIT: &str = "Add the database";
pub(crate) const SAVE: &str = "Save the changes";
pub(crate) const EDIT_TITLE: &str = "Edit";
pub(crate) const EMPTY_TITLE: &str = "No databases yet";
pub(crate) const EMPTY_TEXT: &str = "A database is a connection that can be backed up: PostgreSQL over the network or a socket, or an SQLite file on this machine.";
pub(crate) const EMPTY_VIEWER: &str = "An administrator can add one.";
pub(crate) const ENGINE: &str = "Engine";
pub(crate) const NAME: &str = "Short name";
pub(crate) const NAME_HINT: &str =
    "In file names and commands: a–z, 0–9, _ and -. Empty: made from the database's name.";
pub(crate) const NAME_HINT_EDIT: &str =
    "In file names and commands: a–z, 0–9, _ and -. Earlier backups keep the earlier name.";
pub(crate) const HOST: &str = "Host";
pub(crate) const HOST_HINT: &str = "A name, an address, or the folder of a Unix socket";
pub(crate) const PORT: &str = "Port";
pub(crate) const DBNAME: &str = "Database";
pub(crate) const USER: &str = "Role";
pub(crate) const USER_HINT: &str = "It needs to read everything, and nothing else";
pub(crate) const PASSWORD: &str = "Password";
pub(crate) const PASSWORD_STORED: &str = "One is stored, encrypted. Leave this empty to keep it.";
pub(crate) const PASSWORD_NEW: &str = "Stored encrypted; never shown again.";
pub(crate) const SSLMODE: &str = "TLS";
pub(crate) const SSLROOTCERT: &str = "Certificate authority";
pub(crate) const SSLROOTCERT_HINT: &str = "A file on this machine, for the two verifying modes";
pub(crate) const PATH: &str = "File";
pub(crate) const PATH_HINT: &str = "The full path on the machine that runs the console";
pub(crate) const CONNECTION: &str = "Connection";

pub(crate) const BACKUPS_OF: &str = "Latest backups";
pub(crate) const NO_BACKUPS: &str =
    "No backup of this database yet. Generate Backup makes the first one.";
pub(crate) const NO_BACKUPS_VIEWER: &str = "No backup of this database yet.";
pub(crate) const ALL_OF: &str = "All of them";
pub(crate) const ADDED: &str = "Added";
pub(crate) const KEPT: &str = "Kept";
pub(crate) const LAST_GOOD: &str = "Last good";

pub(crate) const CHECK: &str = "Pre-flight";
pub(crate) const CHECK_NOW: &str = "Check now";
pub(crate) const CHECK_AGAIN: &str = "Check again";
pub(crate) const CHECK_NEVER: &str = "Not checked yet. The check connects, looks at versions, privileges and room, and changes nothing.";
pub(crate) const CHECK_BUSY: &str = "Checking";
pub(crate) const CHECK_GOOD: &str = "Ready to back up";
pub(crate) const CHECK_WARNING: &str = "A backup works; something is worth a look";
pub(crate) const CHECK_BAD: &str = "A backup would fail";
pub(crate) const GOOD: &str = "Good";
pub(crate) const WARNING: &str = "Worth a look";
pub(crate) const BAD: &str = "Bad";

pub(crate) const ROLE_TITLE: &str = "A role that may read and nothing else";
pub(crate) const ROLE_NOTE: &str =
    "Run this as the owner or a superuser, with a password of your own.";
pub(crate) const ROLE_WHAT: &str = "the SQL";

pub(crate) const DELETE_TITLE: &str = "Remove this database";
pub(crate) const DELETE_QUESTION: &str = "Remove";
pub(crate) const DELETE_WHAT: &str =
    "Its connection settings and stored password go. The database itself is not touched.";
pub(crate) const DELETE_SUBMIT: &str = "Remove the database";
pub(crate) const REMOVE: &str = "Remove";
pub(crate) const KEEP: &str = "Keep it";

pub(crate) fn keeps(count: u64, bytes: u64) -> String {
    match count {
        0 => "There are no backups of it.".to_owned(),
        1 => {
            format!("Its one backup ({}) stays and can still be downloaded.", format::bytes(bytes))
        }
        _ => format!(
            "Its {} backups ({}) stay and can still be downloaded.",
            format::number(count),
            format::bytes(bytes)
        ),
    }
}

pub(crate) fn sslmode(mode: cofferdam_model::SslMode) -> &'static str {
    use cofferdam_model::SslMode;
    match mode {
        SslMode::Disable => "disable · never",
        SslMode::Prefer => "prefer · where the server offers it",
        SslMode::Require => "require · always, whoever the server is",
        SslMode::VerifyCa => "verify-ca · always, from a known authority",
        SslMode::VerifyFull => "verify-full · always, for this very host",
    }
}
