//! What is in the bucket.

use cofferdam_plugin::{Entry, Failure, Page, Result, log, template::percent_decode};
use rusty_s3::Method;

use crate::{
    answer::document,
    bucket::Bucket,
    retry::retrying,
    settings::Settings,
    store::SIDECAR,
    xml::{self, Object},
};

/// A page of 1,000 objects has some 600 KB.
const LARGEST_PAGE: usize = 8 << 20;

/// The files below the path's fixed beginning, without sidecars.
pub(crate) fn list(settings: &Settings, bucket: &Bucket, cursor: Option<&str>) -> Result<Page> {
    let listing = retrying("listing", || {
        let mut query = vec![
            ("list-type", "2"),
            ("encoding-type", "url"),
            ("max-keys", "1000"),
            ("prefix", settings.path.prefix()),
        ];
        query.extend(cursor.map(|cursor| ("continuation-token", cursor)));
        let response = bucket.request(Method::Get, "", &query, &[]).send()?;
        let body = document(response, LARGEST_PAGE)??;
        xml::listing(&body)
            .ok_or_else(|| Failure::temporary("the service's listing cannot be read"))
    })?;
    if listing.odd > 0 {
        log::warning(format_args!("left out {} objects without a key or a size", listing.odd));
    }
    let entries = listing.objects.into_iter().filter_map(entry).collect();
    Ok(Page { entries, next: listing.next })
}

/// Whether the bucket may be listed. Everything else that is wrong is a failure.
pub(crate) fn is_allowed(settings: &Settings, bucket: &Bucket) -> Result<bool> {
    let query = [("list-type", "2"), ("max-keys", "1"), ("prefix", settings.path.prefix())];
    let response = bucket.request(Method::Get, "", &query, &[]).send()?;
    match document(response, LARGEST_PAGE)? {
        Ok(body) if xml::listing(&body).is_some() => Ok(true),
        Ok(_) => Err(Failure::setting("endpoint", "what answers there does not speak S3")),
        Err(refusal) if refusal.code() == "AccessDenied" => Ok(false),
        Err(refusal) => Err(refusal.into()),
    }
}

/// A backup; nothing for a sidecar and for what stands for a folder.
fn entry(object: Object) -> Option<Entry> {
    let location = percent_decode(&object.key.replace('+', "%20"));
    if location.ends_with(SIDECAR) || location.ends_with('/') {
        return None;
    }
    let filename = location.rsplit('/').next()?.to_owned();
    let sidecar = Some(format!("{location}{SIDECAR}"));
    Some(Entry { filename, size: object.size, stored_at: object.modified, sidecar, location })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_and_sidecars_left_out() {
        let object = |key: &str| Object { key: key.to_owned(), size: 1, modified: None };
        let found = entry(object("backups/a+b%2Bc/x.sql.gz")).expect("it is a backup");
        assert_eq!(
            (found.location.as_str(), found.filename.as_str()),
            ("backups/a b+c/x.sql.gz", "x.sql.gz")
        );
        assert_eq!(entry(object("backups/x.sql.gz.json")), None);
        assert_eq!(entry(object("backups/")), None);
    }
}
