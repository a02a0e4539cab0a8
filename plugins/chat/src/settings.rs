//! What the form asks for: the service, and what that service needs.

use cofferdam_plugin::{Problems, Result, http::Url};
use serde::Deserialize;
use serde_json::{Value, json};

const SLACK: &str = "https://hooks.slack.com";
const DISCORD: &str = "https://discord.com";
const TELEGRAM: &str = "https://api.telegram.org";
const NTFY: &str = "https://ntfy.sh";

/// As the form gives them.
#[derive(Deserialize)]
pub struct Settings {
    service: Kind,
    slack_server: Option<String>,
    slack_webhook: Option<String>,
    discord_server: Option<String>,
    discord_webhook: Option<String>,
    telegram_server: Option<String>,
    telegram_token: Option<String>,
    telegram_chat: Option<String>,
    teams_server: Option<String>,
    teams_webhook: Option<String>,
    ntfy_server: Option<String>,
    ntfy_topic: Option<String>,
    #[serde(default)]
    ntfy_token: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Slack,
    Discord,
    Telegram,
    Teams,
    Ntfy,
}

/// The chosen service with all that it needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Slack { webhook: String },
    Discord { webhook: String },
    Telegram { server: String, token: String, chat: String },
    Teams { webhook: String },
    Ntfy { server: String, topic: String, token: String },
}

impl Service {
    /// For people.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Slack { .. } => "Slack",
            Self::Discord { .. } => "Discord",
            Self::Telegram { .. } => "Telegram",
            Self::Teams { .. } => "Teams",
            Self::Ntfy { .. } => "ntfy",
        }
    }
}

impl Settings {
    /// The service, or everything that is wrong or missing.
    pub(crate) fn service(&self) -> Result<Service> {
        let mut problems = Problems::default();
        let service = match self.service {
            Kind::Slack => Service::Slack {
                webhook: webhook(
                    &mut problems,
                    ("slack_server", server(self.slack_server.as_deref(), SLACK)),
                    ("slack_webhook", self.slack_webhook.as_deref()),
                ),
            },
            Kind::Discord => Service::Discord {
                webhook: webhook(
                    &mut problems,
                    ("discord_server", server(self.discord_server.as_deref(), DISCORD)),
                    ("discord_webhook", self.discord_webhook.as_deref()),
                ),
            },
            Kind::Teams => Service::Teams {
                webhook: webhook(
                    &mut problems,
                    ("teams_server", server(self.teams_server.as_deref(), "")),
                    ("teams_webhook", self.teams_webhook.as_deref()),
                ),
            },
            Kind::Telegram => {
                let server = server(self.telegram_server.as_deref(), TELEGRAM);
                problems.check("telegram_server", server.parse::<Url>());
                let token = needed(&mut problems, "telegram_token", self.telegram_token.as_deref());
                let is_plain = |c: char| c.is_ascii_alphanumeric() || ":_-".contains(c);
                if !token.chars().all(is_plain) {
                    problems
                        .add("telegram_token", "must be as 123456:ABC-def, as BotFather gives it");
                }
                let chat = needed(&mut problems, "telegram_chat", self.telegram_chat.as_deref());
                Service::Telegram { server, token, chat }
            }
            Kind::Ntfy => {
                let server = server(self.ntfy_server.as_deref(), NTFY);
                problems.check("ntfy_server", server.parse::<Url>());
                let topic = needed(&mut problems, "ntfy_topic", self.ntfy_topic.as_deref());
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
                if topic.len() > 64 || !topic.chars().all(is_plain) {
                    let text = "must have at most 64 letters, digits, underscores or hyphens";
                    problems.add("ntfy_topic", text);
                }
                if !self.ntfy_token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    problems.add("ntfy_token", "must not contain spaces");
                }
                Service::Ntfy { server, topic, token: self.ntfy_token.clone() }
            }
        };
        problems.finish()?;
        Ok(service)
    }
}

fn server(given: Option<&str>, usual: &str) -> String {
    let given = given.map(str::trim).filter(|given| !given.is_empty()).unwrap_or(usual);
    if given.is_empty() || given.contains("://") {
        given.to_owned()
    } else {
        format!("https://{given}")
    }
}

fn needed(problems: &mut Problems, field: &str, value: Option<&str>) -> String {
    let value = value.unwrap_or_default().trim();
    if value.is_empty() {
        problems.add(field, "is needed, and is not there");
    }
    value.to_owned()
}

/// A URL that is secret but for its host, which has to be the server's, since
/// that is what an administrator grants.
fn webhook(
    problems: &mut Problems,
    (server_field, server): (&str, String),
    (field, url): (&str, Option<&str>),
) -> String {
    let url = needed(problems, field, url);
    let server = if server.is_empty() {
        problems.add(server_field, "is needed, and is not there");
        None
    } else {
        problems.check(server_field, server.parse::<Url>())
    };
    if url.is_empty() {
        return url;
    }
    if let (Some(parsed), Some(server)) = (problems.check(field, url.parse::<Url>()), server)
        && !parsed.to_string().eq_ignore_ascii_case(&server.to_string())
    {
        problems.add(field, format!("must begin with {server}/, the server named above"));
    }
    url
}

/// The form.
pub(crate) fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["service"],
        "properties": {
            "service": {
                "type": "string",
                "title": "Service",
                "enum": ["slack", "discord", "telegram", "teams", "ntfy"]
            }
        },
        "allOf": [
            when("slack", &["slack_webhook"], json!({
                "slack_server": fixed("Slack's server", SLACK),
                "slack_webhook": secret("Webhook URL", "In Slack: Apps, Incoming Webhooks, Add to Slack: https://hooks.slack.com/services/…")
            })),
            when("discord", &["discord_webhook"], json!({
                "discord_server": fixed("Discord's server", DISCORD),
                "discord_webhook": secret("Webhook URL", "In Discord: channel settings, Integrations, Webhooks: https://discord.com/api/webhooks/…")
            })),
            when("telegram", &["telegram_token", "telegram_chat"], json!({
                "telegram_server": fixed("Telegram's server", TELEGRAM),
                "telegram_token": secret("Bot's token", "BotFather gives it: 123456:ABC-def"),
                "telegram_chat": {
                    "type": "string",
                    "title": "Chat",
                    "description": "The chat's number, as -1001234567890, or a channel's name, as @backups. The bot must be a member.",
                    "minLength": 1
                }
            })),
            when("teams", &["teams_server", "teams_webhook"], json!({
                "teams_server": {
                    "type": "string",
                    "title": "Server of the webhook",
                    "description": "The beginning of the webhook's URL: https://….logic.azure.com",
                    "minLength": 1,
                    "x-cofferdam": "host"
                },
                "teams_webhook": secret("Webhook URL", "In Teams: the channel's Workflows, Post to a channel when a webhook request is received.")
            })),
            when("ntfy", &["ntfy_topic"], json!({
                "ntfy_server": {
                    "type": "string",
                    "title": "Server",
                    "description": "The public one, or your own.",
                    "default": NTFY,
                    "x-cofferdam": "host"
                },
                "ntfy_topic": {
                    "type": "string",
                    "title": "Topic",
                    "description": "On the public server everybody who knows its name can read it.",
                    "pattern": "^[A-Za-z0-9_-]{1,64}$"
                },
                "ntfy_token": secret("Access token", "Where the server asks for one: tk_…")
            }))
        ]
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it reads better where it is called")]
fn when(service: &str, required: &[&str], properties: Value) -> Value {
    json!({
        "if": { "properties": { "service": { "const": service } }, "required": ["service"] },
        "then": { "required": required, "properties": properties }
    })
}

fn secret(title: &str, description: &str) -> Value {
    json!({ "type": "string", "title": title, "description": description, "x-cofferdam": "secret" })
}

fn fixed(title: &str, server: &str) -> Value {
    json!({
        "type": "string",
        "title": title,
        "description": "It has to be granted.",
        "default": server,
        "x-cofferdam": "host"
    })
}

#[cfg(test)]
mod tests {
    use cofferdam_plugin::{Failure, settings::parse};

    use super::*;

    fn service(settings: &Value) -> Result<Service> {
        parse::<Settings>(&settings.to_string())?.service()
    }

    fn wrong(settings: &Value) -> Vec<String> {
        match service(settings) {
            Err(Failure::InvalidConfig(fields)) => {
                fields.into_iter().map(|field| field.field).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_service_says_what_it_needs() {
        assert_eq!(wrong(&json!({"service": "slack"})), ["/slack_webhook"]);
        assert_eq!(wrong(&json!({"service": "telegram"})), ["/telegram_token", "/telegram_chat"]);
        assert_eq!(wrong(&json!({"service": "teams"})), ["/teams_webhook", "/teams_server"]);
        assert_eq!(wrong(&json!({"service": "ntfy"})), ["/ntfy_topic"]);
        assert_eq!(wrong(&json!({"service": "irc"})), ["/service"]);
        assert_eq!(wrong(&json!({})), ["/service"]);
    }

    #[test]
    fn a_webhook_of_another_server_than_the_granted_one_is_refused() {
        let settings = |url| json!({"service": "discord", "discord_webhook": url});
        assert!(service(&settings("https://discord.com/api/webhooks/1/x")).is_ok());
        for url in [
            "https://example.org/api",
            "http://discord.com/api",
            "https://discord.com.example.org/x",
            "discord",
        ] {
            assert_eq!(wrong(&settings(url)), ["/discord_webhook"], "{url}");
        }
    }

    #[test]
    fn a_server_may_be_written_without_its_scheme() {
        let settings =
            json!({"service": "ntfy", "ntfy_server": "ntfy.example.org", "ntfy_topic": "a"});
        let server = "https://ntfy.example.org".to_owned();
        let wanted = Service::Ntfy { server, topic: "a".into(), token: String::new() };
        assert_eq!(service(&settings).expect("they are good"), wanted);
    }
}
