//! Room in the backup folder.

use cofferdam_artifact::Folder;
use cofferdam_model::{Failure, FailureKind, size};

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
            size(free),
            size(needed),
            size(keep_free)
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
            size(free),
            size(keep_free)
        ),
    )
    .hint("delete backups that are not needed, or give the folder more room")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_fits_exactly_fits() {
        assert_eq!(problem(10, 15, 5), None);
        assert!(problem(11, 15, 5).is_some());
        assert!(problem(u64::MAX, 15, u64::MAX).is_some());
    }
}
