//! Secrets in what a component says: taken out of every text before anybody
//! else sees it.
//!
//! This is for mishaps, such as a server's answer that repeats the request. A
//! component that wants to show a secret can always write it in a way that
//! nobody foresees.

use std::{fmt::Write as _, sync::Arc};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

use crate::{
    Breach, CallError, Denied, Description, Expired, Failure, Fetched, LogLevel, Observer, Page,
    Receipt,
    bindings::exported::plugin::Description as Said,
    marks::{at_place, marked},
    text::clean,
};

/// What stands in a secret's place.
const HIDDEN: &str = "[secret]";
/// Shorter ones stand in too many texts by chance.
const LEAST: usize = 4;
/// A location that has so long a secret in it has it not by chance.
const LEAST_IN_LOCATION: usize = 12;

/// The secrets of one call, in all the ways in which they are looked for.
#[derive(Default)]
pub(crate) struct Mask {
    /// The longest first, so that none hides a part of another.
    patterns: Vec<String>,
}

impl Mask {
    /// Of the settings that the schema marks as secret.
    pub(crate) fn new(schema: &Value, settings: &Value) -> Self {
        let mut patterns = Vec::new();
        for place in marked(schema, "secret") {
            if let Some(value) = at_place(settings, &place) {
                collect(value, &mut patterns);
            }
        }
        patterns.retain(|pattern| pattern.len() >= LEAST);
        patterns.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        patterns.dedup();
        Self { patterns }
    }

    /// The text without secrets. One that was cut off at the text's end, where
    /// `…` says so, goes too.
    pub(crate) fn hide(&self, mut text: String) -> String {
        for pattern in &self.patterns {
            if text.contains(pattern.as_str()) {
                text = text.replace(pattern.as_str(), HIDDEN);
            }
        }
        if let Some(rest) = text.strip_suffix('…')
            && let Some(cut) = self.begun(rest)
        {
            text.truncate(cut);
            text.push_str(HIDDEN);
            text.push('…');
        }
        text
    }

    /// Where a secret begins that the text ends in the middle of.
    fn begun(&self, text: &str) -> Option<usize> {
        let begun = |pattern: &String| {
            let ends = pattern.char_indices().map(|(at, _)| at).filter(|at| *at >= LEAST);
            ends.rev().find(|at| text.ends_with(&pattern[..*at])).map(|at| text.len() - at)
        };
        self.patterns.iter().filter_map(begun).min()
    }

    fn shows_in(&self, location: &str) -> bool {
        let mut long = self.patterns.iter().filter(|it| it.len() >= LEAST_IN_LOCATION);
        long.any(|pattern| location.contains(pattern.as_str()))
    }
}

/// Every way in which a secret is likely to be written.
fn collect(value: &Value, patterns: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let lines = text.lines().map(str::trim);
            // Of several lines, such as a key's, the short ones tell nothing.
            let several = lines.clone().count() > 1;
            for part in lines.filter(|line| several && line.len() >= 2 * LEAST).chain([text.trim()])
            {
                patterns.push(clean(part, usize::MAX, false));
                written(part, patterns);
            }
        }
        Value::Number(number) => patterns.push(number.to_string()),
        Value::Array(list) => list.iter().for_each(|value| collect(value, patterns)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, patterns)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// In a URL, in JSON, and in Base64 wherever it stands among other bytes.
fn written(secret: &str, patterns: &mut Vec<String>) {
    let (mut upper, mut lower) = (String::new(), String::new());
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            upper.push(char::from(byte));
            lower.push(char::from(byte));
        } else {
            let _ = write!(upper, "%{byte:02X}");
            let _ = write!(lower, "%{byte:02x}");
        }
    }
    let json = Value::from(secret).to_string();
    patterns.extend([upper, lower, json[1..json.len() - 1].to_owned()]);
    for before in 0..3 {
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        // The characters that are made of the secret's own bits alone.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            let own = text.get(from..to).unwrap_or_default();
            if own.len() >= 2 * LEAST {
                patterns.push(own.to_owned());
            }
        }
    }
}

/// Passes on what it hears without secrets.
pub(crate) struct Masked {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) mask: Arc<Mask>,
}

impl Observer for Masked {
    fn log(&self, level: LogLevel, line: &str) {
        self.observer.log(level, &self.mask.hide(line.to_owned()));
    }

    fn sent(&self, bytes: u64) {
        self.observer.sent(bytes);
    }

    fn denied(&self, what: &Denied) {
        let mut what = what.clone();
        if let Some(host) = what.host_mut() {
            *host = self.mask.hide(std::mem::take(host));
        }
        self.observer.denied(&what);
    }
}

/// What a call gives, made fit to be shown.
pub(crate) trait Hide: Sized {
    /// Without secrets; an error where it cannot do without them.
    fn hide(self, mask: &Mask) -> Result<Self, CallError>;
}

impl Hide for String {
    fn hide(self, mask: &Mask) -> Result<Self, CallError> {
        Ok(mask.hide(self))
    }
}

impl Hide for Receipt {
    fn hide(self, mask: &Mask) -> Result<Self, CallError> {
        if mask.shows_in(&self.location) {
            let rule = "a location, which people see, has none of the secret settings in it";
            return Err(Breach::Answer(rule.to_owned()).into());
        }
        Ok(Self { note: self.note.map(|note| mask.hide(note)), ..self })
    }
}

impl Hide for Vec<Expired> {
    fn hide(self, mask: &Mask) -> Result<Self, CallError> {
        let one = |it: Expired| Expired { reason: mask.hide(it.reason), ..it };
        Ok(self.into_iter().map(one).collect())
    }
}

/// Nothing of it is shown as it is.
macro_rules! nothing_to_hide {
    ($($kind:ty),*) => {
        $(impl Hide for $kind {
            fn hide(self, _mask: &Mask) -> Result<Self, CallError> {
                Ok(self)
            }
        })*
    };
}

nothing_to_hide!((), Fetched, Page, Said, Description);

/// The same for the reasons why a call gives nothing.
pub(crate) fn error(error: CallError, mask: &Mask) -> CallError {
    let hide = |text| mask.hide(text);
    match error {
        CallError::Failure(failure) => CallError::Failure(match failure {
            Failure::InvalidConfig(mut fields) => {
                for field in &mut fields {
                    field.message = mask.hide(std::mem::take(&mut field.message));
                    field.field = mask.hide(std::mem::take(&mut field.field));
                }
                Failure::InvalidConfig(fields)
            }
            Failure::Denied(text) => Failure::Denied(hide(text)),
            Failure::NotFound(text) => Failure::NotFound(hide(text)),
            Failure::Temporary { message, retry_after } => {
                Failure::Temporary { message: hide(message), retry_after }
            }
            Failure::Permanent(text) => Failure::Permanent(hide(text)),
        }),
        CallError::Trap { message, backtrace } => {
            CallError::Trap { message: hide(message), backtrace: hide(backtrace) }
        }
        CallError::Contract(Breach::Answer(text)) => Breach::Answer(hide(text)).into(),
        CallError::Host(text) => CallError::Host(hide(text)),
        error @ (CallError::Limit(_) | CallError::Contract(_) | CallError::Damaged) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::json;

    fn mask(secret: &str) -> Mask {
        let schema = json!({ "properties": {
            "key": { "x-cofferdam": "secret" }, "name": {} } });
        Mask::new(&schema, &json!({ "key": secret, "name": "public name" }))
    }

    #[test]
    fn a_secret_is_hidden_as_it_is_in_a_url_and_in_json() {
        let mask = mask("p w/\"1%ü");
        for written in
            ["p w/\"1%ü", "p%20w%2F%221%25%C3%BC", "p%20w%2f%221%25%c3%bc", "p w/\\\"1%ü"]
        {
            assert_eq!(mask.hide(format!("public name <{written}>")), "public name <[secret]>");
        }
    }

    #[test]
    fn each_line_of_a_long_secret_is_hidden() {
        let mask = mask("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n");
        assert_eq!(mask.hide("read MIIEvQIBADANBgkq".to_owned()), "read [secret]");
        assert_eq!(
            mask.hide("-----BEGIN KEY----- MIIEvQIBADANBgkq hkiG9w0BAQEFAASC".to_owned()),
            "[secret]"
        );
    }

    #[test]
    fn a_secret_that_was_cut_off_is_hidden_too() {
        let mask = mask("correct horse");
        assert_eq!(
            mask.hide("the password is correct ho…".to_owned()),
            "the password is [secret]…"
        );
        assert_eq!(mask.hide("what is co…".to_owned()), "what is co…");
        assert_eq!(mask.hide("what is correct".to_owned()), "what is correct");
    }

    #[test]
    fn what_is_too_short_is_no_secret_that_can_be_hidden() {
        assert_eq!(mask("abc").hide("abc".to_owned()), "abc");
        assert_eq!(mask("").hide("abc".to_owned()), "abc");
    }

    #[test]
    fn a_location_with_a_secret_in_it_is_refused() {
        let receipt = |location: &str| Receipt { location: location.to_owned(), note: None };
        assert!(receipt("a/correct horse/b").hide(&mask("correct horse")).is_err());
        assert!(receipt("backups/b").hide(&mask("backups")).is_ok());
    }

    proptest! {
        #[test]
        fn base64_hides_it_wherever_it_stands(
            before in prop::collection::vec(any::<u8>(), 0..7),
            secret in "[ -~]{8,40}",
            after in prop::collection::vec(any::<u8>(), 0..7),
        ) {
            let secret = secret.trim().to_owned();
            prop_assume!(secret.len() >= 8);
            let all = [&before[..], secret.as_bytes(), &after[..]].concat();
            let hidden = mask(&secret).hide(STANDARD.encode(all));
            prop_assert!(hidden.contains(HIDDEN), "{}", hidden);
        }

        #[test]
        fn whatever_is_hidden_is_not_there_any_more(text in ".{0,60}", secret in "[a-z]{4,9}") {
            let hidden = mask(&secret).hide(format!("{text}{secret}{text}"));
            let rest = hidden.replace(HIDDEN, "\n");
            prop_assert!(!rest.contains(&secret), "{}", hidden);
        }
    }
}
