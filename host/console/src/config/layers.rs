//! Flags over environment over file over default: one value per setting, and
//! where it came from.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::bail;
use cofferdam_model::Secret;

use super::{file, nearest, settings::SETTINGS};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A line of the settings file.
    File(PathBuf, usize),
    /// This variable.
    Variable(&'static str),
    /// This flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{} line {line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// The process's environment.
pub type Environment = BTreeMap<String, OsString>;

/// The environment as it is now; a name that is not UTF-8 is none of ours.
pub fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .collect()
}

/// The settings as text, before any is understood.
#[derive(Debug, Default)]
pub struct Layers {
    values: BTreeMap<&'static str, (Secret, Origin)>,
    /// What cannot even be read, each with its place.
    pub wrong: Vec<String>,
    /// What is most likely a slip, each with its place.
    pub warnings: Vec<String>,
}

impl Layers {
    /// The settings file, if it set anything.
    pub fn file(&self) -> Option<&Path> {
        self.values.values().find_map(|(_, origin)| match origin {
            Origin::File(path, _) => Some(path.as_path()),
            _ => None,
        })
    }

    /// Reads the file, if one is named, and the environment.
    pub fn read(file: Option<&Path>, environment: &Environment) -> Self {
        let mut layers = Self::default();
        if let Some(path) = file {
            file::read(path, &mut layers);
        }
        for setting in SETTINGS {
            let set = setting.variables.iter().find_map(|name| {
                let value = environment.get(*name)?;
                // An empty variable is what compose files write for "not set".
                (!value.is_empty()).then_some((*name, value))
            });
            match set.map(|(name, value)| (name, value.to_str())) {
                None => {}
                Some((name, Some(value))) => {
                    layers.set(setting.name, value.to_owned(), Origin::Variable(name));
                }
                Some((name, None)) => layers.wrong.push(format!("{name} is not UTF-8")),
            }
        }
        layers.warnings.extend(nearest::unknown_variables(environment));
        layers
    }

    /// A flag wins over everything.
    pub fn set_flag(&mut self, name: &'static str, flag: &'static str, value: String) {
        self.set(name, value, Origin::Flag(flag));
    }

    pub(super) fn set(&mut self, name: &'static str, value: String, origin: Origin) {
        self.values.insert(name, (Secret::new(value), origin));
    }

    /// The text of a setting, if somebody set it.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        debug_assert!(SETTINGS.iter().any(|setting| setting.name == name), "{name}");
        self.values.get(name).map(|(value, _)| value)
    }

    /// Where a setting's value came from.
    pub fn origin(&self, name: &str) -> Origin {
        self.values.get(name).map_or(Origin::Default, |(_, origin)| origin.clone())
    }
}

/// A file with secrets that others may read is refused, before anything of it is used.
pub fn refuse_open_file(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!(
            "{} holds a secret, and others than its owner may read it (mode {:03o})\nHINT: chmod 600 {}",
            path.display(),
            mode & 0o777,
            path.display()
        );
    }
    Ok(())
}
