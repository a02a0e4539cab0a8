//! Which addresses a connection may go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is, as far as a connection is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// A host on the public internet.
    Public,
    /// This machine or its neighbours: loopback, private, shared (RFC 6598)
    /// and unique local addresses.
    Private,
    /// A link-local address, or another where a cloud answers with a machine's
    /// credentials. Only who names the very address means it.
    Link,
    /// No host's address: unspecified, multicast, broadcast, documentation,
    /// benchmarks, reserved.
    Nobody,
}

/// What the address is, and what the IPv4 address inside it is if it carries one.
pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [169, 254, ..] | [100, 100, 100, 200] => Reach::Link,
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => {
            Reach::Private
        }
        [0 | 224.., ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Nobody,
        _ => Reach::Public,
    }
}

fn v6(address: Ipv6Addr) -> Reach {
    let inner = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0xfe80..=0xfebf, ..]
        | [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]
        | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Reach::Link,
        [0, 0, 0, 0, 0, 0, 0, 1]
        | [0x64, 0xff9b, 1, ..]
        | [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Reach::Private,
        // Mapped, compatible, and translated (RFC 6052) IPv4 addresses, and those in 6to4.
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => inner(high, low),
        // Teredo and other protocol assignments, benchmarks, documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Nobody,
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Nobody,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Reach {
        reach(text.parse().expect("an address"))
    }

    #[test]
    fn addresses_of_this_machine_and_its_neighbours_are_private() {
        for text in [
            "127.0.0.1",
            "127.255.0.9",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "::1",
            "fec0::1",
            "fd00:ec2::253",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
        ] {
            assert_eq!(of(text), Reach::Private, "{text}");
        }
    }

    #[test]
    fn addresses_of_the_link_and_of_a_clouds_metadata_are_a_class_of_their_own() {
        for text in [
            "169.254.169.254",
            "169.254.0.1",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "2002:a9fe:a9fe::1",
        ] {
            assert_eq!(of(text), Reach::Link, "{text}");
        }
    }

    #[test]
    fn addresses_of_no_host_are_nobodys() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.2.1",
            "192.0.0.8",
            "198.51.100.7",
            "203.0.113.9",
            "198.18.0.1",
            "192.88.99.1",
            "::",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "100::1",
            "5f00::1",
            "::ffff:0.0.0.0",
        ] {
            assert_eq!(of(text), Reach::Nobody, "{text}");
        }
    }

    #[test]
    fn addresses_on_the_internet_are_public() {
        for text in [
            "1.1.1.1",
            "9.9.9.9",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700:4700::1111",
            "2a00::1",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
        ] {
            assert_eq!(of(text), Reach::Public, "{text}");
        }
    }
}
