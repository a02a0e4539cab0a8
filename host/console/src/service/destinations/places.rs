//! The places that settings name: hosts with their ports, and folders.

use std::{net::IpAddr, path::PathBuf};

use cofferdam_model::{Grants, HostGrant, HostPattern, address_of};
use serde_json::Value;

use super::settings::{dotted, field, get, marked};
use crate::service::FieldError;

/// A host and port that settings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The field that names it.
    pub field: String,
    /// The host, as typed.
    pub host: String,
    /// The port, from the address or usual for it.
    pub port: u16,
}

impl Named {
    /// Whether it is granted, itself or everything below it: some services put
    /// a name of their own before the host's.
    pub fn is_granted(&self, grants: &Grants) -> bool {
        let below = |it: &HostGrant| {
            it.port == self.port
                && matches!(&it.host, HostPattern::Below(base) if base.eq_ignore_ascii_case(&self.host))
        };
        grants.host(&self.host, self.port).is_some() || grants.hosts.iter().any(below)
    }

    /// Whether the name says by itself that its address is a private one.
    pub fn is_private(&self) -> bool {
        match address_of(&self.host) {
            Some(IpAddr::V4(it)) => it.is_private() || it.is_loopback() || it.is_link_local(),
            Some(IpAddr::V6(it)) => {
                it.is_loopback() || it.is_unique_local() || it.is_unicast_link_local()
            }
            None => self.host.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// The hosts that settings name, and the fields that name none as they should.
pub fn hosts(schema: &Value, settings: &Value) -> (Vec<Named>, Vec<FieldError>) {
    let (mut named, mut wrong) = (Vec::new(), Vec::new());
    for place in marked(schema, "host") {
        let name = field(&dotted(&place));
        let texts: Vec<&str> = match get(settings, &place) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        for text in texts.into_iter().filter(|it| !it.is_empty()) {
            match place_of(text) {
                Some((host, port)) => named.push(Named { field: name.clone(), host, port }),
                None => wrong.push(FieldError::new(
                    name.clone(),
                    "this is neither an address such as https://s3.example.org nor a host with a port",
                )),
            }
        }
    }
    (named, wrong)
}

/// The folders that settings name, each with its field.
pub fn folders(schema: &Value, settings: &Value) -> Vec<(String, PathBuf)> {
    let places = marked(schema, "folder").into_iter();
    let named = places.filter_map(|place| {
        let text = get(settings, &place)?.as_str().filter(|it| !it.is_empty())?;
        Some((field(&dotted(&place)), PathBuf::from(text)))
    });
    named.collect()
}

/// Host and port of a URL, or of `host:port`; a host alone means HTTPS.
pub fn place_of(text: &str) -> Option<(String, u16)> {
    let (usual, rest) = match text.split_once("://") {
        Some(("https", rest)) => (443, rest),
        Some(("http", rest)) => (80, rest),
        Some(_) => return None,
        None => (443, text),
    };
    let authority = rest.split(['/', '?', '#']).next()?;
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            (host, port.parse().ok().filter(|it| *it > 0)?)
        }
        _ => (place, usual),
    };
    // A pattern is a grant, and no host.
    match host.parse::<HostPattern>() {
        Ok(HostPattern::Name(_) | HostPattern::Address(_)) => Some((host.to_owned(), port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hosts_are_found_with_their_usual_ports() {
        for (text, place) in [
            ("https://s3.example.org/x", Some(("s3.example.org", 443))),
            ("http://127.0.0.1:9000", Some(("127.0.0.1", 9000))),
            ("http://[::1]/", Some(("[::1]", 80))),
            ("https://user:pass@a.example:8443?x", Some(("a.example", 8443))),
            ("smtp.example.org:587", Some(("smtp.example.org", 587))),
            ("ftp://a.example", None),
            ("https://*.example.org", None),
            ("a b", None),
            ("https://a:0", None),
        ] {
            assert_eq!(place_of(text), place.map(|(host, port)| (host.to_owned(), port)), "{text}");
        }
    }

    #[test]
    fn a_grant_of_all_names_below_a_host_is_enough_for_that_host() {
        let schema = json!({ "properties": { "endpoint": { "x-cofferdam": "host" } } });
        let (named, _) = hosts(&schema, &json!({ "endpoint": "https://s3.example.org" }));
        let grants = |text: &str| Grants {
            hosts: vec![text.parse().expect("a grant")],
            ..Grants::default()
        };
        assert!(named[0].is_granted(&grants("s3.example.org:443")));
        assert!(named[0].is_granted(&grants("*.s3.example.org:443")));
        assert!(!named[0].is_granted(&grants("s3.example.org:80")));
        assert!(!named[0].is_granted(&grants("*.example.com:443")));
    }
}
