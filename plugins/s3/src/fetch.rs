//! Fetching and removing what is stored.

use cofferdam_plugin::{Failure, Result, log, sink};
use rusty_s3::Method;

use crate::{
    answer::accepted,
    bucket::{Bucket, key_of},
    retry::retrying,
    store::SIDECAR,
};

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
pub(crate) fn delete(bucket: &Bucket, key: &str) -> Result<()> {
    retrying("removing the file", || {
        let response = bucket.request(Method::Delete, key, &[], &[]).send()?;
        match accepted(response) {
            Err(refusal) if refusal.status == 404 && refusal.code() != "NoSuchBucket" => Ok(()),
            Err(refusal) => Err(refusal.into()),
            Ok(response) => {
                if response.header("x-amz-delete-marker").as_deref() == Some("true") {
                    log::warning(format_args!(
                        "{key} is hidden by a marker, and the bucket keeps what it held: as long as \
                         it is locked, or until a rule of the bucket removes old versions \
                         (NoncurrentVersionExpiration)"
                    ));
                }
                Ok(())
            }
        }
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
}
