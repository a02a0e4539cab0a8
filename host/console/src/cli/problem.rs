//! What went wrong, as the command line tells it: to people in lines, to
//! programs as one JSON object with the names of the API's problem documents.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    config::{SETTINGS, WrongSettings},
    service::Error,
};

const HINT: &str = "\nHINT: ";

/// See the module. It is also the error that a console elsewhere answered with.
#[derive(Debug, Clone, Serialize, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The process's exit status: 1 failed, 2 wrong usage, 3 a delivery failed.
    pub exit: u8,
    /// What happened.
    pub detail: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The word for the kind of a run's failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What the tool itself said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// Each thing that is wrong, where there may be several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Entry>,
    /// Asked again, it may be over.
    #[serde(skip)]
    pub passing: bool,
}

/// One of several things that are wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The field, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What it should be.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// The exit status for what was asked wrongly.
    pub const USAGE: u8 = 2;
    const FAILED: u8 = 1;
    const UNDELIVERED: u8 = 3;

    fn new(exit: u8, text: &str) -> Self {
        let (detail, hint) = split_hint(text);
        Self { exit, detail, hint, kind: None, log: None, errors: Vec::new(), passing: false }
    }

    /// A command line that cannot be understood; the text may end with a `HINT:` line.
    pub fn usage(text: &str) -> Self {
        Self::new(Self::USAGE, text)
    }

    /// A backup that is done, and a copy of it that is not where it should be.
    pub fn undelivered(text: &str) -> Self {
        Self::new(Self::UNDELIVERED, text)
    }

    /// Settings that are wrong, without advice on how to look at them.
    pub fn settings(WrongSettings(wrong): &WrongSettings) -> Self {
        let entry = |text: &String| {
            let (message, hint) = split_hint(text);
            // What is wrong with a setting begins with its name.
            let first = message.split(' ').next().unwrap_or_default();
            let setting = SETTINGS.iter().find(|setting| setting.name == first);
            Entry { field: setting.map(|it| it.name.to_owned()), message, hint }
        };
        let detail = match wrong.len() {
            1 => "a setting is wrong".to_owned(),
            count => format!("{count} settings are wrong"),
        };
        Self { errors: wrong.iter().map(entry).collect(), ..Self::new(Self::FAILED, &detail) }
    }

    /// What any error means to whoever typed the command.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(told) = error.downcast_ref::<Self>() {
            return told.clone();
        }
        if let Some(wrong) = error.downcast_ref::<WrongSettings>() {
            let hint = "`cofferdam config check` shows every setting and where it comes from";
            return Self { hint: Some(hint.to_owned()), ..Self::settings(wrong) };
        }
        match error.downcast_ref::<Error>() {
            Some(ours) => Self::of_service(ours),
            None => Self::new(Self::FAILED, &format!("{error:#}")),
        }
    }

    fn of_service(error: &Error) -> Self {
        let exit = match error {
            Error::Invalid(_) | Error::BadRequest(_) => Self::USAGE,
            _ => Self::FAILED,
        };
        let mut problem = Self::new(exit, &error.to_string());
        problem.hint = error.hint().map(str::to_owned);
        match error {
            Error::Invalid(fields) => {
                problem.errors = fields
                    .iter()
                    .map(|it| Entry {
                        field: Some(it.field.to_string()),
                        message: it.message.clone(),
                        hint: None,
                    })
                    .collect();
            }
            Error::Failed(failure) => {
                problem.kind = Some(failure.kind.as_str().to_owned());
                problem.log.clone_from(&failure.detail);
            }
            Error::Internal(cause) => problem.detail = format!("{cause:#}"),
            _ => {}
        }
        problem
    }

    /// A console's own words; the exit status is the one that the same
    /// situation has without `--server`.
    pub fn of_answer(status: u16, document: &Value) -> Self {
        let text = |name: &str| document[name].as_str().map(str::to_owned);
        let exit = if matches!(status, 400 | 422) { Self::USAGE } else { Self::FAILED };
        Self {
            exit,
            detail: text("detail").unwrap_or_else(|| format!("the console answered {status}")),
            hint: text("hint"),
            kind: text("kind"),
            log: text("log"),
            errors: serde_json::from_value(document["errors"].clone()).unwrap_or_default(),
            passing: status == 429 || status >= 500,
        }
    }

    /// Whether what went wrong may be over when it is asked again: the network,
    /// or a catalog that another program holds.
    pub fn may_pass(error: &anyhow::Error) -> bool {
        match (error.downcast_ref::<Self>(), error.downcast_ref::<Error>()) {
            (Some(told), _) => told.passing,
            (_, Some(ours)) => matches!(ours, Error::Busy | Error::Internal(_)),
            (None, None) => true,
        }
    }

    /// The lines for people.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in &self.errors {
            lines.push(match &entry.field {
                Some(field) if !entry.message.starts_with(field.as_str()) => {
                    format!("cofferdam: {field}: {}", entry.message)
                }
                _ => format!("cofferdam: {}", entry.message),
            });
            lines.extend(entry.hint.as_ref().map(|hint| format!("HINT: {hint}")));
        }
        if self.errors.is_empty() {
            lines.push(format!("cofferdam: {}", self.detail));
        }
        lines.extend(self.log.as_ref().map(|log| log.trim_end().to_owned()));
        lines.extend(self.hint.as_ref().map(|hint| format!("HINT: {hint}")));
        lines
    }
}

fn split_hint(text: &str) -> (String, Option<String>) {
    match text.split_once(HINT) {
        Some((text, hint)) => (text.to_owned(), Some(hint.to_owned())),
        None => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_error_from_afar_is_told_as_the_same_one_from_here() {
        let here = Problem::of(&Error::field("database", "there is no such database").into());
        let there = Problem::of_answer(
            422,
            &json!({
                "detail": "database: there is no such database",
                "errors": [{ "field": "database", "message": "there is no such database" }],
            }),
        );
        assert_eq!(serde_json::to_value(&here).ok(), serde_json::to_value(&there).ok());
        assert_eq!(here.lines(), ["cofferdam: database: there is no such database"]);
    }

    #[test]
    fn advice_is_a_line_and_a_member_of_its_own() {
        let problem = Problem::of(&anyhow::anyhow!("it broke\nHINT: mend it"));
        assert_eq!((problem.exit, problem.hint.as_deref()), (1, Some("mend it")));
        assert_eq!(problem.lines(), ["cofferdam: it broke", "HINT: mend it"]);
    }
}
