//! The message as each service wants it.

use cofferdam_plugin::{Event, Severity};
use serde_json::{Value, json};

use crate::settings::Service;

/// A call to a service.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) url: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
}

/// The call that writes an event to the service's channel.
pub(crate) fn call(service: &Service, event: &Event) -> Call {
    let (url, body) = match service {
        Service::Slack { webhook } => (webhook.clone(), slack(event)),
        Service::Discord { webhook } => (webhook.clone(), discord(event)),
        Service::Teams { webhook } => (webhook.clone(), teams(event)),
        Service::Telegram { server, token, chat } => {
            let server = server.trim_end_matches('/');
            (format!("{server}/bot{token}/sendMessage"), telegram(chat, event))
        }
        // A topic in the body lets titles hold all letters, which headers cannot.
        Service::Ntfy { server, topic, .. } => (server.clone(), ntfy(topic, event)),
    };
    let authorization = match service {
        Service::Ntfy { token, .. } if !token.is_empty() => Some(format!("Bearer {token}")),
        _ => None,
    };
    Call { url, authorization, body }
}

fn sign(event: &Event) -> &'static str {
    match event.severity {
        Severity::Info => "✅",
        Severity::Warning => "⚠️",
        Severity::Error => "❌",
    }
}

/// At most so many UTF-16 units, as these services count, with a sign that there were more.
fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut units = 0;
    let kept = text.chars().take_while(|c| {
        units += c.len_utf16();
        units < most
    });
    kept.chain(['…']).collect()
}

/// Text in which Discord's Markdown finds nothing: no link with another name.
fn without_markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\*_~`|[]()<>#-".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

fn link(event: &Event) -> Option<&str> {
    event.url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
}

fn slack(event: &Event) -> Value {
    // Slack's three signs; with them written so, nothing is a mention or a link.
    let plain = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut text = format!(
        "{} *{}*\n{}",
        sign(event),
        plain(&cut(&event.title, 200)),
        plain(&cut(event.text.trim(), 2_500))
    );
    if let Some(url) = link(event) {
        text.push_str("\n<");
        text.push_str(&plain(url).replace('|', "%7C"));
        text.push_str("|Show it in the console>");
    }
    json!({ "text": text, "unfurl_links": false })
}

fn discord(event: &Event) -> Value {
    let color = match event.severity {
        Severity::Info => 0x1a_7f_37,
        Severity::Warning => 0x9a_67_00,
        Severity::Error => 0xcf_22_2e,
    };
    let mut embed = json!({
        "title": without_markdown(&cut(&event.title, 120)),
        "description": without_markdown(&cut(event.text.trim(), 2_000)),
        "color": color,
        "timestamp": event.at
    });
    if let Some(url) = link(event) {
        embed["url"] = url.into();
    }
    // No name in a text calls anybody.
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

fn telegram(chat: &str, event: &Event) -> Value {
    let mut text =
        format!("{} {}\n\n{}", sign(event), cut(&event.title, 200), cut(event.text.trim(), 3_500));
    if let Some(url) = link(event) {
        text.push_str("\n\n");
        text.push_str(url);
    }
    // Without a parse mode it is plain text: nothing in it can be markup.
    json!({ "chat_id": chat, "text": text, "link_preview_options": { "is_disabled": true } })
}

fn teams(event: &Event) -> Value {
    let color = match event.severity {
        Severity::Info => "good",
        Severity::Warning => "warning",
        Severity::Error => "attention",
    };
    // Runs of a RichTextBlock are plain text; a TextBlock would read Markdown.
    let block = |text: String, more: Value| {
        let mut run = json!({ "type": "TextRun", "text": text });
        if let (Some(run), Some(more)) = (run.as_object_mut(), more.as_object()) {
            run.extend(more.clone());
        }
        json!({ "type": "RichTextBlock", "inlines": [run] })
    };
    let title = format!("{} {}", sign(event), cut(&event.title, 200));
    let style = json!({ "weight": "bolder", "size": "medium", "color": color });
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [block(title, style), block(cut(event.text.trim(), 4_000), json!({}))]
    });
    if let Some(url) = link(event) {
        card["actions"] =
            json!([{ "type": "Action.OpenUrl", "title": "Show it in the console", "url": url }]);
    }
    json!({
        "type": "message",
        "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "content": card }]
    })
}

fn ntfy(topic: &str, event: &Event) -> Value {
    let (priority, tag) = match event.severity {
        Severity::Info => (3, "white_check_mark"),
        Severity::Warning => (4, "warning"),
        Severity::Error => (5, "x"),
    };
    let mut body = json!({
        "topic": topic,
        "title": cut(&event.title, 200),
        "message": cut(event.text.trim(), 900),
        "priority": priority,
        "tags": [tag]
    });
    if let Some(url) = link(event) {
        body["click"] = url.into();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(title: &str, url: Option<&str>) -> Event {
        Event {
            id: "1".into(),
            kind: "backup.failed".into(),
            severity: Severity::Error,
            at: "2026-01-31T02:00:00.000Z".into(),
            title: title.into(),
            text: "The server refused the connection.".into(),
            url: url.map(str::to_owned),
            backup: None,
            document: "{}".into(),
        }
    }

    #[test]
    fn nothing_in_a_title_is_a_mention_or_markup() {
        let event = event("<!channel> & @everyone **b**", Some("javascript:alert(1)"));
        let text = slack(&event)["text"].as_str().unwrap_or_default().to_owned();
        assert!(text.contains("&lt;!channel&gt; &amp;") && !text.contains("javascript"), "{text}");
        assert_eq!(discord(&event)["allowed_mentions"]["parse"], json!([]));
        assert_eq!(discord(&event)["embeds"][0].get("url"), None);
        let mut event = event;
        event.text = "[log in](https://evil.example)".to_owned();
        let shown = discord(&event)["embeds"][0]["description"].clone();
        assert_eq!(shown, r"\[log in\]\(https://evil.example\)");
        assert_eq!(telegram("1", &event).get("parse_mode"), None);
        assert_eq!(teams(&event)["attachments"][0]["content"].get("actions"), None);
    }

    #[test]
    fn each_service_is_called_where_it_listens() {
        let event = event("t", Some("https://console.example.org/backups/1"));
        let telegram = Service::Telegram {
            server: "https://api.telegram.org/".into(),
            token: "1:a".into(),
            chat: "-1".into(),
        };
        let made = call(&telegram, &event);
        assert_eq!(made.url, "https://api.telegram.org/bot1:a/sendMessage");
        assert_eq!(made.body["chat_id"], "-1");
        let ntfy = Service::Ntfy {
            server: "https://ntfy.sh".into(),
            topic: "backups".into(),
            token: "tk".into(),
        };
        let made = call(&ntfy, &event);
        assert_eq!(
            (made.url.as_str(), made.authorization.as_deref()),
            ("https://ntfy.sh", Some("Bearer tk"))
        );
        assert_eq!(made.body["click"], "https://console.example.org/backups/1");
        assert_eq!(made.body["priority"], 5);
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
