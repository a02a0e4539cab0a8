//! What is typed about plugins, destinations and deliveries.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use cofferdam_model::HostGrant;

use crate::starter::{Language, Name, Role};

/// `cofferdam plugin …`
#[derive(Debug, Subcommand)]
pub enum Plugin {
    /// List plugins, and how each stands.
    List,
    /// Show what a plugin is and asks for.
    Inspect {
        /// Its short name, its file's name, or 6 or more digits of its hash.
        plugin: String,
    },
    /// Put a component into the plugin folder, in place of one with the same name. It
    /// waits for approval.
    Add {
        /// The component; its name there is the file's.
        file: PathBuf,
    },
    /// Let a plugin run, and say what it may touch: all of it each time.
    Approve {
        /// Its short name, its file's name, or 6 or more digits of its hash.
        plugin: String,
        /// A host that it may connect to, such as s3.example.org:443; with " private"
        /// behind it also at a private address. May be repeated.
        #[arg(long = "host", value_name = "HOST:PORT")]
        hosts: Vec<String>,
        /// The one folder that it may read and write.
        #[arg(long)]
        folder: Option<PathBuf>,
        /// Let it send mail through the relay of the settings.
        #[arg(long)]
        mail: bool,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Take a plugin's approval and grants back.
    Revoke {
        /// Its short name, its file's name, or 6 or more digits of its hash.
        plugin: String,
    },
    /// Begin a plugin of your own: a new folder here, with one that works.
    New(PluginNew),
    /// Try a component out, here and now: a verdict on each clause of the contract.
    Test(PluginTest),
}

/// `cofferdam plugin new`
#[derive(Debug, Args)]
pub struct PluginNew {
    /// Its short name, which is also the folder's.
    pub name: Name,
    /// What it is written in.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub language: Language,
    /// What it is there for.
    #[arg(long, value_enum, default_value_t = Role::Storage)]
    pub role: Role,
}

/// `cofferdam plugin test`
#[derive(Debug, Args)]
pub struct PluginTest {
    /// The component.
    pub file: PathBuf,
    /// File with settings that work, as a JSON object; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// File with settings that have to be refused: a JSON object, or a list of them.
    #[arg(long, value_name = "FILE")]
    pub bad_settings: Option<PathBuf>,
    /// A host that it may connect to, beside those that the settings name. May be repeated.
    #[arg(long = "host", value_name = "HOST:PORT")]
    pub hosts: Vec<HostGrant>,
    /// Let the hosts of the settings have private addresses, such as a server's on this machine.
    #[arg(long)]
    pub private: bool,
    /// The folder that it may use. Without it the one that the settings name, or a new one
    /// that is removed in the end.
    #[arg(long)]
    pub folder: Option<PathBuf>,
    /// Size of the large file; it is on no disk.
    #[arg(long, default_value = "1GiB", value_parser = crate::cli::plugin_test::bytes)]
    pub size: u64,
}

/// What a plugin asks for, and what goes with it.
#[derive(Debug, Args)]
pub struct Settings {
    /// File with the settings as a JSON object; - is standard input. Secrets belong here.
    #[arg(long = "settings", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// One setting; what every process may see belongs here. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Grant the hosts and the folder that the settings name to the plugin, and
    /// mail where it asks for it.
    #[arg(long)]
    pub grant: bool,
    /// The same, at private and loopback addresses too.
    #[arg(long)]
    pub grant_private: bool,
}

/// How a destination is used.
#[derive(Debug, Args)]
pub struct Usage {
    /// What a notifier tells of: backup.completed, backup.failed, backup.cancelled,
    /// delivery.failed. May be repeated; without it, of everything.
    #[arg(long = "tell", value_name = "EVENT")]
    pub events: Vec<String>,
    /// How many deliveries run at once, 1 to 16.
    #[arg(long, value_name = "NUMBER")]
    pub at_once: Option<u32>,
    /// Try failed deliveries for ever (true), or give them up after a day (false).
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub keep_going: Option<bool>,
}

/// `cofferdam destination …`
#[derive(Debug, Subcommand)]
pub enum Destination {
    /// Add a destination.
    Add {
        /// The plugin's short name, such as s3.
        plugin: String,
        /// Short name of the destination; without it, made from the plugin's.
        #[arg(long)]
        name: Option<String>,
        /// What the plugin asks for.
        #[command(flatten)]
        settings: Settings,
        /// Only for backups of this database; may be repeated.
        #[arg(long = "database", value_name = "DATABASE")]
        databases: Vec<String>,
        /// How it is used.
        #[command(flatten)]
        usage: Usage,
    },
    /// List destinations.
    List,
    /// Show one destination.
    Show {
        /// Short name or identifier.
        destination: String,
    },
    /// Change a destination; what is not named stays as it is.
    Change {
        /// Short name or identifier.
        destination: String,
        /// Another short name.
        #[arg(long)]
        name: Option<String>,
        /// The settings to change.
        #[command(flatten)]
        settings: Settings,
        /// A setting to leave out from now on, or a stored secret to remove. May be repeated.
        #[arg(long, value_name = "NAME")]
        unset: Vec<String>,
        /// Only for backups of this database; may be repeated.
        #[arg(long = "database", value_name = "DATABASE", conflicts_with = "all_databases")]
        databases: Vec<String>,
        /// For backups of all databases.
        #[arg(long)]
        all_databases: bool,
        /// How it is used.
        #[command(flatten)]
        usage: Usage,
    },
    /// Ask the plugin whether it works, as it is stored or as it would be.
    Check {
        /// Short name or identifier; without it, --plugin says what a new one would be of.
        #[arg(required_unless_present = "plugin")]
        destination: Option<String>,
        /// The plugin of a new one, such as s3. Nothing is stored.
        #[arg(long, conflicts_with = "destination")]
        plugin: Option<String>,
        /// Settings over those that are stored. They are not stored.
        #[command(flatten)]
        settings: Settings,
    },
    /// Have the copies there go whose time is over, as the plugin's policy has it.
    Retention {
        /// Short name or identifier.
        destination: String,
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Send a test notification.
    Test {
        /// Short name or identifier.
        destination: String,
    },
    /// Send backups there again.
    Enable {
        /// Short name or identifier.
        destination: String,
    },
    /// Send nothing there until it is enabled.
    Disable {
        /// Short name or identifier.
        destination: String,
    },
    /// Forget a destination; what it keeps stays there.
    Remove {
        /// Short name or identifier.
        destination: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// `cofferdam delivery …`
#[derive(Debug, Subcommand)]
pub enum Delivery {
    /// List the newest deliveries to a destination, and what is left there of deleted backups.
    List {
        /// Short name or identifier of the destination.
        destination: String,
    },
    /// Show a delivery with its attempts and their logs.
    Show {
        /// Identifier.
        delivery: String,
    },
    /// Have a delivery tried at once, also one that was given up or cancelled; a console does it.
    Retry {
        /// Identifier.
        delivery: String,
    },
    /// Stop a delivery that waits or runs.
    Cancel {
        /// Identifier.
        delivery: String,
    },
}
