//! Storing one backup.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cofferdam_plugin::{
    Backup, Failure, Receipt, Result,
    artifact::{self, Range},
    log, time,
};
use rusty_s3::Method;
use sha2::{Digest as _, Sha256};

use crate::{
    answer::accepted,
    bucket::Bucket,
    fetch::{delete, remove},
    multipart,
    object::{
        Condition, HASH, Look, Shown, after_condition, look, look_once, recorded, taken, verify,
    },
    parts::Parts,
    proof::{Told, other_bytes},
    retry::retrying,
    settings::Settings,
};

/// What the sidecar's key has after the file's.
pub(crate) const SIDECAR: &str = ".json";

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
        Look::There(head) if head.is_meant(backup) => {
            artifact::compare(backup)?;
            if head.is(settings, backup)? {
                put_sidecar(settings, bucket, &key, backup)?;
                return Ok(receipt(Some("it was there already".to_owned())));
            }
            log::warning("what is there of an earlier attempt is damaged; storing it anew");
            remove(bucket, &key)?;
        }
        Look::There(_) if settings.never_overwrite => return Err(taken(&key)),
        _ => {}
    }
    put_sidecar(settings, bucket, &key, backup)?;
    let uploaded = if backup.size <= settings.part_size.bytes() {
        put_whole(settings, bucket, &key, backup)?
    } else {
        let parts = Parts::of(backup.size, settings.part_size.bytes())?;
        multipart::upload(settings, bucket, &key, backup, parts)?
    };
    // Where it cannot be looked at for now, it stays: the next attempt finds it.
    let mut locked = None;
    let unseen = match verify(bucket, &key, backup, uploaded.checksum.as_deref())? {
        Shown::Same { locked_until: Some(until) } => {
            locked = Some(format!("locked until {until}"));
            None
        }
        Shown::Same { locked_until: None } => settings
            .is_locking()
            .then(|| "its lock was asked for, and is not shown to this access key".to_owned()),
        Shown::Hidden => Some("not looked at once more, which the access key may not".to_owned()),
        Shown::Other(failure) => {
            // The next attempt would take it for the file.
            if let Err(error) = remove(bucket, &key) {
                log::warning(format_args!("what was stored was left: {}", error.message()));
            }
            return Err(failure);
        }
    };
    let notes: Vec<_> = [uploaded.note, locked, unseen].into_iter().flatten().collect();
    Ok(receipt((!notes.is_empty()).then(|| notes.join(", "))))
}

/// Puts the sidecar there. One of this backup is replaced where it differs, and
/// one of another backup is not, unless overwriting is allowed.
fn put_sidecar(settings: &Settings, bucket: &Bucket, key: &str, backup: &Backup) -> Result<()> {
    let key = format!("{key}{SIDECAR}");
    let checksum = BASE64.encode(Sha256::digest(backup.sidecar.as_bytes()));
    let sent = settings.checksums.then_some(checksum.as_str());
    let keeping = settings.keeping(time::now());
    let mut only_if_new = settings.never_overwrite;
    retrying("the sidecar", || {
        loop {
            let mut headers = settings.proving(sent);
            headers.extend([("content-type", "application/json"), (HASH, &backup.sha256)]);
            headers.extend(keeping.iter().map(|(name, value)| (*name, value.as_str())));
            if only_if_new {
                headers.push(("if-none-match", "*"));
            }
            let request = bucket.request(Method::Put, &key, &[], &headers);
            let Err(refusal) = accepted(request.bytes(backup.sidecar.as_str()).send()?) else {
                return Ok(());
            };
            match refusal.status {
                412 if only_if_new => match look_once(bucket, &key)? {
                    Look::There(head) if head.sha256.as_ref() == Some(&backup.sha256) => {
                        let is_same = head.told.checksum.is_none_or(|there| there == checksum);
                        if is_same && head.size == backup.sidecar.len() as u64 {
                            return Ok(());
                        }
                        only_if_new = false;
                    }
                    Look::There(_) => return Err(taken(&key)),
                    Look::Missing => {
                        let text = "the service says that one is there, and shows none";
                        return Err(Failure::temporary(text));
                    }
                    Look::Hidden => {
                        log::warning(format_args!(
                            "{key} is there already, and the access key may not look at it: it stays"
                        ));
                        return Ok(());
                    }
                },
                // The file's own request tells it.
                501 if only_if_new => only_if_new = false,
                _ => return Err(refusal.into()),
            }
        }
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
                    match after_condition(settings, bucket, key, backup, &refusal, only_if_new)? {
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

/// A sentence about the object's version, where the bucket keeps them.
pub(crate) fn version(id: Option<String>) -> Option<String> {
    id.filter(|id| id != "null" && id.len() <= 200).map(|id| format!("version {id}"))
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
    fn a_version_is_told_where_there_is_one() {
        assert_eq!(version(Some("null".into())), None);
        assert_eq!(version(Some("3".into())).as_deref(), Some("version 3"));
    }
}
