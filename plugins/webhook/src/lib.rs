//! Signed HTTP calls about what happened.

mod body;
mod signature;

use std::time::Duration;

use cofferdam_plugin::{
    Description, Event, Failure, Grant, Notifier, Plugin, Problems, Result,
    http::{Method, Request, Url},
    time,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// As the form gives them.
#[derive(Deserialize)]
pub struct Settings {
    url: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    authorization: String,
    #[serde(default)]
    method: Verb,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    body: String,
    #[serde(default = "content_type")]
    content_type: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    #[default]
    Post,
    Put,
}

fn content_type() -> String {
    "application/json".to_owned()
}

/// Shorter secrets can be guessed from one signature.
const SHORTEST_SECRET: usize = 16;

const MOST_HEADERS: usize = 20;

/// How long the receiver may take.
const PATIENCE: Duration = Duration::from_secs(30);

impl Settings {
    fn verify(&self) -> Result<()> {
        let mut problems = Problems::default();
        problems.check("url", self.url.parse::<Url>());
        if !self.secret.is_empty() && self.secret.len() < SHORTEST_SECRET {
            problems.add("secret", format!("must have at least {SHORTEST_SECRET} characters"));
        }
        if !is_value(&self.authorization) {
            problems.add("authorization", "must be one line");
        }
        if !is_value(&self.content_type) || self.content_type.is_empty() {
            problems.add("content_type", "must be a media type, as application/json");
        }
        if self.headers.len() > MOST_HEADERS {
            problems.add("headers", format!("there may be at most {MOST_HEADERS}"));
        }
        for (place, line) in self.headers.iter().enumerate() {
            if let Err(error) = header(line) {
                problems.add(&format!("/headers/{place}"), error);
            }
        }
        problems.check("body", body::check(&self.body, self.is_json()));
        problems.finish()
    }

    fn is_json(&self) -> bool {
        let kind = self.content_type.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
    }

    fn request(&self, event: &Event) -> Request {
        let method = match self.method {
            Verb::Post => Method::Post,
            Verb::Put => Method::Put,
        };
        let body = body::render(&self.body, event, self.is_json());
        let mut request = Request::new(method, &self.url)
            .timeout(PATIENCE)
            .header("content-type", &self.content_type)
            .header("user-agent", concat!("cofferdam-webhook/", env!("CARGO_PKG_VERSION")))
            .header("x-cofferdam-event", &event.kind)
            .header("x-cofferdam-id", &event.id);
        if !self.authorization.is_empty() {
            request = request.header("authorization", &self.authorization);
        }
        for (name, value) in self.headers.iter().filter_map(|line| header(line).ok()) {
            request = request.header(name, value);
        }
        if !self.secret.is_empty() {
            let signature = signature::header(&self.secret, time::now().as_second(), &body);
            request = request.header(signature::NAME, signature);
        }
        request.bytes(body)
    }
}

/// Name and value of a line `Name: value`.
fn header(line: &str) -> std::result::Result<(&str, &str), String> {
    let (name, value) = line.split_once(':').ok_or("write it as Name: value")?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_name) || !is_value(value) {
        return Err("it contains a character that no header may have".to_owned());
    }
    let own = [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "authorization",
    ];
    let is_own = own.iter().any(|own| name.eq_ignore_ascii_case(own))
        || name.to_ascii_lowercase().starts_with("x-cofferdam-");
    if is_own {
        return Err(format!("{name} is set by this plugin or the console"));
    }
    Ok((name, value))
}

fn is_value(text: &str) -> bool {
    text.len() <= 4_096 && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// The plugin.
#[derive(Debug)]
pub struct Webhook;

cofferdam_plugin::notifier!(Webhook);

impl Plugin for Webhook {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            id: "webhook",
            name: "Webhook",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Calls a URL when something happens, with a signature that shows who called.",
            author: "Cofferdam",
            homepage: None,
            settings: schema(),
            grants: &[Grant::Network],
        }
    }

    fn check(settings: Settings) -> Result<String> {
        settings.verify()?;
        // Any answer shows that the server is there: many know only POST.
        let response = Request::head(&settings.url).timeout(PATIENCE).send()?;
        if response.status() >= 500 {
            response.success()?;
            return Err(Failure::temporary("the server has a fault"));
        }
        Ok(format!("{} answers. Send a test to see the call arrive", response.server()))
    }
}

impl Notifier for Webhook {
    fn notify(settings: Settings, event: &Event) -> Result<String> {
        settings.verify()?;
        let response = settings.request(event).send()?.success()?;
        Ok(format!("{} answered {}", response.server(), response.status()))
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["url"],
        "properties": {
            "url": {
                "type": "string",
                "title": "URL",
                "description": "What is called: https://example.org/hooks/backup",
                "pattern": "^https?://[^\\s#@]+$",
                "x-cofferdam": "host"
            },
            "secret": {
                "type": "string",
                "title": "Secret for the signature",
                "description": "The receiver computes HMAC-SHA256 with it over the time, a dot and the body, and compares: X-Cofferdam-Signature: t=1767225600,v1=… Empty for no signature.",
                "default": "",
                "x-cofferdam": "secret"
            },
            "authorization": {
                "type": "string",
                "title": "Authorization header",
                "description": "As Bearer …, where the receiver asks for it.",
                "default": "",
                "x-cofferdam": "secret"
            },
            "method": { "type": "string", "title": "Method", "enum": ["POST", "PUT"], "default": "POST" },
            "headers": {
                "type": "array",
                "title": "Further headers",
                "description": "Each as Name: value. They are not kept secret.",
                "items": { "type": "string", "maxLength": 4_096 },
                "maxItems": MOST_HEADERS,
                "default": []
            },
            "body": {
                "type": "string",
                "title": "Body",
                "description": "Empty for a JSON document with everything. Otherwise text with {{title}}, {{text}}, {{kind}}, {{severity}}, {{at}}, {{url}}, {{id}}, {{database}}, {{filename}} and {{document}}; in JSON they stand between quotes, but for {{document}}.",
                "default": "",
                "x-cofferdam": "multiline"
            },
            "content_type": {
                "type": "string",
                "title": "Content type",
                "description": "What kind of text the body is.",
                "default": content_type()
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_bad_ones_refused() {
        assert_eq!(header("X-Team:  ops "), Ok(("X-Team", "ops")));
        for line in [
            "X-Team",
            ": x",
            "X Team: x",
            "X-Team: a\r\nHost: b",
            "Host: b",
            "content-LENGTH: 1",
            "X-Cofferdam-Signature: x",
            "X-Ä: x",
            "Authorization: Bearer x",
        ] {
            assert!(header(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        let text = r#"{"url":"ftp://x","secret":"short","headers":["A: b","c"],"body":"{{what}}"}"#;
        let settings: Settings = cofferdam_plugin::settings::parse(text).expect("it fits the type");
        let Err(Failure::InvalidConfig(fields)) = settings.verify() else { panic!("taken") };
        let fields: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["/url", "/secret", "/headers/1", "/body"]);
    }
}
