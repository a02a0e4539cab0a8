//! Storing, fetching and removing one backup.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cofferdam_plugin::{
    Backup, Failure, Receipt, Result,
    artifact::{self, Algorithm, Range},
    log, sink, time,
};
use rusty_s3::Method;
use sha2::{Digest as _, Sha256};

use crate::{
    answer::{Refusal, accepted},
    bucket::{Bucket, key_of},
    multipart::{self, Parts},
    proof::{Told, other_bytes},
    retry::retrying,
    settings::Settings,
};

/// What the sidecar's key has after the file's.
pub(crate) const SIDECAR: &str = ".json";

/// The header that tells whose bytes an object has: the file's SHA-256.
const HASH: &str = "x-amz-meta-sha256";

/// What is known of an object.
struct Head {
    size: u64,
    sha256: Option<String>,
    told: Told,
}

/// What an upload has left: the checksum that the service must now know.
pub(crate) struct Uploaded {
    pub(crate) checksum: Option<String>,
    pub(crate) note: Option<String>,
}

/// Puts the backup and its sidecar there, or finds them there.
pub(crate) fn store(settings: &Settings, bucket: &Bucket, backup: &Backup) -> Result<Receipt> {
    let key = settings.path.path(backup).map_err(|error| Failure::setting("path", error))?;
    let receipt = |note| Receipt { location: key.clone(), bytes_stored: backup.size, note };

    match look(bucket, &key)? {
        Some(head) if !head.is_meant(backup) && settings.never_overwrite => {
            return Err(taken(&key));
        }
        Some(head) if head.is_meant(backup) => {
            artifact::compare(backup)?;
            if head.is(backup)? {
                put_sidecar(settings, bucket, &key, backup)?;
                return Ok(receipt(Some("it was there already".to_owned())));
            }
            log::warning("what is there of an earlier attempt is damaged; storing it anew");
            remove(bucket, &key)?;
        }
        _ => {}
    }
    put_sidecar(settings, bucket, &key, backup)?;
    let uploaded = if backup.size <= settings.part_size.bytes() {
        put_whole(settings, bucket, &key, backup)?
    } else {
        let parts = Parts::of(backup.size, settings.part_size.bytes())?;
        multipart::upload(settings, bucket, &key, backup, parts)?
    };
    if let Err(failure) = verify(bucket, &key, backup, &uploaded) {
        // The next attempt would take it for the file.
        if let Err(error) = remove(bucket, &key) {
            log::warning(format_args!("what was stored was left: {}", error.message()));
        }
        return Err(failure);
    }
    let locked = settings.locked_until(time::now()).map(|until| format!("locked until {until}"));
    let notes: Vec<_> = uploaded.note.into_iter().chain(locked).collect();
    Ok(receipt((!notes.is_empty()).then(|| notes.join(", "))))
}

/// Another file has the key.
fn taken(key: &str) -> Failure {
    Failure::permanent(format!("another file is at {key} already, and nothing is overwritten"))
}

impl Head {
    /// Whether it was stored as this file.
    fn is_meant(&self, backup: &Backup) -> bool {
        self.size == backup.size && self.sha256.as_deref() == Some(backup.sha256.as_str())
    }

    /// Whether it is this file, as far as the service tells.
    fn is(&self, backup: &Backup) -> Result<bool> {
        Ok(self.is_meant(backup) && self.told.is(Range::whole(), recorded(backup).as_deref())?)
    }
}

/// The file's SHA-256 as it was when the backup was made, as its header has it.
fn recorded(backup: &Backup) -> Option<String> {
    hex::decode(&backup.sha256).ok().map(|digest| BASE64.encode(digest))
}

/// What is at a key; nothing where nothing is, or where the key may not look.
fn look(bucket: &Bucket, key: &str) -> Result<Option<Head>> {
    retrying("looking for the file", || {
        let headers = [("x-amz-checksum-mode", "ENABLED")];
        let response = bucket.request(Method::Head, key, &[], &headers).send()?;
        match response.status() {
            // Without the right to list, what is not there looks forbidden.
            403 | 404 => Ok(None),
            _ => {
                let response = accepted(response)?;
                Ok(Some(Head {
                    size: response.content_length().unwrap_or_default(),
                    sha256: response.header(HASH),
                    told: Told::by(&response),
                }))
            }
        }
    })
}

/// Whether this very file is at a key.
pub(crate) fn is_there(bucket: &Bucket, key: &str, backup: &Backup) -> Result<bool> {
    look(bucket, key)?.map_or(Ok(false), |head| head.is(backup))
}

fn put_sidecar(settings: &Settings, bucket: &Bucket, key: &str, backup: &Backup) -> Result<()> {
    let key = format!("{key}{SIDECAR}");
    let checksum = BASE64.encode(Sha256::digest(backup.sidecar.as_bytes()));
    let checksum = settings.checksums.then_some(checksum);
    let keeping = settings.keeping(time::now());
    retrying("the sidecar", || {
        let mut headers = settings.proving(checksum.as_deref());
        headers.push(("content-type", "application/json"));
        headers.extend(keeping.iter().map(|(name, value)| (*name, value.as_str())));
        let request = bucket.request(Method::Put, &key, &[], &headers);
        accepted(request.bytes(backup.sidecar.as_str()).send()?)?;
        Ok(())
    })
}

/// The headers of the file's own object.
pub(crate) fn file_headers(settings: &Settings, backup: &Backup) -> Vec<(&'static str, String)> {
    let mut headers = settings.keeping(time::now());
    headers.push(("content-type", "application/octet-stream".to_owned()));
    headers.push((HASH, backup.sha256.clone()));
    headers
}

/// Sends a file in one piece. Its checksum is the one that the backup has had
/// since it was made, so a file that was damaged since is refused.
fn put_whole(settings: &Settings, bucket: &Bucket, key: &str, backup: &Backup) -> Result<Uploaded> {
    let range = Range { offset: 0, length: backup.size };
    let checksum = recorded(backup).filter(|_| settings.checksums);
    let own = file_headers(settings, backup);
    let mut only_if_new = settings.never_overwrite;
    let mut note = None;
    retrying("the file", || {
        loop {
            let mut headers = settings.proving(checksum.as_deref());
            headers.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
            if only_if_new {
                headers.push(("if-none-match", "*"));
            }
            let request = bucket.request(Method::Put, key, &[], &headers);
            match accepted(request.artifact(range).send()?) {
                Ok(response) => {
                    if !Told::by(&response).is(range, checksum.as_deref())? {
                        // It stands in the way of the next attempt.
                        delete(bucket, key)?;
                        return Err(other_bytes());
                    }
                    note = version(response.header("x-amz-version-id"));
                    return Ok(());
                }
                Err(refusal) => {
                    if refusal.is_about_bytes() {
                        // Permanent, where it is the console's own file that is damaged.
                        artifact::compare(backup)?;
                    }
                    match after_condition(bucket, key, backup, &refusal, only_if_new)? {
                        Condition::Stored => return Ok(()),
                        Condition::Unknown => only_if_new = false,
                        Condition::Other => return Err(refusal.into()),
                    }
                }
            }
        }
    })?;
    Ok(Uploaded { checksum, note })
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

pub(crate) fn after_condition(
    bucket: &Bucket,
    key: &str,
    backup: &Backup,
    refusal: &Refusal,
    only_if_new: bool,
) -> Result<Condition> {
    match refusal.status {
        412 if is_there(bucket, key, backup)? => {
            // The refusal came before all of the file was sent.
            artifact::compare(backup)?;
            Ok(Condition::Stored)
        }
        412 => Err(taken(key)),
        501 if only_if_new => {
            log::warning("the service cannot refuse to overwrite; going on without");
            Ok(Condition::Unknown)
        }
        _ => Ok(Condition::Other),
    }
}

/// The checksum of a range as its header has it, if checksums are wanted.
pub(crate) fn checksum(settings: &Settings, range: Range) -> Result<Option<String>> {
    settings
        .checksums
        .then(|| range.digest(Algorithm::Sha256))
        .transpose()
        .map(|digest| digest.map(|digest| BASE64.encode(digest)))
}

/// A sentence about the object's version, where the bucket keeps them.
pub(crate) fn version(id: Option<String>) -> Option<String> {
    id.filter(|id| id != "null" && id.len() <= 200).map(|id| format!("version {id}"))
}

/// Looks at what is stored. An upload that the service has taken, but keeps
/// otherwise, is a failure.
fn verify(bucket: &Bucket, key: &str, backup: &Backup, uploaded: &Uploaded) -> Result<()> {
    let Some(head) = look(bucket, key)? else {
        log::warning("the service does not show what was stored; its answer to the upload stands");
        return Ok(());
    };
    if head.size != backup.size {
        return Err(Failure::temporary(format!(
            "the service keeps {} of {} bytes",
            head.size, backup.size
        )));
    }
    match (&head.told.checksum, &uploaded.checksum) {
        (Some(there), Some(sent)) if !is_same_checksum(there, sent, &backup.sha256) => {
            Err(other_bytes())
        }
        _ => Ok(()),
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

/// Fetches a part of the file, or all of it.
pub(crate) fn open(
    bucket: &Bucket,
    location: &str,
    offset: u64,
    length: Option<u64>,
) -> Result<()> {
    let key = key_of(location)?;
    if length == Some(0) {
        sink::begin(None)?;
        return Ok(());
    }
    let range = match length {
        Some(length) => format!("bytes={offset}-{}", offset.saturating_add(length - 1)),
        None => format!("bytes={offset}-"),
    };
    let whole = offset == 0 && length.is_none();
    let response = retrying("fetching the file", || {
        let request = bucket.request(Method::Get, key, &[], &[]);
        let request = if whole { request } else { request.header("range", &range) };
        Ok(accepted(request.send()?)?)
    })?;
    if !whole && response.status() != 206 {
        return Err(Failure::permanent("the service does not give parts of a file"));
    }
    let announced = response.content_length();
    let announced =
        announced.ok_or(Failure::permanent("the service does not say how much it sends"))?;
    let total = if whole {
        Some(announced)
    } else {
        response.header("content-range").and_then(|value| total(&value))
    };
    let output = sink::begin(total)?;
    let body = response.into_stream()?;
    output.pass_on(body.input(), announced)
}

/// The size of the whole in `bytes 0-9/100`.
fn total(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

/// Removes the file, then its sidecar, so that what is left can be removed again.
pub(crate) fn remove(bucket: &Bucket, location: &str) -> Result<()> {
    let key = key_of(location)?;
    delete(bucket, key)?;
    delete(bucket, &format!("{key}{SIDECAR}"))
}

/// Removes one object. That it is gone already is a success.
fn delete(bucket: &Bucket, key: &str) -> Result<()> {
    retrying("removing the file", || {
        let response = bucket.request(Method::Delete, key, &[], &[]).send()?;
        match accepted(response) {
            Err(refusal) if refusal.status == 404 && refusal.code() != "NoSuchBucket" => Ok(()),
            Err(refusal) => Err(refusal.into()),
            Ok(_) => Ok(()),
        }
    })
}

/// Looks whether the bucket may be listed, and written to: an upload in parts
/// is begun and ended, which leaves nothing, as a file would where nothing can
/// be removed.
pub(crate) fn try_out(settings: &Settings, bucket: &Bucket) -> Result<String> {
    let listed = crate::listing::is_allowed(settings, bucket)?;
    let key = format!("{}.cofferdam-check", settings.path.prefix());
    let own = settings.keeping(time::now());
    let upload = multipart::begin(settings, bucket, &key, &own)?;
    multipart::abort(bucket, &key, &upload)?;
    let name = bucket.name();
    Ok(if listed {
        format!("The bucket {name} is there and may be written to")
    } else {
        format!(
            "The bucket {name} may be written to, but not listed: what is in it cannot be shown"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_size_is_read_from_a_part() {
        assert_eq!(total("bytes 0-9/100"), Some(100));
        assert_eq!(total("bytes 0-9/*"), None);
        assert_eq!(total(""), None);
    }

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

    #[test]
    fn a_version_is_told_where_there_is_one() {
        assert_eq!(version(Some("null".into())), None);
        assert_eq!(version(Some("3".into())).as_deref(), Some("version 3"));
    }
}
