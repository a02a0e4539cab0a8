//! The exact words that each chat service is sent.

use cofferdam_tests::{
    Console,
    wire::{Answer, Listener},
};
use serde_json::{Value, json};

/// What each service is called with, for the event that the console sends as a test.
fn golden() -> [(&'static str, Value, &'static str, Value); 5] {
    let text = "admin asked for it. Nothing else has happened.";
    let link = "https://console.example.org";
    [
        (
            "slack",
            json!({ "slack_webhook": "SERVER/services/T1/B2/canary" }),
            "/services/T1/B2/canary",
            json!({
                "text": format!("✅ *Test of slack*\n{text}\n<{link}|Show it in the console>"),
                "unfurl_links": false,
            }),
        ),
        (
            "discord",
            json!({ "discord_webhook": "SERVER/api/webhooks/1/canary" }),
            "/api/webhooks/1/canary",
            json!({
                "embeds": [{
                    "title": "Test of discord", "description": text, "color": 0x1a_7f_37,
                    "timestamp": "AT", "url": link,
                }],
                "allowed_mentions": { "parse": [] },
            }),
        ),
        (
            "telegram",
            json!({ "telegram_token": "1:canary", "telegram_chat": "-1001" }),
            "/bot1:canary/sendMessage",
            json!({
                "chat_id": "-1001",
                "text": format!("✅ Test of telegram\n\n{text}\n\n{link}"),
                "link_preview_options": { "is_disabled": true },
            }),
        ),
        (
            "teams",
            json!({ "teams_webhook": "SERVER/workflows/canary" }),
            "/workflows/canary",
            json!({
                "type": "message",
                "attachments": [{
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "content": {
                        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                        "type": "AdaptiveCard", "version": "1.4",
                        "body": [
                            { "type": "RichTextBlock", "inlines": [{
                                "type": "TextRun", "text": "✅ Test of teams",
                                "weight": "bolder", "size": "medium", "color": "good",
                            }] },
                            { "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text }] },
                        ],
                        "actions": [{
                            "type": "Action.OpenUrl", "title": "Show it in the console", "url": link,
                        }],
                    },
                }],
            }),
        ),
        (
            "ntfy",
            json!({ "ntfy_topic": "backups", "ntfy_token": "tk_canary" }),
            "/",
            json!({
                "topic": "backups", "title": "Test of ntfy", "message": text, "priority": 3,
                "tags": ["white_check_mark"], "click": link,
            }),
        ),
    ]
}

#[test]
fn each_service_is_sent_its_own_message_and_says_what_it_thinks_of_it() {
    let console =
        Console::builder().env("COFFERDAM_PUBLIC_URL", "https://console.example.org").start();
    let api = console.api();
    for (service, more, path, wanted) in golden() {
        let is_telegram = service == "telegram";
        let mut calls = 0;
        let listener = Listener::start(move |_| {
            calls += 1;
            Some(match (calls, is_telegram) {
                (1, true) => Answer::new(200).body(r#"{"ok":true,"result":{}}"#),
                (1, false) => Answer::new(200).body("ok"),
                (_, true) => Answer::new(403).body(
                    r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}"#,
                ),
                _ => Answer::new(403).body("no_permission"),
            })
        });
        let server = format!("http://127.0.0.1:{}", listener.port());
        let text = more.to_string().replace("SERVER", &server);
        let mut settings: Value = serde_json::from_str(&text).expect("JSON");
        settings["service"] = service.into();
        settings[format!("{service}_server")] = server.into();
        let wish = json!({
            "plugin": "chat", "name": service, "grant": true, "grant_private": true,
            "settings": settings,
        });
        let made = api.post("/api/v1/destinations", &wish).expect(201);
        assert!(!made.text().contains("canary"), "{}", made.text());
        let tried = format!("/api/v1/destinations/{service}/test");
        let told = api.post(&tried, &json!({})).expect(200).json();
        assert_eq!(told["ok"], true, "{told}");
        let call = listener.seen().pop().expect("a call");
        assert_eq!((call.method.as_str(), call.target.as_str()), ("POST", path));
        assert_eq!(call.header("content-type"), Some("application/json"));
        let token = (service == "ntfy").then_some("Bearer tk_canary");
        assert_eq!(call.header("authorization"), token);
        let mut sent: Value = serde_json::from_slice(&call.body).expect("JSON");
        if service == "discord" {
            assert!(sent["embeds"][0]["timestamp"].is_string());
            sent["embeds"][0]["timestamp"] = "AT".into();
        }
        assert_eq!(sent, wanted, "{service}");
        let told = api.post(&tried, &json!({})).expect(200).json();
        assert_eq!(told["ok"], false, "{told}");
        let message = told["message"].as_str().expect("a sentence");
        let reason = if is_telegram { "bot was kicked" } else { "no_permission" };
        assert!(message.contains(reason) && !message.contains("canary"), "{message}");
    }
}
