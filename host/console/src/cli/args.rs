//! The command line, as it is typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use cofferdam_model::HostGrant;

use crate::starter::{Language, Name, Role};

/// A self-hosted backup console for databases.
#[derive(Debug, Parser)]
#[command(name = "cofferdam", version, disable_help_subcommand = true)]
#[command(after_help = "Exit status: 0 done, 1 failed or cancelled, 2 wrong usage, \
    3 the backup is done and a delivery of it is not.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Settings file (TOML).
    #[arg(long, global = true, env = "COFFERDAM_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder.
    #[arg(long, global = true, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Talk to a running console instead of opening the catalog here.
    #[arg(long, global = true, value_name = "URL", env = "COFFERDAM_SERVER")]
    pub server: Option<String>,
    /// Bearer token for --server; better in the variable `COFFERDAM_TOKEN`, which `ps` does not show.
    #[arg(long, global = true)]
    pub token: Option<String>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the console.
    Serve {
        /// Address and port, such as 127.0.0.1:8080.
        #[arg(long)]
        listen: Option<String>,
    },
    /// Make, list, download and delete backups.
    #[command(subcommand)]
    Backup(Backup),
    /// Add, check and remove databases.
    #[command(subcommand)]
    Database(Database),
    /// Look at plugins and approve what they may touch.
    #[command(subcommand)]
    Plugin(Plugin),
    /// Add, check and remove the places that backups go to.
    #[command(subcommand)]
    Destination(Destination),
    /// Look at deliveries, try them again, stop them.
    #[command(subcommand)]
    Delivery(Delivery),
    /// Compiles a component that comes on standard input.
    #[command(hide = true)]
    CompileComponent,
    /// Add people and change passwords, on this machine.
    #[command(subcommand)]
    User(User),
    /// Look at the audit log, on this machine.
    #[command(subcommand)]
    Audit(Audit),
    /// Look at the settings.
    #[command(subcommand)]
    Config(Config),
}

impl Command {
    /// Whether it makes something that needs nothing before it. Any other
    /// command is about what is there already.
    pub fn begins(&self) -> bool {
        matches!(
            self,
            Self::Serve { .. }
                | Self::Backup(Backup::Create { .. })
                | Self::Database(Database::Add { .. })
                | Self::Destination(Destination::Add { .. })
                | Self::User(User::Add { .. })
        )
    }
}

/// `cofferdam backup …`
#[derive(Debug, Subcommand)]
pub enum Backup {
    /// Make a backup and wait for it.
    Create {
        /// Short name or identifier of the database.
        database: String,
        /// A note for people.
        #[arg(long)]
        description: Option<String>,
        /// Compression level, 1 (fast) to 9 (small).
        #[arg(long)]
        level: Option<i64>,
        /// plain (.sql.gz) or custom (.dump, PostgreSQL only).
        #[arg(long)]
        format: Option<String>,
        /// Where it goes, instead of every destination that the database has; may be repeated.
        #[arg(long = "to", value_name = "DESTINATION", conflicts_with = "nowhere")]
        destinations: Vec<String>,
        /// Keep it here only.
        #[arg(long)]
        nowhere: bool,
    },
    /// List backups, newest first.
    List {
        /// Only this database's.
        #[arg(long)]
        database: Option<String>,
        /// Only these: pending, running, completed, failed, cancelled.
        #[arg(long)]
        status: Option<String>,
        /// Text in name, description, labels.
        #[arg(long, short)]
        query: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// How many to pass over.
        #[arg(long, default_value_t = 0)]
        offset: u64,
    },
    /// Show one backup with its log.
    Show {
        /// Its identifier, the last 6 or more characters of that, or its file's name.
        id: String,
    },
    /// Write a backup to a file, also while it is being made.
    Download {
        /// Its identifier, the last 6 or more characters of that, or its file's name.
        id: String,
        /// Where to; - is standard output. Without it, the backup's own name in this folder.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Delete a backup's file and record, and its copies at destinations.
    Delete {
        /// Its identifier, the last 6 or more characters of that, or its file's name.
        id: String,
        /// Leave the copies at destinations where they are.
        #[arg(long)]
        keep_remote: bool,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Never delete a backup, or allow it again.
    Pin {
        /// Its identifier, the last 6 or more characters of that, or its file's name.
        id: String,
        /// Take the pin off.
        #[arg(long)]
        off: bool,
    },
    /// Give a backup labels in place of those it had.
    #[command(group = clap::ArgGroup::new("which").required(true).args(["labels", "none"]))]
    Label {
        /// Its identifier, the last 6 or more characters of that, or its file's name.
        id: String,
        /// The labels, separated by spaces or commas.
        labels: Vec<String>,
        /// Take all labels off.
        #[arg(long)]
        none: bool,
    },
    /// Stop a running backup; nothing of it remains but the record.
    Cancel {
        /// Its identifier, the last 6 or more characters of that, or its file's name.
        id: String,
    },
}

/// `cofferdam database …`
#[derive(Debug, Subcommand)]
pub enum Database {
    /// Add a database. Without --url-stdin the URL may hold no password: it would show in `ps`.
    Add {
        /// postgres://user@host:port/name or sqlite:path.
        #[arg(required_unless_present = "url_stdin")]
        url: Option<String>,
        /// Read the URL from standard input.
        #[arg(long, conflicts_with = "url")]
        url_stdin: bool,
        /// Short name; without it, made from the database's own.
        #[arg(long)]
        name: Option<String>,
        /// Read the role's password from standard input.
        #[arg(long, conflicts_with = "url_stdin")]
        password_stdin: bool,
    },
    /// List databases.
    List,
    /// Look whether a backup would work.
    Check {
        /// Short name or identifier.
        database: String,
    },
    /// Forget a database; its backups stay.
    Remove {
        /// Short name or identifier.
        database: String,
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

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
    #[arg(long, default_value = "1GiB", value_parser = super::plugin_test::bytes)]
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

/// `cofferdam user …`
#[derive(Debug, Subcommand)]
pub enum User {
    /// Add a person.
    Add {
        /// Sign-in name.
        name: String,
        /// viewer, operator or administrator.
        #[arg(long, default_value = "administrator")]
        role: String,
        /// Read the password from standard input instead of asking.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set a person's password; ends their sessions.
    Passwd {
        /// Sign-in name.
        name: String,
        /// Read the password from standard input instead of asking.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a person out; ends their sessions and tokens.
    Disable {
        /// Sign-in name.
        name: String,
    },
    /// Let a person in again.
    Enable {
        /// Sign-in name.
        name: String,
    },
    /// List people.
    List,
}

/// `cofferdam audit …`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Prove that no entry was changed or taken out; exit 1 and the first bad entry otherwise.
    Verify,
}

/// `cofferdam config …`
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Print every setting, its value and where it comes from; exit 1 when one is wrong.
    Check,
}
