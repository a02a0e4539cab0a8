//! Puts each backup on a web server that takes `PUT`: nginx, Apache, any server with DAV.

use cofferdam_plugin::{
    Backup, Description, Failure, Grant, Page, Plugin, Receipt, Result, Storage,
    artifact::{self, Range},
    http::{Method, Request},
    serde::Deserialize,
    serde_json::json,
    sink,
};

/// What its form asks for.
#[derive(Deserialize)]
#[serde(crate = "cofferdam_plugin::serde")]
pub struct Settings {
    url: String,
}

/// The plugin.
pub struct WebServer;
cofferdam_plugin::storage!(WebServer);

impl Plugin for WebServer {
    type Settings = Settings;
    fn describe() -> Description {
        Description {
            id: "web-server",
            name: "Web server",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Puts each backup on a web server that takes PUT.",
            author: "Cofferdam",
            homepage: None,
            grants: &[Grant::Network],
            settings: json!({ "type": "object", "required": ["url"], "properties": { "url": {
                "type": "string", "title": "Folder's URL", "x-cofferdam": "host",
                "description": "Where the files go: https://files.example.org/backups" } } }),
        }
    }
    fn check(settings: Settings) -> Result<String> {
        let response = Request::new(Method::Options, &settings.url).send()?.success()?;
        Ok(format!("{} answers", response.server()))
    }
}

impl Storage for WebServer {
    fn store(settings: Settings, backup: &Backup) -> Result<Receipt> {
        let location = format!("{}/{}", settings.url.trim_end_matches('/'), backup.filename);
        Request::put(&format!("{location}.json"))
            .bytes(backup.sidecar.as_str())
            .send()?
            .success()?;
        Request::put(&location).artifact(Range::whole()).send()?.success()?;
        Ok(Receipt { location, bytes_stored: artifact::size(), note: None })
    }
    fn open(_: Settings, location: &str, offset: u64, length: Option<u64>) -> Result<()> {
        let end = length.map_or(String::new(), |length| (offset + length - 1).to_string());
        let request = Request::get(location).header("range", format!("bytes={offset}-{end}"));
        let response = request.send()?.success()?;
        let length = response.content_length().ok_or(Failure::permanent("no length"))?;
        sink::begin(None)?.pass_on(response.into_stream()?.input(), length)
    }
    fn remove(_: Settings, location: &str) -> Result<()> {
        for url in [format!("{location}.json"), location.to_owned()] {
            let response = Request::delete(&url).send()?;
            if response.status() != 404 {
                response.success()?;
            }
        }
        Ok(())
    }
    fn list(_: Settings, _: Option<&str>) -> Result<Page> {
        Err(Failure::permanent("a web server has no list of its files"))
    }
}
