//! Files in parts: each part is sent, and tried again, on its own.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use cofferdam_plugin::{Backup, Failure, Result, artifact::Algorithm, log};
use rusty_s3::Method;

use crate::{
    answer::{accepted, document},
    bucket::Bucket,
    object::{Condition, after_condition, is_there},
    parts::{Parts, composite},
    proof::{Told, other_bytes},
    retry::retrying,
    settings::Settings,
    store::{Uploaded, file_headers, version},
    xml,
};

/// Larger listings of unfinished uploads are not read.
const LARGEST_ANSWER: usize = 4 << 20;

/// A part that the service has.
struct Sent {
    number: u64,
    etag: String,
    /// Its SHA-256, if checksums are wanted.
    digest: Option<Vec<u8>>,
}

impl Sent {
    fn checksum(&self) -> Option<String> {
        self.digest.as_ref().map(|digest| BASE64.encode(digest))
    }
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
        log::warning(format_args!(
            "{}\nparts of the unfinished upload {upload} may be left at {key}, and be paid for\n\
             HINT: the next attempt ends it, if the access key may list uploads; otherwise a rule \
             of the bucket can (AbortIncompleteMultipartUpload)",
            error.message()
        ));
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
        let digest = settings.checksums.then(|| range.digest(Algorithm::Sha256)).transpose()?;
        let checksum = digest.as_ref().map(|digest| BASE64.encode(digest));
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
        all.push(Sent { number, etag, digest });
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
            let refusal = match document(response, 0)? {
                Ok(body) if xml::find(&body, "CompleteMultipartUploadResult").is_some() => {
                    note = told;
                    return Ok(());
                }
                // Asked again, it says what it has made of it.
                Ok(_) => return Err(Failure::temporary("the service's answer cannot be read")),
                Err(refusal) => refusal,
            };
            // After a lost answer the upload is gone, because it is done, and
            // each service has its own word for that.
            let is_final = (400..500).contains(&refusal.status) && refusal.status != 412;
            if is_final && is_there(settings, bucket, key, backup)? {
                return Ok(());
            }
            match after_condition(settings, bucket, key, backup, &refusal, only_if_new)? {
                Condition::Stored => return Ok(()),
                Condition::Unknown => only_if_new = false,
                Condition::Other if refusal.code() == "NoSuchUpload" => {
                    return Err(Failure::temporary("the service has lost the upload"));
                }
                Condition::Other => return Err(refusal.into()),
            }
        }
    })?;
    let digests: Option<Vec<_>> = sent.iter().map(|part| part.digest.clone()).collect();
    Ok(Uploaded { checksum: digests.map(|digests| composite(&digests)), note })
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
        if let Some(checksum) = part.checksum() {
            let _ = write!(body, "<ChecksumSHA256>{checksum}</ChecksumSHA256>");
        }
        body.push_str("</Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    body
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
    use super::*;

    #[test]
    fn the_document_names_every_part() {
        let sent = [
            Sent { number: 1, etag: "\"a\"".into(), digest: Some(vec![0, 1, 2]) },
            Sent { number: 2, etag: "b".into(), digest: None },
        ];
        assert_eq!(
            list(&sent),
            "<CompleteMultipartUpload>\
             <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag><ChecksumSHA256>AAEC</ChecksumSHA256></Part>\
             <Part><PartNumber>2</PartNumber><ETag>b</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }

    #[test]
    fn an_etag_that_would_break_the_document_is_none() {
        assert!(is_etag("\"0123abcd-2\""));
        for etag in ["", "<a>", "a&b", "a b", "a\n"] {
            assert!(!is_etag(etag), "{etag:?}");
        }
    }
}
