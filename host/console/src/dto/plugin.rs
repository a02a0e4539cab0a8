//! Plugins, as the API shows and takes them.

use chrono::{DateTime, Utc};
use cofferdam_model::Grants;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a component stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PluginState {
    /// It was just found, and is being looked at: it may still be copied.
    New,
    /// It waits for somebody to approve it.
    Waiting,
    /// It is approved.
    Approved,
    /// It waits for approval, and another version of the same plugin was approved before.
    Changed,
    /// It is no plugin, or none that can be used; `reason` says why.
    Refused,
    /// It was approved, and its file is gone.
    Removed,
}

impl PluginState {
    /// As written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Changed => "changed",
            Self::Refused => "refused",
            Self::Removed => "removed",
        }
    }
}

/// One component: a file, and what it is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    /// The SHA-256 of its file; approval and grants belong to it. Nothing while it is new.
    pub hash: Option<String>,
    /// Its file's name in the plugin folder, or in the program.
    pub file: String,
    /// Whether the program carries it.
    pub bundled: bool,
    /// How it stands.
    pub state: PluginState,
    /// Why it was refused, or what somebody should know.
    pub reason: Option<String>,
    /// The file's size.
    pub size_bytes: Option<u64>,
    /// What it is. Nothing while it is new, and for what was refused.
    pub about: Option<PluginAbout>,
    /// What it may touch.
    #[schema(value_type = Object)]
    pub grants: Grants,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was first seen.
    pub first_seen_at: Option<DateTime<Utc>>,
    /// What is different from the version that was approved before, in sentences.
    pub changes: Vec<String>,
    /// The hash of the version that was approved before, where this one waits.
    pub hash_before: Option<String>,
    /// What the version that was approved before was granted.
    #[schema(value_type = Object)]
    pub granted_before: Option<Grants>,
    /// The names of the destinations that use this plugin.
    pub destinations: Vec<String>,
}

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PluginAbout {
    /// Its short name, the same in all its versions.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it does, in one sentence.
    pub summary: String,
    /// Who made it.
    pub author: String,
    /// A page about it.
    pub homepage: Option<String>,
    /// storage, notifier, retention.
    pub roles: Vec<String>,
    /// What it asks to be granted: network, folder, mail.
    pub asks: Vec<String>,
    /// What it imports.
    pub imports: Vec<PluginImport>,
    /// The JSON Schema of its settings.
    #[schema(value_type = Object)]
    pub settings_schema: serde_json::Value,
}

/// One interface that a component imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginImport {
    /// Its name in the contract.
    pub name: String,
    /// What it lets the component do, with what it asks for.
    pub words: String,
}

/// All plugins.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PluginList {
    /// By name of the plugin; what has no name last.
    pub plugins: Vec<Plugin>,
    /// The folder that is watched.
    pub folder: String,
    /// Why the folder cannot be read, if that is so; then the plugins are those
    /// that were known before.
    pub problem: Option<String>,
}

/// What a component is approved for, all of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "hosts": ["s3.example.org:443"], "folder": null, "mail": false }))]
pub struct Approval {
    /// Hosts with their ports: `s3.example.org:443`, `*.example.org:443`; with
    /// ` private` behind it, private and loopback addresses too.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The one folder that it sees, from the root.
    #[serde(default)]
    pub folder: Option<String>,
    /// Whether it may send mail through the console's relay.
    #[serde(default)]
    pub mail: bool,
}
