//! The names of backup files.

use std::{fmt, str::FromStr};

use cofferdam_model::{BackupId, Format, Slug, Timestamp};

/// `backup_<slug>_YYYYMMDD_HHMMSS` and the format's ending; the time is UTC.
pub fn artifact_filename(slug: &Slug, at: Timestamp, format: Format) -> String {
    format!("backup_{slug}_{}{}", at.format("%Y%m%d_%H%M%S"), format.extension())
}

/// The text is not the name of a backup file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a backup file")]
pub struct NameError(String);

impl NameError {
    pub(super) fn new(text: &str) -> Self {
        Self(text.chars().take(200).collect())
    }
}

/// The name of a backup file: `backup_<slug>_YYYYMMDD_HHMMSS`, perhaps `_2` or
/// higher, and an ending. It stays inside its folder, is never hidden, and is
/// never an option to a program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactName(String);

/// The endings, and the same with encryption.
const ENDINGS: [&str; 4] = [".sql.gz.gpg", ".dump.gpg", ".sql.gz", ".dump"];

impl ArtifactName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the sidecar beside it.
    pub fn sidecar(&self) -> String {
        format!("{}.json", self.0)
    }

    /// The artifact that a sidecar's name belongs to.
    pub(super) fn of_sidecar(name: &str) -> Option<Self> {
        name.strip_suffix(".json")?.parse().ok()
    }

    /// This name with `_2`, `_3` … before the ending.
    pub(super) fn numbered(&self, number: u32) -> Self {
        let (stem, ending) = split(&self.0).unwrap_or((&self.0, ""));
        Self(format!("{stem}_{number}{ending}"))
    }
}

fn split(name: &str) -> Option<(&str, &str)> {
    ENDINGS.iter().find_map(|ending| Some((name.strip_suffix(ending)?, *ending)))
}

/// Whether `stem` is `backup_<slug>_<date>_<time>`, perhaps with a number.
fn is_stem(stem: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let dated = |stem: &str| {
        let mut parts = stem.rsplitn(3, '_');
        let (time, date, slug) = (parts.next(), parts.next(), parts.next());
        time.is_some_and(|time| digits(time, 6))
            && date.is_some_and(|date| digits(date, 8))
            && slug.is_some_and(|slug| slug.parse::<Slug>().is_ok())
    };
    let Some(rest) = stem.strip_prefix("backup_") else { return false };
    dated(rest)
        || rest.rsplit_once('_').is_some_and(|(rest, number)| {
            let canonical = !number.is_empty() && !number.starts_with('0') && number != "1";
            dated(rest) && canonical && number.len() <= 9 && digits(number, number.len())
        })
}

impl FromStr for ArtifactName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        match split(text) {
            Some((stem, _)) if is_stem(stem) => Ok(Self(text.to_owned())),
            _ => Err(NameError::new(text)),
        }
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every temp file's name begins with.
const PARTIAL: &str = ".partial-";

/// A name for a temp file that belongs to a run: found again after a crash,
/// and never taken by another host's run.
pub(super) fn partial(backup: BackupId) -> String {
    format!("{PARTIAL}{backup}-{}", uuid::Uuid::new_v4().simple())
}

/// Whether this is the name of a temp file.
pub(super) fn is_partial(name: &str) -> bool {
    name.starts_with(PARTIAL)
}

/// The run that a temp file belongs to, if its name says so.
pub(super) fn partial_backup(name: &str) -> Option<BackupId> {
    name.strip_prefix(PARTIAL)?.get(..36)?.parse().ok()
}
