//! Names that are nearly right: which one was most likely meant.

use super::{
    layers::Environment,
    settings::{SETTINGS, Setting},
};

const PREFIX: &str = "COFFERDAM_";
/// Variables of ours that are no settings of the console.
const OTHERS: [&str; 3] = ["COFFERDAM_CONFIG", "COFFERDAM_SERVER", "COFFERDAM_TOKEN"];

/// The setting that somebody most likely meant by this name in a settings file.
pub(super) fn setting(name: &str) -> Option<&'static str> {
    let name = bare(name);
    let names = SETTINGS.iter().flat_map(|setting| {
        spellings(setting).map(|spelling| (distance(&name, &spelling), setting.name))
    });
    near(&name, names)
}

/// A sentence for each variable that begins like ours and is none.
pub(super) fn unknown_variables(environment: &Environment) -> Vec<String> {
    let known = |name: &str| {
        OTHERS.contains(&name) || SETTINGS.iter().any(|it| it.variables.contains(&name))
    };
    let unknown = environment.iter().filter(|(name, value)| {
        name.starts_with(PREFIX)
            && !known(name)
            && !is_of_kubernetes(name, &value.to_string_lossy())
    });
    unknown
        .map(|(name, _)| {
            let advice =
                variable(name).map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("the variable {name:?} is not known and changes nothing{advice}")
        })
        .collect()
}

/// Kubernetes sets such variables beside a service that is named like us.
fn is_of_kubernetes(name: &str, value: &str) -> bool {
    name.starts_with("COFFERDAM_SERVICE_")
        || name.starts_with("COFFERDAM_PORT_")
        || (name == "COFFERDAM_PORT" && value.contains("://"))
}

fn variable(name: &str) -> Option<&'static str> {
    let name = bare(name);
    let settings = SETTINGS.iter().flat_map(|it| it.variables).copied();
    let all = settings.chain(OTHERS);
    near(&name, all.map(|variable| (distance(&name, &bare(variable)), variable)))
}

/// What a setting may be called: its name, and its variables in small letters.
fn spellings(setting: &Setting) -> impl Iterator<Item = String> {
    std::iter::once(setting.name.to_owned()).chain(setting.variables.iter().map(|it| bare(it)))
}

fn bare(name: &str) -> String {
    name.to_uppercase().strip_prefix(PREFIX).map_or_else(|| name.to_lowercase(), str::to_lowercase)
}

fn distance(one: &str, other: &str) -> usize {
    strsim::damerau_levenshtein(one, other)
}

/// The nearest, unless even that is a different word.
fn near(name: &str, all: impl Iterator<Item = (usize, &'static str)>) -> Option<&'static str> {
    let (distance, found) = all.min_by_key(|(distance, _)| *distance)?;
    (distance <= (name.chars().count() / 3).max(1)).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_leads_to_the_setting_that_was_meant() {
        for (typed, meant) in [
            ("stall_secconds", Some("stall_seconds")),
            ("listen", Some("listen")),
            ("COFFERDAM_LISTEN", Some("listen")),
            ("backup_interval_hours", Some("interval_hours")),
            ("retention", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(setting(typed), meant, "{typed}");
        }
    }

    #[test]
    fn unknown_variables_are_told_and_those_of_others_are_not() {
        let told = |name: &str, value: &str| {
            unknown_variables(&[(name.to_owned(), value.into())].into()).pop()
        };
        for (name, meant) in [
            ("COFFERDAM_STAL_SECONDS", "COFFERDAM_STALL_SECONDS"),
            ("COFFERDAM_DATABASE_URL", "DATABASE_URL"),
            ("COFFERDAM_PORT", "PORT"),
        ] {
            let text = told(name, "1").expect("a warning");
            assert!(text.contains(name) && text.ends_with(&format!(" {meant}?")), "{text}");
        }
        assert!(told("COFFERDAM_COLOUR_SCHEME", "x").is_some_and(|it| !it.contains("mean")));
        for (name, value) in [
            ("COFFERDAM_TOKEN", "t"),
            ("COFFERDAM_PORT", "tcp://10.0.0.1:80"),
            ("COFFERDAM_SERVICE_HOST", "10.0.0.1"),
            ("COFFERDAMS", "x"),
            ("HOME", "/"),
        ] {
            assert_eq!(told(name, value), None, "{name}");
        }
    }
}
