//! Destinations: configured instances of plugins.

use cofferdam_model::EventKind;

use crate::format;

pub(crate) const EMPTY_TITLE: &str = "No destinations yet";
pub(crate) const EMPTY_TEXT: &str = "A destination is where each backup goes after it is made: another disk, an S3 bucket, a mailbox. Until there is one, backups stay on this machine alone.";
pub(crate) const ADD: &str = "Add a destination";
pub(crate) const ADD_SUBMIT: &str = "Add the destination";
pub(crate) const SAVE: &str = "Save the changes";
pub(crate) const EDIT_TITLE: &str = "Edit";
pub(crate) const CHOOSE_LEAD: &str = "Which plugin takes the backups there?";
pub(crate) const CHOOSE_SUBMIT: &str = "Set it up";
pub(crate) const NO_PLUGIN_TITLE: &str = "No plugin is approved yet";
pub(crate) const NO_PLUGIN_TEXT: &str =
    "A destination needs a plugin that may run. Approve one first, then come back.";
pub(crate) const TO_PLUGINS: &str = "To the plugins";

pub(crate) const NAME: &str = "Short name";
pub(crate) const NAME_HINT: &str =
    "In lists and commands: a–z, 0–9, _ and -. Empty: the plugin's name.";
pub(crate) const DATABASES: &str = "Only these databases";
pub(crate) const DATABASES_HINT: &str = "None ticked: backups of all databases, later ones too.";
pub(crate) const EVENTS: &str = "Tells of";
pub(crate) const GRANT_PRIVATE: &str = "The hosts may be in the private network";
pub(crate) const GRANT_HINT: &str =
    "Only needed for what has not been allowed on the plugin's page.";
pub(crate) const MORE: &str = "Retries and load";
pub(crate) const CONCURRENCY: &str = "Deliveries at once";
pub(crate) const CONCURRENCY_HINT: &str = "More than one only where the other side is quick";
pub(crate) const KEEP_GOING: &str = "Try failed deliveries again for ever";
pub(crate) const KEEP_GOING_HINT: &str =
    "Otherwise they are given up after the last planned try, and you are told.";

pub(crate) const READY: &str = "Ready";
pub(crate) const DISABLED: &str = "Switched off";
pub(crate) const BLOCKED: &str = "Waits for its plugin";
pub(crate) const FAILING: &str = "Failing";

pub(crate) const PLUGIN: &str = "Plugin";
pub(crate) const LAST: &str = "Last delivery";
pub(crate) const SUCCESS: &str = "Success, last 30";
pub(crate) const NONE_YET: &str = "none yet";
pub(crate) const SETTINGS: &str = "Settings";
pub(crate) const SECRETS: &str = "Secrets";
pub(crate) const ADDED: &str = "Added";
pub(crate) const ALL_DATABASES: &str = "all";

pub(crate) const LEFT: &str = "Of deleted backups, this may still be there";
pub(crate) const DELIVERIES: &str = "Latest deliveries";
pub(crate) const NO_DELIVERIES: &str =
    "None yet. The next backup that completes goes here by itself.";

pub(crate) const CHECK: &str = "Connection";
pub(crate) const CHECK_NOW: &str = "Test connection";
pub(crate) const SEND_TEST: &str = "Send a test";
pub(crate) const CHECK_BUSY: &str = "Testing";
pub(crate) const CHECK_NEVER: &str =
    "Not tested yet. The test tries the settings out and leaves nothing behind.";
pub(crate) const CHECK_GOOD: &str = "It works";
pub(crate) const CHECK_BAD: &str = "It does not work yet";
pub(crate) const CHECK_LOG: &str = "What the plugin logged";
pub(crate) const ENABLE: &str = "Switch on";
pub(crate) const DISABLE: &str = "Switch off";
pub(crate) const OFF_TITLE: &str = "It is switched off";
pub(crate) const OFF_TEXT: &str = "Backups do not go here, and what waits stays waiting.";
pub(crate) const BLOCKED_TITLE: &str = "Its plugin cannot run";
pub(crate) const TO_PLUGIN: &str = "To the plugin";

pub(crate) const DELETE_TITLE: &str = "Remove this destination";
pub(crate) const DELETE_QUESTION: &str = "Remove";
pub(crate) const DELETE_WHAT: &str = "Its settings and stored secrets go, and nothing more is sent there. What is stored there already stays there.";
pub(crate) const DELETE_SUBMIT: &str = "Remove the destination";
pub(crate) const REMOVE: &str = "Remove";
pub(crate) const KEEP: &str = "Keep it";

pub(crate) fn chart(name: &str) -> String {
    format!("Size of the latest deliveries to {name}")
}

pub(crate) fn waiting(count: u64) -> String {
    match count {
        0 => "No delivery waits.".to_owned(),
        1 => "One delivery that waits will not be made.".to_owned(),
        _ => format!("{} deliveries that wait will not be made.", format::number(count)),
    }
}

/// What a notifier can tell of, in a few words.
#[must_use]
pub fn event(event: EventKind) -> &'static str {
    match event {
        EventKind::BackupCompleted => "A backup is whole",
        EventKind::BackupFailed => "A backup failed",
        EventKind::BackupCancelled => "A backup was cancelled",
        EventKind::DeliveryFailed => "A delivery failed or waits",
    }
}

pub(crate) fn plugin_line(name: &str, version: &str) -> String {
    format!("{name} {version}")
}

/// What the plugin is let do along with its settings; nothing where it asks for nothing.
pub(crate) fn grant(network: bool, folder: bool, mail: bool) -> Option<String> {
    let wishes = [
        (network, "connect to the hosts named above"),
        (folder, "use the folder named above"),
        (mail, "send mail"),
    ];
    let wishes: Vec<&str> =
        wishes.into_iter().filter_map(|(has, words)| has.then_some(words)).collect();
    (!wishes.is_empty()).then(|| format!("Let the plugin {}", wishes.join(" and ")))
}
