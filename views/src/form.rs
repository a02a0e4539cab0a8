//! What is wrong with a form.

use std::borrow::Cow;

/// Messages beside the fields of a form, in the order of the fields, and
/// messages about the form as a whole. Messages are written as the errors of
/// `cofferdam-model` are: lower case at the start, no full stop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    fields: Vec<(Cow<'static, str>, String)>,
    whole: Vec<String>,
}

impl FieldErrors {
    /// Nothing is wrong.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a message beside the field with this `name`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over errors and literals alike"
    )]
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, message: impl ToString) {
        self.fields.push((field.into(), message.to_string()));
    }

    /// Adds a message about the form as a whole.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over errors and literals alike"
    )]
    pub fn add_whole(&mut self, message: impl ToString) {
        self.whole.push(message.to_string());
    }

    /// The first message of a field.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, message)| message.as_str())
    }

    /// The same with what is beside one field beside another one instead.
    #[must_use]
    pub fn renamed(mut self, from: &str, to: &'static str) -> Self {
        for (name, _) in self.fields.iter_mut().filter(|(name, _)| name == from) {
            *name = Cow::Borrowed(to);
        }
        self
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.whole.is_empty()
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, message)| (name.as_ref(), message.as_str()))
    }

    pub(crate) fn whole(&self) -> &[String] {
        &self.whole
    }
}
