//! Mail about what happened, through the console's own relay.

mod letter;

use cofferdam_plugin::{Description, Event, Grant, Notifier, Plugin, Problems, Result, mail};
use serde::Deserialize;
use serde_json::json;

const MOST_ADDRESSES: usize = 50;

/// As the form gives them.
#[derive(Debug, Deserialize)]
pub struct Settings {
    to: Vec<String>,
    #[serde(default)]
    subject_prefix: String,
}

impl Settings {
    fn verify(&self) -> Result<()> {
        let mut problems = Problems::default();
        if self.to.is_empty() || self.to.len() > MOST_ADDRESSES {
            problems.add("to", format!("there must be 1 to {MOST_ADDRESSES} addresses"));
        }
        for (place, address) in self.to.iter().enumerate() {
            if !is_address(address) {
                let text = format!("{address:?} is no mail address: write it as ops@example.org");
                problems.add(&format!("/to/{place}"), text);
            }
        }
        if self.subject_prefix.chars().any(char::is_control) || self.subject_prefix.len() > 100 {
            problems.add("subject_prefix", "must be one line of at most 100 characters");
        }
        problems.finish()
    }
}

/// Whether it is a plain address, without a name and without quotes. The relay
/// has the last word on whether anybody lives there.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 254
        && !local.is_empty()
        && local.len() <= 64
        && local.chars().all(is_local)
        && !local.split('.').any(str::is_empty)
        && domain.split('.').all(is_label)
}

/// The plugin.
#[derive(Debug)]
pub struct Email;

cofferdam_plugin::notifier!(Email);

impl Plugin for Email {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            id: "email",
            name: "Mail",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Writes a mail when something happens, through the console's mail relay.",
            author: "Cofferdam",
            homepage: None,
            settings: json!({
                "type": "object",
                "required": ["to"],
                "properties": {
                    "to": {
                        "type": "array",
                        "title": "Recipients",
                        "description": "Mail addresses, as ops@example.org.",
                        "items": { "type": "string", "maxLength": 254 },
                        "minItems": 1,
                        "maxItems": MOST_ADDRESSES
                    },
                    "subject_prefix": {
                        "type": "string",
                        "title": "Before each subject",
                        "description": "For filters, as [backup].",
                        "maxLength": 100,
                        "default": ""
                    }
                }
            }),
            grants: &[Grant::Mail],
        }
    }

    fn check(settings: Settings) -> Result<String> {
        settings.verify()?;
        Ok(format!("Mail will go to {}. Send a test to see it arrive", addresses(&settings.to)))
    }
}

impl Notifier for Email {
    fn notify(settings: Settings, event: &Event) -> Result<String> {
        settings.verify()?;
        mail::send(&mail::Message {
            to: settings.to.clone(),
            subject: letter::subject(&settings.subject_prefix, event),
            text: letter::text(event),
            html: Some(letter::html(event)),
        })?;
        Ok(format!("sent to {}", addresses(&settings.to)))
    }
}

fn addresses(to: &[String]) -> String {
    if to.len() == 1 { "1 address".to_owned() } else { format!("{} addresses", to.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for address in
            ["ops@example.org", "a.b+c@mail.example.org", "root@localhost", "jürgen@bücher.example"]
        {
            assert!(is_address(address), "{address}");
        }
        for text in [
            "",
            "ops",
            "@example.org",
            "ops@",
            "a b@example.org",
            "ops@example..org",
            "ops@-example.org",
            "a..b@example.org",
            "Ops <ops@example.org>",
            "ops@example.org\r\nBcc: all@example.org",
            "ops@example.org,b@example.org",
            "\"a\"@example.org",
            "a@b@example.org\n",
        ] {
            assert!(!is_address(text), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_recipient_is_named_by_its_place() {
        let settings = Settings {
            to: vec!["ops@example.org".into(), "x\r\ny@example.org".into()],
            subject_prefix: "[a]\n".into(),
        };
        let Err(cofferdam_plugin::Failure::InvalidConfig(fields)) = settings.verify() else {
            panic!("they were taken");
        };
        let fields: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["/to/1", "/subject_prefix"]);
    }
}
