//! Versions of interfaces: a component that was built against another patch of
//! the contract, or of WASI, is the same as far as it uses what is there.

use semver::{Version, VersionReq};

/// The packages that the console offers, and which versions of each are the
/// same to it.
const OFFERED: &[(&str, &str)] = &[("wasi:", "^0.2"), ("cofferdam:plugin/", "^0.1")];

fn split(name: &str) -> Option<(&str, Version)> {
    let (interface, version) = name.rsplit_once('@')?;
    Some((interface, Version::parse(version).ok()?))
}

/// Whether the console offers the package of this interface in a compatible version.
pub(crate) fn is_offered(name: &str) -> bool {
    let Some((interface, version)) = split(name) else { return false };
    OFFERED.iter().any(|(package, range)| {
        interface.starts_with(package)
            && VersionReq::parse(range).is_ok_and(|range| range.matches(&version))
    })
}

/// Whether a name stands for this interface, in this version or a compatible one.
pub(crate) fn is_same(name: &str, wanted: &str) -> bool {
    let (Some((one, _)), Some((other, _))) = (split(name), split(wanted)) else { return false };
    one == other && is_offered(name) && is_offered(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_are_the_same_and_other_versions_are_not() {
        let wanted = "cofferdam:plugin/plugin@0.1.0";
        for name in [wanted, "cofferdam:plugin/plugin@0.1.7"] {
            assert!(is_same(name, wanted) && is_same(wanted, name), "{name}");
        }
        for name in [
            "cofferdam:plugin/plugin",
            "cofferdam:plugin/plugin@0.2.0",
            "cofferdam:plugin/plugin@1.0.0",
            "cofferdam:plugin/plugin@0.1",
            "cofferdam:plugin/storage@0.1.0",
            "other:plugin/plugin@0.1.0",
        ] {
            assert!(!is_same(name, wanted), "{name}");
        }
        assert!(is_offered("wasi:io/streams@0.2.0") && is_offered("wasi:io/streams@0.2.99"));
        assert!(!is_offered("wasi:io/streams@0.3.0") && !is_offered("evil:shell/run@0.2.0"));
    }
}
