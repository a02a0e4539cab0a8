//! What is at a key, and whether it is the backup.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cofferdam_plugin::{
    Backup, Failure, Result,
    artifact::{self, Range},
    log,
};
use rusty_s3::Method;

use crate::{
    answer::{Refusal, accepted},
    bucket::Bucket,
    parts::Parts,
    proof::{Told, other_bytes},
    retry::retrying,
    settings::Settings,
};

/// The header that tells whose bytes an object has, or whose sidecar it is: the
/// file's SHA-256.
pub(crate) const HASH: &str = "x-amz-meta-sha256";

/// What a look at a key has found.
pub(crate) enum Look {
    /// An object.
    There(Head),
    /// None.
    Missing,
    /// The access key may not look. Without the right to list, what is not
    /// there looks the same.
    Hidden,
}

/// What is known of an object.
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) sha256: Option<String>,
    pub(crate) told: Told,
    /// Until when the service says that nobody can remove it.
    pub(crate) locked_until: Option<String>,
}

impl Head {
    /// Whether it was stored as this file.
    pub(crate) fn is_meant(&self, backup: &Backup) -> bool {
        self.size == backup.size && self.sha256.as_deref() == Some(backup.sha256.as_str())
    }

    /// Whether it is this file, as far as the service tells.
    pub(crate) fn is(&self, settings: &Settings, backup: &Backup) -> Result<bool> {
        if !self.is_meant(backup) {
            return Ok(false);
        }
        let whole = recorded(backup);
        match &self.told.checksum {
            Some(there) if Some(there) == whole.as_ref() => Ok(true),
            Some(there) if backup.size > settings.part_size.bytes() => {
                let parts = Parts::of(backup.size, settings.part_size.bytes())?;
                let number = there.split_once('-').map(|(_, number)| number.parse());
                if number.is_some_and(|number| number != Ok(parts.count())) {
                    // It was cut into other parts, whose checksums nobody knows any more.
                    return Ok(true);
                }
                Ok(is_same_checksum(there, &parts.checksum()?, &backup.sha256))
            }
            _ => self.told.is(Range::whole(), whole.as_deref()),
        }
    }
}

/// The file's SHA-256 as it was when the backup was made, as its header has it.
pub(crate) fn recorded(backup: &Backup) -> Option<String> {
    hex::decode(&backup.sha256).ok().map(|digest| BASE64.encode(digest))
}

/// Looks at a key, and again where the service has a fault.
pub(crate) fn look(bucket: &Bucket, key: &str) -> Result<Look> {
    retrying("looking for the file", || look_once(bucket, key))
}

/// Looks at a key, for whoever tries again.
pub(crate) fn look_once(bucket: &Bucket, key: &str) -> Result<Look> {
    let headers = [("x-amz-checksum-mode", "ENABLED")];
    let response = bucket.request(Method::Head, key, &[], &headers).send()?;
    match response.status() {
        403 => Ok(Look::Hidden),
        404 => Ok(Look::Missing),
        _ => {
            let response = accepted(response)?;
            Ok(Look::There(Head {
                size: response.content_length().unwrap_or_default(),
                sha256: response.header(HASH),
                told: Told::by(&response),
                locked_until: response.header("x-amz-object-lock-retain-until-date"),
            }))
        }
    }
}

/// Whether this very file is at a key.
pub(crate) fn is_there(
    settings: &Settings,
    bucket: &Bucket,
    key: &str,
    backup: &Backup,
) -> Result<bool> {
    match look(bucket, key)? {
        Look::There(head) => head.is(settings, backup),
        Look::Missing | Look::Hidden => Ok(false),
    }
}

/// Another file has the key.
pub(crate) fn taken(key: &str) -> Failure {
    Failure::permanent(format!("another file is at {key} already, and nothing is overwritten"))
}

/// What a refusal of a conditional request means.
pub(crate) enum Condition {
    /// The file is there, by an attempt whose answer was lost.
    Stored,
    /// The service does not know conditions.
    Unknown,
    /// Something else.
    Other,
}

/// Looks into a refusal.
pub(crate) fn after_condition(
    settings: &Settings,
    bucket: &Bucket,
    key: &str,
    backup: &Backup,
    refusal: &Refusal,
    only_if_new: bool,
) -> Result<Condition> {
    match refusal.status {
        412 => match look(bucket, key)? {
            Look::There(head) if head.is(settings, backup)? => {
                // The refusal came before all of the file was sent.
                artifact::compare(backup)?;
                Ok(Condition::Stored)
            }
            Look::There(_) => Err(taken(key)),
            Look::Missing => {
                Err(Failure::temporary("the service says that a file is there, and shows none"))
            }
            Look::Hidden => Err(Failure::denied(format!(
                "a file is at {key} already: this backup, by an attempt whose answer was lost, or \
                 another one; the access key may not look which\n\
                 HINT: let the key read objects (s3:GetObject), or look for yourself and remove it"
            ))),
        },
        501 if only_if_new => {
            log::warning("the service cannot refuse to overwrite; going on without");
            Ok(Condition::Unknown)
        }
        _ => Ok(Condition::Other),
    }
}

/// What is there after an upload.
pub(crate) enum Shown {
    /// The file; and until when it is locked, if it is.
    Same { locked_until: Option<String> },
    /// Something else, which the service has made of it.
    Other(Failure),
    /// The access key may not look: only the answer to the upload is known.
    Hidden,
}

/// Looks at what was stored. `sent` is the checksum that the service must now
/// know. A failure says nothing of the object, which may well be good.
pub(crate) fn verify(
    bucket: &Bucket,
    key: &str,
    backup: &Backup,
    sent: Option<&str>,
) -> Result<Shown> {
    let found = retrying("looking at what was stored", || match look_once(bucket, key)? {
        Look::Missing => Err(Failure::temporary("the service does not show it")),
        found => Ok(found),
    })?;
    let Look::There(head) = found else { return Ok(Shown::Hidden) };
    if head.size != backup.size {
        let text = format!("the service keeps {} of {} bytes", head.size, backup.size);
        return Ok(Shown::Other(Failure::temporary(text)));
    }
    match (&head.told.checksum, sent) {
        (Some(there), Some(sent)) if !is_same_checksum(there, sent, &backup.sha256) => {
            Ok(Shown::Other(other_bytes()))
        }
        _ => Ok(Shown::Same { locked_until: head.locked_until }),
    }
}

/// Whether the checksum that the service tells is that of what was sent: of
/// the parts' checksums, with or without their number behind it, or, as some
/// services compute it, of the whole.
fn is_same_checksum(there: &str, sent: &str, sha256: &str) -> bool {
    let value = |checksum: &str| checksum.split('-').next().map(str::to_owned);
    let whole = hex::decode(sha256).ok().map(|digest| BASE64.encode(digest));
    value(there) == value(sent) || whole.as_deref() == Some(there)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn a_checksum_is_known_in_each_of_its_forms() {
        let digest = Sha256::digest("all");
        let (whole, sha256) = (BASE64.encode(digest), hex::encode(digest));
        for there in ["abc=-5", "abc=", &whole] {
            assert!(is_same_checksum(there, "abc=-5", &sha256), "{there}");
        }
        for there in ["abd=-5", "", "-5"] {
            assert!(!is_same_checksum(there, "abc=-5", &sha256), "{there}");
        }
    }
}
