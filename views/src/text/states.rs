//! Words for the states of the model.

use cofferdam_model::{
    BackupStatus, FailureKind, FileState, Format, LogLevel, Phase, Role, Trigger,
};

/// A status in one word.
#[must_use]
pub fn status(status: BackupStatus) -> &'static str {
    match status {
        BackupStatus::Pending => "Waiting",
        BackupStatus::Running => "Running",
        BackupStatus::Completed => "Completed",
        BackupStatus::Failed => "Failed",
        BackupStatus::Cancelled => "Cancelled",
    }
}

pub(crate) fn file_state(state: FileState) -> &'static str {
    match state {
        FileState::Present => "Completed",
        FileState::Missing => "File missing",
        FileState::Corrupt => "File damaged",
    }
}

/// A step of a run in one word.
#[must_use]
pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "Waiting",
        Phase::Preparing => "Preparing",
        Phase::Dumping => "Dumping",
        Phase::Checking => "Checking",
        Phase::Publishing => "Publishing",
        Phase::Done => "Done",
    }
}

pub(crate) fn phase_now(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "Waiting for its turn",
        Phase::Preparing => "Checking versions, privileges and room",
        Phase::Dumping => "Dumping",
        Phase::Checking => "Checking that the dump is whole",
        Phase::Publishing => "Flushing the file and giving it its name",
        Phase::Done => "Done",
    }
}

pub(crate) fn trigger(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Manual => "on the page",
        Trigger::Api => "over the API",
        Trigger::Cli => "on the command line",
        Trigger::Scheduled => "by schedule",
        Trigger::PreRestore => "before a restore",
    }
}

pub(crate) fn trigger_name(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Manual => "Page",
        Trigger::Api => "API",
        Trigger::Cli => "Command line",
        Trigger::Scheduled => "Schedule",
        Trigger::PreRestore => "Before a restore",
    }
}

pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Viewer",
        Role::Operator => "Operator",
        Role::Administrator => "Administrator",
    }
}

pub(crate) fn format(format: Format) -> &'static str {
    match format {
        Format::Plain => "Plain SQL (.sql.gz)",
        Format::Custom => "Custom archive (.dump)",
    }
}

pub(crate) fn log_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Info => "Info",
        LogLevel::Warning => "Warning",
        LogLevel::Error => "Error",
    }
}

/// What a kind of failure means, as one or two sentences.
#[must_use]
pub fn meaning(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Tool => {
            "The dump tool reported an error, so its output cannot be trusted. Nothing was kept."
        }
        FailureKind::Stall => {
            "The server sent nothing for longer than the stall limit allows. Often another session holds a lock. Nothing was kept."
        }
        FailureKind::Timeout => {
            "The run took longer than the limit for one run and was stopped. Nothing was kept."
        }
        FailureKind::Space => {
            "The disk that holds the backups has too little room. The partial file was removed; other backups are untouched."
        }
        FailureKind::Interrupted => {
            "The console stopped while this backup was being made. The partial file was removed."
        }
        FailureKind::Privilege => {
            "The role may not read everything, so a backup would have had holes. Nothing was kept."
        }
        FailureKind::Connection => {
            "The server could not be reached, or it closed the connection. Nothing was kept."
        }
        FailureKind::Authentication => {
            "The server did not accept this role and password. Nothing was read."
        }
        FailureKind::Client => {
            "No installed client program can dump this server. Nothing was read."
        }
        FailureKind::Storage => {
            "The disk that holds the backups reported an error. The partial file was removed."
        }
        FailureKind::Settings => "The settings of this database do not fit. Nothing was read.",
        FailureKind::Cancelled => "Somebody stopped it. Nothing of it remains but this record.",
        FailureKind::Internal => {
            "This is a fault in Cofferdam, not in your database. Nothing was kept."
        }
    }
}
