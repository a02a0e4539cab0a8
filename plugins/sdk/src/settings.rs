//! The settings, from the console's JSON into a type of the author's.

use serde::de::DeserializeOwned;

use crate::{Failure, Problems, Result};

/// Reads the settings. What does not fit is said at the field that it is about.
pub fn parse<T: DeserializeOwned>(settings: &str) -> Result<T> {
    let value: serde_json::Value = serde_json::from_str(settings)
        .map_err(|error| Failure::setting("", format!("the settings are no JSON: {error}")))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            let name = segment.to_string();
            // "?" and "." stand for a place that has no name.
            if name != "?" && name != "." {
                pointer.push('/');
                pointer
                    .push_str(&name.trim_matches(['[', ']']).replace('~', "~0").replace('/', "~1"));
            }
        }
        let text = error.into_inner().to_string();
        let mut problems = Problems::default();
        match text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            Some(name) => problems.add(&format!("{pointer}/{name}"), "is needed, and is not there"),
            None => problems.add(&pointer, text),
        }
        match problems.finish() {
            Err(failure) => failure,
            Ok(()) => Failure::setting("", "the settings do not fit"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Period, Size};

    #[derive(Debug, serde::Deserialize)]
    struct Settings {
        #[expect(dead_code, reason = "only reading is tested")]
        bucket: String,
        keep: Period,
        part: Size,
        #[serde(default)]
        to: Vec<u8>,
    }

    fn problem(settings: &str) -> (String, String) {
        match parse::<Settings>(settings) {
            Err(Failure::InvalidConfig(mut fields)) if fields.len() == 1 => {
                let field = fields.remove(0);
                (field.field, field.message)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn good_settings_are_read_and_unknown_ones_ignored() {
        let text = r#"{"bucket":"b","keep":"7d","part":"64 MiB","to":[1],"later":true}"#;
        let settings: Settings = parse(text).expect("they are good");
        assert_eq!(settings.keep.seconds(), 7 * 86_400);
        assert_eq!(settings.part.bytes(), 64 << 20);
        assert_eq!(settings.to, [1]);
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let (field, message) = problem(r#"{"keep":"7d","part":1}"#);
        assert_eq!((field.as_str(), message.as_str()), ("/bucket", "is needed, and is not there"));
        let (field, message) = problem(r#"{"bucket":"b","keep":"soon","part":1}"#);
        assert_eq!(field, "/keep");
        assert!(message.contains("7d"), "{message}");
        let (field, _) = problem(r#"{"bucket":"b","keep":"7d","part":1,"to":[1,"x"]}"#);
        assert_eq!(field, "/to/1");
        assert_eq!(problem("[").0, "");
    }
}
