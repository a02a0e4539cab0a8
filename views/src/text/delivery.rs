//! Deliveries: one backup going to one destination.

use cofferdam_model::{AttemptOutcome, DeliveryStatus, Purpose};

pub(crate) const TITLE: &str = "Deliveries";
pub(crate) const NONE: &str = "This backup goes to no destination; its file is on this machine.";
pub(crate) const ADD: &str = "Add a destination";
pub(crate) const REMOVED: &str = "Removed since";
pub(crate) const RETRY: &str = "Retry now";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const LOG: &str = "Log of the attempt";
pub(crate) const LOGS: &str = "All attempts with their logs";
pub(crate) const STATE: &str = "How it stands";
pub(crate) const NO_ATTEMPTS: &str = "It was not tried yet.";
pub(crate) const LOCATION: &str = "the location";
pub(crate) const GOES_TO: &str = "Goes to";
pub(crate) const GOES_TO_HINT: &str = "None ticked: the file stays on this machine alone.";

/// A state in one or two words.
pub(crate) fn status(status: DeliveryStatus, purpose: Purpose) -> &'static str {
    match (status, purpose) {
        (DeliveryStatus::Pending, _) => "Waiting",
        (DeliveryStatus::Running, Purpose::Store) => "Delivering",
        (DeliveryStatus::Running, Purpose::Remove) => "Removing",
        (DeliveryStatus::Running, Purpose::Notify) => "Telling",
        (DeliveryStatus::Retrying, _) => "Will retry",
        (DeliveryStatus::Blocked, _) => "Waits for you",
        (DeliveryStatus::Completed, Purpose::Store) => "Delivered",
        (DeliveryStatus::Completed, Purpose::Remove) => "Removed",
        (DeliveryStatus::Completed, Purpose::Notify) => "Told",
        (DeliveryStatus::Failed, _) => "Failed",
        (DeliveryStatus::Cancelled, _) => "Cancelled",
    }
}

pub(crate) fn purpose(purpose: Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::Store => None,
        Purpose::Remove => Some("removal"),
        Purpose::Notify => Some("message"),
    }
}

pub(crate) fn outcome(outcome: Option<AttemptOutcome>) -> &'static str {
    match outcome {
        None => "running",
        Some(AttemptOutcome::Completed) => "done",
        Some(AttemptOutcome::Temporary) => "failed for now",
        Some(AttemptOutcome::Permanent) => "failed",
        Some(AttemptOutcome::Cancelled) => "cancelled",
        Some(AttemptOutcome::Interrupted) => "interrupted",
    }
}

pub(crate) fn attempts(count: u32) -> String {
    if count == 1 { "1 attempt".to_owned() } else { format!("{count} attempts") }
}

pub(crate) fn attempt(number: u32) -> String {
    format!("Attempt {number}")
}

pub(crate) fn next(when: &str) -> String {
    format!("Next try {when}.")
}

pub(crate) fn progress_of(destination: &str) -> String {
    format!("Progress of the delivery to {destination}")
}

/// The name of a button, for who does not see beside what it stands.
pub(crate) fn act_on(words: &str, destination: &str) -> String {
    format!("{words}: {destination}")
}

/// A delivery by what it does, and where.
pub(crate) fn of(purpose: Purpose, destination: &str) -> String {
    match purpose {
        Purpose::Store => format!("Delivery to {destination}"),
        Purpose::Remove => format!("Removal from {destination}"),
        Purpose::Notify => format!("Message to {destination}"),
    }
}

pub(crate) fn of_deleted(database: &str) -> String {
    format!("Deleted backup of {database}")
}
