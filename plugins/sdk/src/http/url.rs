//! The parts of a URL that a request is made of.

use std::{fmt, str::FromStr};

/// An `http` or `https` URL. Shown, it is without its path and query, which
/// may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    is_secure: bool,
    authority: String,
    path_with_query: String,
}

impl Url {
    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Host, and port where one is named: `example.org:8443`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The host without the port, in lower case.
    pub fn host(&self) -> String {
        let host = match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => &self.authority,
        };
        host.to_ascii_lowercase()
    }

    /// From the slash on.
    pub fn path_with_query(&self) -> &str {
        &self.path_with_query
    }
}

impl FromStr for Url {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("it must be a URL that begins with https:// or http://")?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("it must begin with https:// or http://"),
        };
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(
                "it must not contain spaces or letters outside ASCII: write them as %20 and so on",
            );
        }
        if rest.contains('#') {
            return Err("it must not contain a #");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() || authority.starts_with(':') {
            return Err("the host is missing");
        }
        if authority.contains('@') {
            return Err("it must not contain a user or a password");
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:[]".contains(c);
        if !authority.chars().all(is_plain) {
            return Err("the host contains a character that no host has");
        }
        let path_with_query =
            if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { is_secure, authority: authority.to_owned(), path_with_query })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url: Url = "HTTPS://Example.org:8443/a/b?c=d".parse().expect("it is one");
        assert!(url.is_secure());
        assert_eq!(url.authority(), "Example.org:8443");
        assert_eq!(url.host(), "example.org");
        assert_eq!(url.path_with_query(), "/a/b?c=d");
        let url: Url = "http://[::1]?x".parse().expect("it is one");
        assert_eq!((url.host().as_str(), url.path_with_query()), ("[::1]", "/?x"));
    }

    #[test]
    fn what_is_shown_holds_no_path() {
        let url: Url = "https://hooks.example.org/T0/secret?sig=1".parse().expect("it is one");
        assert_eq!(url.to_string(), "https://hooks.example.org");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "example.org",
            "ftp://example.org",
            "https://",
            "https://:80/",
            "https://user:word@example.org/",
            "https://example.org/a b",
            "https://example.org/\r\nX: y",
            "https://exa\u{301}mple.org",
            "https://example.org/#top",
            "https://exam\\ple.org/",
            "https://{host}/",
        ] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }
}
