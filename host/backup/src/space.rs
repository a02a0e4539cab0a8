//! Room in the backup folder.

use cofferdam_artifact::Folder;
use cofferdam_model::{Failure, FailureKind};

use crate::{Problem, ProblemKind, source};

/// Bytes that this process may still write there.
pub(crate) fn free(folder: &Folder) -> Result<u64, Failure> {
    folder.free_bytes().map_err(|error| source::folder_failed(&error))
}

/// The finding, if a file of that size would not fit beside what must stay free.
pub(crate) fn problem(needed: u64, free: u64, keep_free: u64) -> Option<Problem> {
    (free < needed.saturating_add(keep_free)).then(|| Problem {
        kind: ProblemKind::Space,
        text: format!(
            "the backup folder has {} free; this backup may need {}, and {} are to stay free",
            human(free),
            human(needed),
            human(keep_free)
        ),
        hint: Some("delete backups that are not needed, or give the folder more room".to_owned()),
    })
}

/// The outcome of a run whose disk filled up.
pub(crate) fn ran_out(free: u64, keep_free: u64) -> Failure {
    Failure::new(
        FailureKind::Space,
        format!(
            "the backup folder ran short of room: {} were left, and {} are to stay free",
            human(free),
            human(keep_free)
        ),
    )
    .hint("delete backups that are not needed, or give the folder more room")
}

/// A size for people: `1.5 GiB`.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(human(0), "0 B");
        assert_eq!(human(1536), "1.5 KiB");
        assert_eq!(human(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn a_file_that_fits_exactly_fits() {
        assert_eq!(problem(10, 15, 5), None);
        assert!(problem(11, 15, 5).is_some());
        assert!(problem(u64::MAX, 15, u64::MAX).is_some());
    }
}
