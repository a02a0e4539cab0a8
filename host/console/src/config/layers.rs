//! Flags over environment over file over default: one value per setting, and
//! where it came from.

use std::{
    collections::BTreeMap, fmt, fs, io::ErrorKind, os::unix::fs::PermissionsExt, path::Path,
};

use anyhow::{Context as _, bail};
use cofferdam_model::Secret;

use super::settings::{SETTINGS, Setting};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The settings file.
    File,
    /// This variable.
    Variable(&'static str),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File => f.write_str("settings file"),
            Self::Variable(name) => f.write_str(name),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// The settings as text, before any is understood.
#[derive(Default)]
pub struct Layers {
    values: BTreeMap<&'static str, (Secret, Origin)>,
}

impl Layers {
    /// Reads the file, if one is named, and the environment.
    pub fn read(
        file: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let mut layers = Self::default();
        if let Some(path) = file {
            layers.read_file(path)?;
        }
        for setting in SETTINGS {
            let set = setting.variables.iter().find_map(|name| {
                let value = environment(name)?;
                // An empty variable is what compose files write for "not set".
                (!value.is_empty()).then_some((*name, value))
            });
            if let Some((name, value)) = set {
                layers.values.insert(setting.name, (Secret::new(value), Origin::Variable(name)));
            }
        }
        Ok(layers)
    }

    /// A flag wins over everything.
    pub fn set_flag(&mut self, name: &'static str, value: String) {
        self.values.insert(name, (Secret::new(value), Origin::Flag));
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

    fn read_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("the settings file {shown} does not exist")
            }
            Err(error) => {
                return Err(error).context(format!("the settings file {shown} cannot be read"));
            }
        };
        // The parser's message quotes the line, which may hold a secret.
        let table: toml::Table = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
            anyhow::anyhow!(
                "the settings file {shown} is not TOML: line {line} cannot be understood"
            )
        })?;
        for (name, value) in table {
            let setting = find(&name).with_context(|| {
                format!("the settings file {shown} has {name:?}, which is not a setting\nHINT: `cofferdam config check` lists them")
            })?;
            if setting.secret {
                refuse_open_file(path)?;
            }
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(yes) => yes.to_string(),
                toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                    items.iter().filter_map(toml::Value::as_str).collect::<Vec<_>>().join(",")
                }
                _ => bail!(
                    "{name} in the settings file {shown} is neither text nor a number nor true or false"
                ),
            };
            self.values.insert(setting.name, (Secret::new(value), Origin::File));
        }
        Ok(())
    }
}

fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
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
