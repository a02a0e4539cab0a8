//! Whether a service keeps the bytes that it was sent.

use cofferdam_plugin::{
    Failure, Result,
    artifact::{Algorithm, Range},
    http::Response,
};

/// What an answer says of the bytes that an object or a part has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Their SHA-256 as the checksum header has it; of parts, with their
    /// number behind it.
    pub(crate) checksum: Option<String>,
    /// Their MD5, where the `ETag` is that.
    md5: Option<String>,
}

impl Told {
    pub(crate) fn by(response: &Response) -> Self {
        let encryption = response.header("x-amz-server-side-encryption");
        Self {
            checksum: response.header("x-amz-checksum-sha256"),
            // With a key of the key service it is made of something else.
            md5: response
                .header("etag")
                .filter(|_| !encryption.is_some_and(|kind| kind.starts_with("aws:kms")))
                .and_then(|etag| md5(&etag)),
        }
    }

    /// Whether they are those of a range whose checksum, perhaps, is known.
    /// Without a word about them, a service is believed.
    pub(crate) fn is(&self, range: Range, checksum: Option<&str>) -> Result<bool> {
        match (&self.checksum, checksum, &self.md5) {
            // A service that tells it has compared it.
            (Some(told), Some(sent), _) if !told.contains('-') => Ok(told == sent),
            (_, _, Some(md5)) => Ok(hex::encode(range.digest(Algorithm::Md5)?) == *md5),
            _ => Ok(true),
        }
    }
}

/// For the console, which tries again.
pub(crate) fn other_bytes() -> Failure {
    Failure::temporary("the service keeps other bytes than were sent")
}

/// The MD5 that an `ETag` is; nothing where it is of another kind, as that of an
/// object made of parts.
fn md5(etag: &str) -> Option<String> {
    let digits = etag.strip_prefix('"')?.strip_suffix('"')?;
    let is_md5 = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_md5.then(|| digits.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_taken_for_an_md5_only_where_it_is_one() {
        let digits = "900150983CD24FB0D6963F7D28E17F72";
        assert_eq!(md5(&format!("\"{digits}\"")), Some(digits.to_ascii_lowercase()));
        for etag in
            ["", "\"\"", digits, &format!("\"{digits}-3\""), "\"z00150983cd24fb0d6963f7d28e17f72\""]
        {
            assert_eq!(md5(etag), None, "{etag}");
        }
    }
}
