//! The command line, as it is typed.

mod outside;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use outside::{Delivery, Destination, Plugin, PluginNew, PluginTest, Settings, Usage};

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
