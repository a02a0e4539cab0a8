//! What an administrator lets a component touch.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    path::PathBuf,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// Everything that a component may touch. The default grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grants {
    /// The hosts that it may connect to.
    #[serde(default)]
    pub hosts: Vec<HostGrant>,
    /// The folder that it sees as `/data`, from the root.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// Whether it may send mail through the console's relay.
    #[serde(default)]
    pub mail: bool,
}

impl Grants {
    /// The grant for a host as it stands in a URL, if there is one. If several
    /// fit, the one that allows more.
    #[must_use]
    pub fn host(&self, host: &str, port: u16) -> Option<&HostGrant> {
        let fits = |grant: &&HostGrant| grant.port == port && grant.host.matches(host);
        self.hosts.iter().filter(fits).max_by_key(|grant| grant.private)
    }
}

/// One host that a component may connect to. As text: `host:port`, with the
/// word ` private` behind it where private addresses are granted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HostGrant {
    /// Which one, or which ones.
    pub host: HostPattern,
    /// The TCP port.
    pub port: u16,
    /// Whether its address may be a private, loopback or link-local one.
    #[serde(default)]
    pub private: bool,
}

/// A name, all names below one, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostPattern {
    /// `s3.example.org`
    Name(String),
    /// `*.example.org`: every name that ends in `.example.org`, not `example.org`
    /// itself. Holds the part after `*.`.
    Below(String),
    /// `192.0.2.7` or `2001:db8::7`
    Address(IpAddr),
}

/// Why a text is not a [`HostPattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a host is a name such as s3.example.org, *.example.org for all names below it, or an IP address, without a path"
)]
pub struct HostPatternError;

/// Why a text is not a [`HostGrant`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostGrantError {
    /// Not a host.
    #[error(transparent)]
    Host(#[from] HostPatternError),
    /// No port, or none that there is.
    #[error("a port from 1 to 65535 is needed behind the host, such as s3.example.org:443")]
    Port,
}

impl HostPattern {
    /// Whether the host of a URL is one of these.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = plain(host);
        match self {
            Self::Name(name) => *name == host,
            Self::Below(base) => host
                .strip_suffix(base.as_str())
                .and_then(|front| front.strip_suffix('.'))
                .is_some_and(|front| !front.is_empty()),
            Self::Address(address) => address_of(&host) == Some(*address),
        }
    }
}

/// Lower case, without the dot that ends an absolute name.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The address that a URL's host is, an IPv4 address mapped into IPv6 as IPv4.
#[must_use]
pub fn address_of(host: &str) -> Option<IpAddr> {
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical());
    }
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = plain(text.trim());
        if let Some(address) = address_of(&text) {
            return Ok(Self::Address(address));
        }
        let (below, name) = text.strip_prefix("*.").map_or((false, text.as_str()), |n| (true, n));
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        // A name whose last part is a number would be read as an IPv4 address
        // by some resolvers: 127.1, 0x7f000001.
        let last = name.rsplit('.').next().unwrap_or_default();
        let number = last.starts_with(|c: char| c.is_ascii_digit());
        if name.len() > 253 || !name.split('.').all(label) || number {
            return Err(HostPatternError);
        }
        // `*.org` would grant half of the world.
        if below && !name.contains('.') {
            return Err(HostPatternError);
        }
        let name = name.to_owned();
        Ok(if below { Self::Below(name) } else { Self::Name(name) })
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostPatternError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Below(base) => write!(f, "*.{base}"),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

impl FromStr for HostGrant {
    type Err = HostGrantError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (place, private) = match text.strip_suffix(" private") {
            Some(place) => (place.trim_end(), true),
            None => (text, false),
        };
        let (host, port) = place.rsplit_once(':').ok_or(HostGrantError::Port)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or(HostGrantError::Port)?;
        Ok(Self { host: host.parse()?, port, private })
    }
}

impl fmt::Display for HostGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            other => other.fmt(f)?,
        }
        write!(f, ":{}", self.port)?;
        if self.private { f.write_str(" private") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().expect("a pattern")
    }

    #[test]
    fn a_name_fits_itself_in_any_case_and_nothing_else() {
        let name = pattern("S3.Example.org");
        assert!(name.matches("s3.example.ORG") && name.matches("s3.example.org."));
        assert!(!name.matches("a.s3.example.org") && !name.matches("s3.example.org.evil.net"));
    }

    #[test]
    fn a_star_stands_for_at_least_one_label() {
        let below = pattern("*.example.org");
        assert!(below.matches("s3.example.org") && below.matches("a.b.example.org"));
        assert!(!below.matches("example.org") && !below.matches("evilexample.org"));
        assert!(!below.matches(".example.org"));
    }

    #[test]
    fn an_address_fits_in_each_of_its_spellings() {
        let address = pattern("127.0.0.1");
        assert!(address.matches("127.0.0.1") && address.matches("[::ffff:127.0.0.1]"));
        assert!(!address.matches("localhost"));
        assert!(pattern("2001:db8::7").matches("[2001:DB8:0::7]"));
    }

    #[test]
    fn what_names_no_host_or_too_many_is_refused() {
        for text in [
            "",
            "*",
            "*.org",
            "a:443",
            "https://a",
            "a/b",
            "a b",
            "127.1",
            "0x7f000001",
            "-a.org",
            "a..b",
        ] {
            assert_eq!(text.parse::<HostPattern>(), Err(HostPatternError), "{text}");
        }
        for text in ["a", "a:0", "a:70000", ":80", "a b:80", "*:80", "a/b:80"] {
            assert!(text.parse::<HostGrant>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_grant_is_read_as_it_is_written() {
        for text in [
            "s3.example.org:443",
            "*.example.org:443",
            "127.0.0.1:9000 private",
            "[::1]:25 private",
        ] {
            let grant: HostGrant = text.parse().expect("a grant");
            assert_eq!(grant.to_string(), text);
            let json = serde_json::to_string(&grant).expect("JSON");
            assert_eq!(serde_json::from_str::<HostGrant>(&json).ok(), Some(grant));
        }
    }
}
