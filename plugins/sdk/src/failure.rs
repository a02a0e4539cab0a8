//! Why a call did not succeed, in the five kinds that the console tells apart.

use std::fmt::Display;

pub use crate::bindings::imports::cofferdam::plugin::types::{
    Failure, FieldError, TemporaryFailure,
};

/// What every call returns. The texts are for people and hold no secret.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// It may succeed later: the console tries again.
    pub fn temporary(message: impl Display) -> Self {
        Self::Temporary(TemporaryFailure { message: message.to_string(), retry_after: None })
    }

    /// As [`Failure::temporary`], with the seconds that the other side asked to wait.
    pub fn temporary_after(message: impl Display, seconds: Option<u32>) -> Self {
        Self::Temporary(TemporaryFailure { message: message.to_string(), retry_after: seconds })
    }

    /// It will not succeed, however often it is tried.
    pub fn permanent(message: impl Display) -> Self {
        Self::Permanent(message.to_string())
    }

    /// The other side, or the console, does not allow it.
    pub fn denied(message: impl Display) -> Self {
        Self::Denied(message.to_string())
    }

    /// What was asked for is not there.
    pub fn not_found(message: impl Display) -> Self {
        Self::NotFound(message.to_string())
    }

    /// One setting is wrong. `field` is its name, or a JSON pointer to it.
    pub fn setting(field: &str, message: impl Display) -> Self {
        Self::InvalidConfig(vec![field_error(field, message)])
    }

    /// Whether it is worth trying again.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_))
    }

    /// The text for people.
    pub fn message(&self) -> String {
        match self {
            Self::InvalidConfig(fields) => {
                let texts: Vec<_> = fields.iter().map(|field| field.message.as_str()).collect();
                texts.join("; ")
            }
            Self::Denied(text) | Self::NotFound(text) | Self::Permanent(text) => text.clone(),
            Self::Temporary(temporary) => temporary.message.clone(),
        }
    }

    /// The same kind of failure, with words before its text: what was being done.
    #[must_use]
    pub fn context(self, doing: impl Display) -> Self {
        let with = |text: String| format!("{doing}: {text}");
        match self {
            Self::InvalidConfig(_) => self,
            Self::Denied(text) => Self::Denied(with(text)),
            Self::NotFound(text) => Self::NotFound(with(text)),
            Self::Permanent(text) => Self::Permanent(with(text)),
            Self::Temporary(TemporaryFailure { message, retry_after }) => {
                Self::Temporary(TemporaryFailure { message: with(message), retry_after })
            }
        }
    }
}

/// Everything that is wrong with the settings, gathered before it is told, so
/// that people mend it in one go.
///
/// ```
/// use cofferdam_plugin::Problems;
///
/// let mut problems = Problems::default();
/// problems.add("days", "must be at least 1");
/// assert!(problems.finish().is_err());
/// assert!(Problems::default().finish().is_ok());
/// ```
#[derive(Debug, Default)]
pub struct Problems(Vec<FieldError>);

impl Problems {
    /// `field` is a setting's name, or a JSON pointer (RFC 6901) to a part of it.
    pub fn add(&mut self, field: &str, message: impl Display) {
        self.0.push(field_error(field, message));
    }

    /// Adds what a parser says, and passes on what it found.
    pub fn check<T, E: Display>(
        &mut self,
        field: &str,
        result: std::result::Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(field, error)).ok()
    }

    /// A failure if anything was added.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::InvalidConfig(self.0)) }
    }
}

fn field_error(field: &str, message: impl Display) -> FieldError {
    let field = match field {
        "" => String::new(),
        pointer if pointer.starts_with('/') => pointer.to_owned(),
        name => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
    };
    FieldError { field, message: message.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_json_pointer() {
        for (name, pointer) in
            [("bucket", "/bucket"), ("/to/1", "/to/1"), ("", ""), ("a/b", "/a~1b")]
        {
            assert_eq!(field_error(name, "x").field, pointer);
        }
    }

    #[test]
    fn context_keeps_the_kind_and_how_long_to_wait() {
        let Failure::Temporary(failure) =
            Failure::temporary_after("busy", Some(9)).context("part 3")
        else {
            panic!("the kind has changed");
        };
        assert_eq!((failure.message.as_str(), failure.retry_after), ("part 3: busy", Some(9)));
    }
}
