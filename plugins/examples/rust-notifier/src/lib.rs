//! Posts each event to a web server, as the JSON document that the console has of it.

use cofferdam_plugin::{
    Description, Event, Grant, Notifier, Plugin, Result,
    http::{Method, Request},
    serde::Deserialize,
    serde_json::json,
};

/// What its form asks for.
#[derive(Deserialize)]
#[serde(crate = "cofferdam_plugin::serde")]
pub struct Settings {
    url: String,
}

/// The plugin.
pub struct Post;
cofferdam_plugin::notifier!(Post);

impl Plugin for Post {
    type Settings = Settings;
    fn describe() -> Description {
        Description {
            id: "post",
            name: "Post",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Posts each event to a web server.",
            author: "Cofferdam",
            homepage: None,
            grants: &[Grant::Network],
            settings: json!({ "type": "object", "required": ["url"], "properties": { "url": {
                "type": "string", "title": "URL", "x-cofferdam": "host",
                "description": "What is called: https://example.org/events" } } }),
        }
    }
    fn check(settings: Settings) -> Result<String> {
        let response = Request::new(Method::Options, &settings.url).send()?.success()?;
        Ok(format!("{} answers", response.server()))
    }
}

impl Notifier for Post {
    fn notify(settings: Settings, event: &Event) -> Result<String> {
        let request = Request::post(&settings.url)
            .header("content-type", "application/json")
            .header("x-event", &event.kind)
            .bytes(event.document.as_str());
        let response = request.send()?.success()?;
        Ok(format!("{} answered {}", response.server(), response.status()))
    }
}
