//! Messages to Slack, Discord, Telegram, Teams and ntfy.

mod message;
mod settings;

use std::time::Duration;

use cofferdam_plugin::{
    Description, Event, Failure, Grant, Notifier, Plugin, Result,
    http::{Request, Response, by_status, readable},
};

use message::Call;
use settings::{Service, Settings};

/// How long a service may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longer answers are not read.
const LONGEST_ANSWER: usize = 256 << 10;

/// The plugin.
#[derive(Debug)]
pub struct Chat;

cofferdam_plugin::notifier!(Chat);

impl Plugin for Chat {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            id: "chat",
            name: "Chat",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Writes to a channel of Slack, Discord, Telegram, Teams or ntfy when \
                      something happens.",
            author: "Cofferdam",
            homepage: None,
            settings: settings::schema(),
            grants: &[Grant::Network],
        }
    }

    fn check(settings: Settings) -> Result<String> {
        let service = settings.service()?;
        // Only these two can be asked without writing a message.
        let question = match &service {
            Service::Telegram { server, token, .. } => {
                Some(format!("{}/bot{token}/getMe", server.trim_end_matches('/')))
            }
            Service::Discord { webhook } => Some(webhook.clone()),
            _ => None,
        };
        if let Some(url) = question {
            succeeded(&service, Request::get(&url).timeout(PATIENCE).send()?)?;
            return Ok(format!("{} knows the credentials", service.name()));
        }
        Ok(format!("The settings are complete. Send a test to see it arrive in {}", service.name()))
    }
}

impl Notifier for Chat {
    fn notify(settings: Settings, event: &Event) -> Result<String> {
        let service = settings.service()?;
        let Call { url, authorization, body } = message::call(&service, event);
        let mut request =
            Request::post(&url).timeout(PATIENCE).header("content-type", "application/json");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        succeeded(&service, request.bytes(body.to_string()).send()?)?;
        Ok(format!("sent to {}", service.name()))
    }
}

/// Whether the service has taken it. Telegram says in its answer how long to wait.
fn succeeded(service: &Service, response: Response) -> Result<()> {
    let wait = response.retry_after();
    let (status, server) = (response.status(), response.server().clone());
    let body =
        if response.is_success() { response.bytes(LONGEST_ANSWER)? } else { response.beginning() };
    match (service, (200..300).contains(&status)) {
        (Service::Telegram { .. }, _) => telegram(status, &body),
        (_, true) => Ok(()),
        (_, false) => Err(by_status(status, &readable(&body), wait)),
    }
    .map_err(|failure| failure.context(server))
}

/// Telegram's answer: `{"ok":false,"error_code":429,"parameters":{"retry_after":5}}`.
fn telegram(status: u16, body: &[u8]) -> Result<()> {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Err(by_status(if status < 300 { 502 } else { status }, &readable(body), None));
    };
    if answer["ok"] == true {
        return Ok(());
    }
    let code = answer["error_code"].as_u64().and_then(|code| u16::try_from(code).ok());
    let wait = answer["parameters"]["retry_after"].as_u64();
    let said = readable(answer["description"].as_str().unwrap_or_default().as_bytes());
    let code = code.unwrap_or(if status < 300 { 502 } else { status });
    if code == 404 {
        // Telegram has no such page for a token that it does not know.
        return Err(Failure::denied(format!("the bot's token is wrong: {said}")));
    }
    Err(by_status(code, &said, wait.and_then(|seconds| u32::try_from(seconds).ok())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegrams_answers_are_understood() {
        assert!(telegram(200, br#"{"ok":true,"result":{}}"#).is_ok());
        let busy = br#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":5}}"#;
        let Err(Failure::Temporary(failure)) = telegram(429, busy) else { panic!("not temporary") };
        assert_eq!(failure.retry_after, Some(5));
        let wrong = br#"{"ok":false,"error_code":404,"description":"Not Found"}"#;
        assert!(matches!(telegram(404, wrong), Err(Failure::Denied(_))));
        let chat = br#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#;
        assert!(matches!(telegram(400, chat), Err(Failure::Permanent(_))));
        assert!(matches!(telegram(200, b"<html>"), Err(Failure::Temporary(_))));
    }
}
