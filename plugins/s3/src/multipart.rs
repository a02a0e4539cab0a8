//! Files in parts: each part is sent, and tried again, on its own.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cofferdam_plugin::{Backup, Failure, Result, artifact::Range, log};
use rusty_s3::Method;
use sha2::{Digest as _, Sha256};

use crate::{
    answer::{accepted, document},
    bucket::Bucket,
    proof::{Told, other_bytes},
    retry::retrying,
    settings::Settings,
    store::{Condition, Uploaded, after_condition, checksum, file_headers, version},
    xml,
};

/// More parts are not taken.
const MOST_PARTS: u64 = 10_000;

/// Larger parts are not taken.
const LARGEST_PART: u64 = 5 << 30;

/// Larger listings of unfinished uploads are not read.
const LARGEST_ANSWER: usize = 4 << 20;

/// How a file is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    size: u64,
    part: u64,
}

impl Parts {
    /// Parts of the wanted size, or of the smallest one, in whole MiB, of
    /// which 10,000 suffice.
    pub(crate) fn of(size: u64, wanted: u64) -> Result<Self> {
        let least = size.div_ceil(MOST_PARTS).div_ceil(1 << 20) << 20;
        let part = wanted.max(least);
        if part > LARGEST_PART {
            return Err(Failure::permanent("the file is larger than an object can be"));
        }
        Ok(Self { size, part })
    }

    fn ranges(self) -> impl Iterator<Item = (u64, Range)> {
        (0..self.size.div_ceil(self.part)).map(move |index| {
            let offset = index * self.part;
            (index + 1, Range { offset, length: self.part.min(self.size - offset) })
        })
    }
}

/// A part that the service has.
struct Sent {
    number: u64,
    etag: String,
    checksum: Option<String>,
}

/// Sends the file. On any failure the service is told to forget the parts.
pub(crate) fn upload(
    settings: &Settings,
    bucket: &Bucket,
    key: &str,
    backup: &Backup,
    parts: Parts,
) -> Result<Uploaded> {
    forget_earlier(bucket, key);
    let upload = begin(settings, bucket, key, &file_headers(settings, backup))?;
    let done = send(settings, bucket, key, &upload, parts)
        .and_then(|sent| complete(settings, bucket, key, backup, &upload, &sent));
    if done.is_err()
        && let Err(error) = abort(bucket, key, &upload)
    {
        log::warning(format_args!("the unfinished upload was left: {}", error.message()));
    }
    done
}

/// Begins an upload, and returns its id.
pub(crate) fn begin(
    settings: &Settings,
    bucket: &Bucket,
    key: &str,
    own: &[(&'static str, String)],
) -> Result<String> {
    let mut headers: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if settings.checksums {
        headers.push(("x-amz-checksum-algorithm", "SHA256"));
    }
    retrying("beginning the upload", || {
        let response = bucket.request(Method::Post, key, &[("uploads", "")], &headers).send()?;
        let body = document(response, 0)??;
        xml::find(&body, "UploadId")
            .filter(|id| !id.is_empty())
            .ok_or_else(|| Failure::temporary("the service gave the upload no id"))
    })
}

fn send(
    settings: &Settings,
    bucket: &Bucket,
    key: &str,
    upload: &str,
    parts: Parts,
) -> Result<Vec<Sent>> {
    let mut all = Vec::new();
    for (number, range) in parts.ranges() {
        let checksum = checksum(settings, range)?;
        let text = number.to_string();
        let query = [("partNumber", text.as_str()), ("uploadId", upload)];
        let headers = settings.proving(checksum.as_deref());
        let etag = retrying(&format!("part {number}"), || {
            let request = bucket.request(Method::Put, key, &query, &headers);
            let response = accepted(request.artifact(range).send()?)?;
            if !Told::by(&response).is(range, checksum.as_deref())? {
                return Err(other_bytes());
            }
            let etag = response.header("etag").filter(|etag| is_etag(etag));
            etag.ok_or_else(|| Failure::temporary("the service gave the part no ETag"))
        })?;
        all.push(Sent { number, etag, checksum });
    }
    Ok(all)
}

/// Whether it can stand in a document as it is.
fn is_etag(etag: &str) -> bool {
    (1..=200).contains(&etag.len())
        && etag.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>&'".contains(&byte))
}

/// Lets the service put the parts together. It answers 200 at once, and may
/// say in the document that follows that it could not.
fn complete(
    settings: &Settings,
    bucket: &Bucket,
    key: &str,
    backup: &Backup,
    upload: &str,
    sent: &[Sent],
) -> Result<Uploaded> {
    let body = list(sent);
    let mut only_if_new = settings.never_overwrite;
    let mut note = None;
    retrying("putting the parts together", || {
        loop {
            let mut headers = vec![("content-type", "application/xml")];
            if only_if_new {
                headers.push(("if-none-match", "*"));
            }
            let request = bucket.request(Method::Post, key, &[("uploadId", upload)], &headers);
            let response = request.bytes(body.as_str()).send()?;
            let told = version(response.header("x-amz-version-id"));
            let Err(refusal) = document(response, 0)? else {
                note = told;
                return Ok(());
            };
            // After a lost answer the upload is gone, because it is done, and
            // each service has its own word for that.
            let is_final = (400..500).contains(&refusal.status) && refusal.status != 412;
            if is_final && crate::store::is_there(bucket, key, backup)? {
                return Ok(());
            }
            match after_condition(bucket, key, backup, &refusal, only_if_new)? {
                Condition::Stored => return Ok(()),
                Condition::Unknown => only_if_new = false,
                Condition::Other if refusal.code() == "NoSuchUpload" => {
                    return Err(Failure::temporary("the service has lost the upload"));
                }
                Condition::Other => return Err(refusal.into()),
            }
        }
    })?;
    Ok(Uploaded { checksum: composite(sent), note })
}

/// The document that names the parts.
fn list(sent: &[Sent]) -> String {
    let mut body = String::from("<CompleteMultipartUpload>");
    for part in sent {
        // Writing to a string does not fail.
        let _ = write!(
            body,
            "<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>",
            part.number,
            part.etag.replace('"', "&quot;")
        );
        if let Some(checksum) = &part.checksum {
            let _ = write!(body, "<ChecksumSHA256>{checksum}</ChecksumSHA256>");
        }
        body.push_str("</Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

/// The checksum that the service gives the whole: that of the parts' checksums,
/// and their number.
fn composite(sent: &[Sent]) -> Option<String> {
    let mut hash = Sha256::new();
    for part in sent {
        hash.update(BASE64.decode(part.checksum.as_deref()?).ok()?);
    }
    Some(format!("{}-{}", BASE64.encode(hash.finalize()), sent.len()))
}

/// Tells the service to forget an upload.
pub(crate) fn abort(bucket: &Bucket, key: &str, upload: &str) -> Result<()> {
    retrying("ending the upload", || {
        let query = [("uploadId", upload)];
        match accepted(bucket.request(Method::Delete, key, &query, &[]).send()?) {
            Err(refusal) if refusal.status == 404 => Ok(()),
            Err(refusal) => Err(refusal.into()),
            Ok(_) => Ok(()),
        }
    })
}

/// Ends what an earlier attempt at the same file has begun and could not end,
/// as after a loss of power. Where that may not be looked at, it stays.
fn forget_earlier(bucket: &Bucket, key: &str) {
    let query = [("uploads", ""), ("prefix", key)];
    let listed = bucket
        .request(Method::Get, "", &query, &[])
        .send()
        .and_then(|response| document(response, LARGEST_ANSWER));
    let Ok(Ok(body)) = listed else { return };
    for (_, upload) in xml::uploads(&body).into_iter().filter(|(other, _)| other == key) {
        match abort(bucket, key, &upload) {
            Ok(()) => log::info("ended an unfinished upload of an earlier attempt"),
            Err(error) => log::warning(error.message()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_document_names_every_part() {
        let sent = [
            Sent { number: 1, etag: "\"a\"".into(), checksum: Some("c1".into()) },
            Sent { number: 2, etag: "b".into(), checksum: None },
        ];
        assert_eq!(
            list(&sent),
            "<CompleteMultipartUpload>\
             <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag><ChecksumSHA256>c1</ChecksumSHA256></Part>\
             <Part><PartNumber>2</PartNumber><ETag>b</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }

    #[test]
    fn the_checksum_of_the_whole_is_that_of_the_parts_checksums() {
        let sum = |text: &str| Some(BASE64.encode(Sha256::digest(text)));
        let sent = [
            Sent { number: 1, etag: "a".into(), checksum: sum("one") },
            Sent { number: 2, etag: "b".into(), checksum: sum("two") },
        ];
        let both = [Sha256::digest("one"), Sha256::digest("two")].concat();
        let wanted = format!("{}-2", BASE64.encode(Sha256::digest(both)));
        assert_eq!(composite(&sent), Some(wanted));
    }

    #[test]
    fn an_etag_that_would_break_the_document_is_none() {
        assert!(is_etag("\"0123abcd-2\""));
        for etag in ["", "<a>", "a&b", "a b", "a\n"] {
            assert!(!is_etag(etag), "{etag:?}");
        }
    }

    #[test]
    fn what_no_object_can_hold_is_refused() {
        assert!(Parts::of(48 << 40, 64 << 20).is_ok());
        assert!(Parts::of(50 << 40, 64 << 20).is_err());
    }

    proptest! {
        #[test]
        fn the_parts_cover_the_file_and_are_not_too_many(
            size in 1_u64..48 << 40, wanted in (5_u64 << 20)..LARGEST_PART,
        ) {
            let parts = Parts::of(size, wanted).expect("it fits");
            let count = size.div_ceil(parts.part);
            prop_assert!(count <= MOST_PARTS);
            prop_assert!(parts.part >= wanted);
            let mut end = 0;
            let mut last = 0;
            for (number, range) in parts.ranges() {
                prop_assert_eq!(range.offset, end);
                prop_assert!(range.length > 0);
                end += range.length;
                prop_assert_eq!(number, last + 1);
                last = number;
            }
            prop_assert_eq!((end, last), (size, count));
        }
    }
}
