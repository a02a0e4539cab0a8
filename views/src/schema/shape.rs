//! What a text is: a host, a duration, a template and the like.

/// What a string holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A line.
    Plain,
    /// Several lines.
    Multiline,
    /// A URL, `host` or `host:port`.
    Host,
    /// A folder.
    Folder,
    /// `7d`, `12h`.
    Duration,
    /// `64 MiB`.
    Size,
    /// A text with placeholders: see [`TEMPLATE_PLACEHOLDERS`].
    Template,
}

/// What a template can hold between `{` and `}`.
pub const TEMPLATE_PLACEHOLDERS: [&str; 8] =
    ["database", "engine", "yyyy", "mm", "dd", "hh", "filename", "id"];

/// What a preview puts in the place of the placeholders, in the order of
/// [`TEMPLATE_PLACEHOLDERS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFacts(pub [String; 8]);

impl Default for TemplateFacts {
    fn default() -> Self {
        let example = [
            "shop",
            "postgres",
            "2026",
            "01",
            "31",
            "02",
            "backup_shop_20260131_020000.sql.gz",
            "019bf8a3-6f60-7d3a-9c1e-4b7a5d2e8f10",
        ];
        Self(example.map(str::to_owned))
    }
}

impl Shape {
    /// What is wrong with the text, if anything is.
    pub(super) fn problem(self, text: &str) -> Option<String> {
        match self {
            // A plugin may know more placeholders than the preview does.
            Self::Plain | Self::Multiline | Self::Template => None,
            Self::Host => (!is_host(text)).then(|| {
                "write an address such as https://s3.example.org or db.example.org:9000".to_owned()
            }),
            Self::Folder => {
                (text.contains(['\0', '\n'])).then(|| "a folder has no such characters".to_owned())
            }
            Self::Duration => (!is_amount(text, &["s", "m", "h", "d", "w"]))
                .then(|| "write a number and s, m, h, d or w: 12h, 7d".to_owned()),
            Self::Size => {
                let units = ["", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib"];
                (!is_amount(text, &units)).then(|| "write a size such as 64 MiB or 2 GB".to_owned())
            }
        }
    }
}

/// A whole number and a unit, with or without a space between.
fn is_amount(text: &str, units: &[&str]) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    number.parse::<u64>().is_ok()
        && units.contains(&unit.trim_start().to_ascii_lowercase().as_str())
}

/// Something that names a host; whether it exists is not asked.
fn is_host(text: &str) -> bool {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+') => {
            rest.split(['/', '?', '#']).next().unwrap_or_default()
        }
        Some(_) => return false,
        None => text,
    };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let named = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    named && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Puts the facts in the place of the placeholders, and says which words in
/// braces are none. Any other brace is a brace: a template may be JSON.
#[must_use]
pub fn expand(template: &str, facts: &TemplateFacts) -> (String, Vec<String>) {
    let mut text = String::with_capacity(template.len());
    let mut unknown = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let word = rest[1..].bytes().take_while(u8::is_ascii_lowercase).count();
        let name = &rest[1..=word];
        if word == 0 || rest.as_bytes().get(word + 1) != Some(&b'}') {
            text.push('{');
            rest = &rest[1..];
            continue;
        }
        if let Some(index) = TEMPLATE_PLACEHOLDERS.iter().position(|known| *known == name) {
            text.push_str(&facts.0[index]);
        } else {
            text.push_str(&rest[..word + 2]);
            unknown.push(name.to_owned());
        }
        rest = &rest[word + 2..];
    }
    text.push_str(rest);
    (text, unknown)
}
