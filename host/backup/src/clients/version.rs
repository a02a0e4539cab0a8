//! Versions of the client programs.

use std::fmt;

/// A PostgreSQL version from 10 on: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 15 in 15.18.
    pub major: u32,
    /// 18 in 15.18; 0 for a beta.
    pub minor: u32,
}

/// The first minor versions without the known ways in which a hostile server
/// or dump runs code at whoever dumps or restores it.
const FLOORS: [Version; 5] = [
    Version { major: 18, minor: 7 },
    Version { major: 17, minor: 12 },
    Version { major: 16, minor: 16 },
    Version { major: 15, minor: 20 },
    Version { major: 14, minor: 25 },
];

impl Version {
    /// Reads `pg_dump (PostgreSQL) 15.18 (Debian …)`. `None` for anything
    /// else, and for versions before 10, which nobody should use any more.
    pub(crate) fn from_banner(banner: &str) -> Option<Self> {
        let text = banner.split_once("(PostgreSQL) ")?.1;
        let number = |text: &str| -> Option<u32> {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            text[..digits].parse().ok()
        };
        let major = number(text)?;
        let minor = text.split_once('.').filter(|(head, _)| head.parse::<u32>().is_ok());
        let minor = minor.and_then(|(_, tail)| number(tail)).unwrap_or(0);
        (major >= 10).then_some(Self { major, minor })
    }

    /// The version that should be installed instead, if this one has known
    /// holes. Majors that get no corrections any more have no such version of
    /// their own, so the oldest one that does is named.
    pub(crate) fn below_floor(self) -> Option<Self> {
        let oldest = FLOORS[FLOORS.len() - 1];
        if self.major < oldest.major {
            return Some(oldest);
        }
        FLOORS.into_iter().find(|floor| floor.major == self.major && self.minor < floor.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn banners_of_all_kinds_are_read() {
        for (banner, version) in [
            ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-1)", Some((15, 18))),
            ("pg_dump (PostgreSQL) 18.7\n", Some((18, 7))),
            ("pg_dump (PostgreSQL) 19beta1", Some((19, 0))),
            ("pg_dump (PostgreSQL) 9.6.24", None),
            ("pg_dump (Other) 15.1", None),
            ("", None),
        ] {
            let read = Version::from_banner(banner).map(|v| (v.major, v.minor));
            assert_eq!(read, version, "{banner}");
        }
    }

    #[test]
    fn clients_below_the_floor_name_what_to_install() {
        let floor = |major, minor| Version { major, minor }.below_floor().map(|v| v.to_string());
        assert_eq!(floor(15, 19).as_deref(), Some("15.20"));
        assert_eq!(floor(15, 20), None);
        assert_eq!(floor(13, 99).as_deref(), Some("14.25"));
        assert_eq!(floor(19, 0), None);
    }
}
