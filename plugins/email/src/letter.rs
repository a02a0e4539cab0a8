//! The mail's words, as plain text and as HTML.

use std::fmt::Write as _;

use cofferdam_plugin::{Event, Severity};

/// One line, whatever the event's title holds.
pub(crate) fn subject(prefix: &str, event: &Event) -> String {
    let line = format!("{} {}", prefix.trim(), event.title);
    let words: Vec<_> = line
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(200).collect()
}

/// The facts of the event, as pairs of name and value.
fn facts(event: &Event) -> Vec<(&'static str, String)> {
    let mut facts = vec![("When", event.at.clone())];
    if let Some(backup) = &event.backup {
        facts.push(("Database", format!("{} ({})", backup.database, backup.engine)));
        if !backup.filename.is_empty() {
            facts.push(("File", backup.filename.clone()));
        }
        if backup.size > 0 {
            facts.push(("Size", size(backup.size)));
        }
        if !backup.sha256.is_empty() {
            facts.push(("SHA-256", backup.sha256.clone()));
        }
    }
    facts
}

/// `12.3 MB`.
fn size(bytes: u64) -> String {
    let mut unit = 1_000_u64;
    for name in ["kB", "MB", "GB", "TB"] {
        if bytes < unit.saturating_mul(1_000) || name == "TB" {
            let tenths = bytes.saturating_mul(10) / unit;
            return if bytes < 1_000 {
                format!("{bytes} bytes")
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            };
        }
        unit *= 1_000;
    }
    format!("{bytes} bytes")
}

/// For every reader.
pub(crate) fn text(event: &Event) -> String {
    let mut text = format!("{}\n\n{}\n\n", event.title, event.text.trim());
    for (name, value) in facts(event) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}: {value}");
    }
    if let Some(url) = &event.url {
        let _ = writeln!(text, "\n{url}");
    }
    text
}

/// For readers that show HTML. Mail readers know no style sheets, so the
/// styles stand in the elements.
pub(crate) fn html(event: &Event) -> String {
    let color = match event.severity {
        Severity::Info => "#1a7f37",
        Severity::Warning => "#9a6700",
        Severity::Error => "#cf222e",
    };
    let mut html = format!(
        "<!doctype html><html><body style=\"font-family:sans-serif;line-height:1.5\">\
         <h2 style=\"border-left:4px solid {color};padding-left:12px\">{}</h2>",
        escape(&event.title)
    );
    for paragraph in event.text.trim().split("\n\n") {
        let _ = write!(html, "<p>{}</p>", escape(paragraph).replace('\n', "<br>"));
    }
    html.push_str("<table style=\"border-collapse:collapse\">");
    for (name, value) in facts(event) {
        let _ = write!(
            html,
            "<tr><th style=\"text-align:left;padding:2px 16px 2px 0\">{name}</th><td>{}</td></tr>",
            escape(&value)
        );
    }
    html.push_str("</table>");
    if let Some(url) = event.url.as_ref().filter(|url| is_link(url)) {
        let _ = write!(html, "<p><a href=\"{}\">Show it in the console</a></p>", escape(url));
    }
    html.push_str("</body></html>");
    html
}

fn is_link(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(title: &str, text: &str, url: Option<&str>) -> Event {
        Event {
            id: "1".into(),
            kind: "backup.failed".into(),
            severity: Severity::Error,
            at: "2026-01-31T02:00:00.000Z".into(),
            title: title.into(),
            text: text.into(),
            url: url.map(str::to_owned),
            backup: None,
            document: "{}".into(),
        }
    }

    #[test]
    fn a_subject_is_one_line() {
        let event = event("Backup of shop\r\nBcc: all@example.org failed", "", None);
        assert_eq!(
            subject("[backup]", &event),
            "[backup] Backup of shop Bcc: all@example.org failed"
        );
        assert_eq!(subject("", &event), "Backup of shop Bcc: all@example.org failed");
    }

    #[test]
    fn markup_in_an_event_is_shown_as_it_is() {
        let event = event("<script>", "a & b\n\n<img src=x>", Some("javascript:alert(1)"));
        let html = html(&event);
        assert!(html.contains("&lt;script&gt;") && html.contains("<p>a &amp; b</p>"), "{html}");
        assert!(
            !html.contains("<script") && !html.contains("<img") && !html.contains("javascript:")
        );
        assert!(text(&event).starts_with("<script>\n\na & b"));
    }

    #[test]
    fn sizes_are_short() {
        for (bytes, shown) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (u64::MAX, "1844674.4 TB"),
        ] {
            assert_eq!(size(bytes), shown);
        }
    }
}
