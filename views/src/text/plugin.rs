//! Plugins: what components there are, what they ask for, what they may.

use cofferdam_model::Roles;

pub(crate) const WHAT: &str = "A plugin takes backups somewhere, or tells somebody about them. Each runs in a sandbox, and reaches nothing but what is allowed here.";
pub(crate) const EMPTY_TITLE: &str = "No plugins yet";
pub(crate) const EMPTY_TEXT: &str = "Put a component (a .wasm file) into the folder below, or upload one. It appears here within a second, and can do nothing before somebody approves it.";
pub(crate) const FOLDER: &str = "Plugin folder";
pub(crate) const FOLDER_WHAT: &str = "the folder";
pub(crate) const DROP: &str = "Copy a .wasm file into it from a shell on this machine:";
pub(crate) const DROP_WHAT: &str = "the command";
pub(crate) const ADD_TITLE: &str = "Add a plugin";
pub(crate) const UPLOAD: &str = "Component file";
pub(crate) const UPLOAD_HINT: &str =
    "A .wasm file. It is put into the folder and waits for approval.";
pub(crate) const UPLOAD_SUBMIT: &str = "Upload";
pub(crate) const LOOK: &str = "Look and approve";
pub(crate) const LOOK_AGAIN: &str = "See what changed";

pub(crate) const APPROVED: &str = "Approved";
pub(crate) const WAITING: &str = "Waits for approval";
pub(crate) const CHANGED: &str = "Changed since approval";
pub(crate) const REFUSED: &str = "Refused";
pub(crate) const GONE: &str = "File removed";
pub(crate) const READING: &str = "Being read";
pub(crate) const BUNDLED: &str = "Comes with Cofferdam";

pub(crate) const STORAGE: &str = "Keeps backups";
pub(crate) const NOTIFIER: &str = "Tells people";
pub(crate) const RETENTION: &str = "Says what may go";

pub(crate) const VERSION: &str = "Version";
pub(crate) const AUTHOR: &str = "Made by";
pub(crate) const HOMEPAGE: &str = "Page";
pub(crate) const FILE: &str = "File";
pub(crate) const HASH: &str = "SHA-256";
pub(crate) const SEEN: &str = "First seen";
pub(crate) const APPROVAL: &str = "Approved";
pub(crate) const USED_BY: &str = "Destinations";
pub(crate) const NOT_USED: &str = "None uses it yet.";
pub(crate) const ADD_DESTINATION: &str = "Add a destination";
pub(crate) const FACTS: &str = "Facts";
pub(crate) const LAST_PROBLEM: &str = "Last problem";

pub(crate) const ASKS_TITLE: &str = "It asks to";
pub(crate) const ASKS_NOTHING: &str = "Nothing: it only computes.";
pub(crate) const ASKS_ELSE: &str = "Nothing else.";
pub(crate) const ASKS_NETWORK: &str = "Connect to hosts that you name";
pub(crate) const ASKS_FOLDER: &str = "Read and write one folder that you name";
pub(crate) const ASKS_MAIL: &str = "Send mail through the console's relay";
pub(crate) const IMPORTS_TITLE: &str = "What it imports";
pub(crate) const IMPORTS_NOTE: &str =
    "The interfaces that the file itself names. What is not listed here it cannot call at all.";
pub(crate) const NO_IMPORTS: &str = "None.";

pub(crate) const APPROVE_TITLE: &str = "Approve it";
pub(crate) const CHANGE_TITLE: &str = "Change what it may";
pub(crate) const APPROVE_WHAT: &str =
    "The approval is for this very file, by its SHA-256. If one byte of it changes, it asks again.";
pub(crate) const APPROVE_CHANGED: &str =
    "Filled in with what the version before might do. Look it over before you approve.";
pub(crate) const HOSTS: &str = "Hosts it may connect to";
pub(crate) const HOSTS_HINT: &str =
    "One per line, host:port. *.example.org:443 is every name below it. Public addresses only.";
pub(crate) const PRIVATE_HOSTS: &str = "Hosts that may be in the private network";
pub(crate) const PRIVATE_HINT: &str = "One per line, host:port. These may have a private, loopback or link-local address: a NAS, a server beside this one.";
pub(crate) const FOLDER_GRANT: &str = "Folder it may use";
pub(crate) const FOLDER_GRANT_HINT: &str =
    "The full path on this machine. It sees this folder as /data, and nothing above it.";
pub(crate) const MAIL_GRANT: &str = "May send mail through the console's relay";
pub(crate) const APPROVE: &str = "Approve";
pub(crate) const SAVE: &str = "Save";
pub(crate) const NOTHING_TO_GRANT: &str = "It asks for nothing, so nothing can be granted.";

pub(crate) const BEFORE_TITLE: &str = "What changed since the approved version";
pub(crate) const HASHES: &str = "SHA-256 of the file";
pub(crate) const HASH_BEFORE: &str = "Approved";
pub(crate) const HASH_NOW: &str = "This one";
pub(crate) const BEFORE_GRANTS: &str = "What it might do";
pub(crate) const NO_GRANTS: &str = "nothing";

pub(crate) const REFUSED_TITLE: &str = "This file is not taken as a plugin";
pub(crate) const REFUSED_TEXT: &str = "It is left where it is and never run. Replace or remove it.";
pub(crate) const READING_TITLE: &str = "It is being read";
pub(crate) const READING_TEXT: &str =
    "The console compiles it aside. This takes a moment, for large components some seconds.";
pub(crate) const GONE_TITLE: &str = "Its file is gone from the folder";
pub(crate) const GONE_UNUSED: &str =
    "No destination uses it. Put the file back and the approval still holds.";
pub(crate) const GONE_TEXT: &str = "Deliveries to its destinations wait. Put the file back and they go on; the approval still holds.";

pub(crate) const PROBLEMS: &str = "Recent problems";

pub(crate) const REVOKE: &str = "Revoke";
pub(crate) const REVOKE_TITLE: &str = "Revoke the approval";
pub(crate) const REVOKE_QUESTION: &str = "Revoke the approval of";
pub(crate) const REVOKE_WHAT: &str = "Nothing of it runs any more, and what it was granted is taken back. What runs now is finished first.";
pub(crate) const REVOKE_SUBMIT: &str = "Revoke the approval";
pub(crate) const KEEP: &str = "Keep it";

pub(crate) fn roles(roles: Roles) -> Vec<&'static str> {
    [(roles.storage, STORAGE), (roles.notifier, NOTIFIER), (roles.retention, RETENTION)]
        .into_iter()
        .filter_map(|(has, word)| has.then_some(word))
        .collect()
}

/// What waits where its approval is revoked.
pub(crate) fn used_by(destinations: usize) -> String {
    match destinations {
        0 => "No destination uses it.".to_owned(),
        1 => "One destination uses it. Its deliveries will wait.".to_owned(),
        count => format!("{count} destinations use it. Their deliveries will wait."),
    }
}

pub(crate) fn destinations(count: u64) -> String {
    if count == 1 { "1 destination".to_owned() } else { format!("{count} destinations") }
}

pub(crate) fn by(name: &str) -> String {
    format!("by {name}")
}

/// What it asks for in one line, for the list.
pub(crate) fn asks(network: bool, folder: bool, mail: bool) -> String {
    let wishes = [
        (network, "connect to hosts you name"),
        (folder, "read and write one folder you name"),
        (mail, "send mail through the console"),
    ];
    let wishes: Vec<&str> =
        wishes.into_iter().filter_map(|(has, words)| has.then_some(words)).collect();
    match wishes.as_slice() {
        [] => "It asks for nothing.".to_owned(),
        wishes => format!("It asks to {}; nothing else.", wishes.join(", ")),
    }
}
