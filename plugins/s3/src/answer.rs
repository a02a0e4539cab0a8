//! What an answer of the service means.

use cofferdam_plugin::{
    Failure, Result,
    http::{Response, by_status, readable, retry_after},
};

use crate::xml::Fault;

/// Error bodies, and those of small answers, are read up to here.
const SMALL: usize = 64 << 10;

/// A refusal: the status, and what the service said.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) fault: Option<Fault>,
    said: String,
    retry_after: Option<u32>,
}

impl Refusal {
    /// From the parts of an answer.
    pub(crate) fn new(status: u16, body: &[u8], wait: Option<&str>) -> Self {
        Self {
            status,
            fault: Fault::read(body),
            said: readable(body),
            retry_after: wait.and_then(retry_after),
        }
    }

    /// The service's name for it, perhaps empty.
    pub(crate) fn code(&self) -> &str {
        self.fault.as_ref().map_or("", |fault| fault.code.as_str())
    }

    /// Whether the bytes that came do not fit their checksum.
    pub(crate) fn is_about_bytes(&self) -> bool {
        let codes = ["BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"];
        codes.contains(&self.code())
    }

    /// Whether the service's clock says another time.
    fn is_about_time(&self) -> bool {
        self.fault.as_ref().is_some_and(|fault| {
            let words = ["has expired", "not yet valid"];
            fault.code == "RequestTimeTooSkewed"
                || words.iter().any(|word| fault.message.contains(word))
        })
    }

    /// For the console, which tries again what is temporary.
    pub(crate) fn failure(&self) -> Failure {
        let Some(fault) = &self.fault else {
            return by_status(self.status, &self.said, self.retry_after);
        };
        let said = match readable(fault.message.as_bytes()) {
            message if message.is_empty() => format!("{} (HTTP {})", fault.code, self.status),
            message => format!("{} (HTTP {}): {message}", fault.code, self.status),
        };
        match fault.code.as_str() {
            // The second is what a signature meets that is long over, or not yet valid.
            "RequestTimeTooSkewed" | "AccessDenied" if self.is_about_time() => Failure::temporary(
                format!("this machine's clock differs too much from the service's: {said}"),
            ),
            "SignatureDoesNotMatch" | "InvalidAccessKeyId" | "InvalidToken" | "ExpiredToken" => {
                Failure::denied(format!("the access key or its secret is wrong: {said}"))
            }
            "NoSuchBucket" => {
                Failure::setting("bucket", format!("there is no such bucket: {said}"))
            }
            "AuthorizationHeaderMalformed"
            | "AuthorizationQueryParametersError"
            | "PermanentRedirect"
            | "IllegalLocationConstraintException" => {
                let hint = match &fault.region {
                    Some(region) => format!("the bucket is in the region {region}: {said}"),
                    None => {
                        format!("the bucket is in another region, or behind another URL: {said}")
                    }
                };
                Failure::setting("region", hint)
            }
            // They stand under all kinds of statuses, 200 among them.
            "InternalError"
            | "ServiceUnavailable"
            | "SlowDown"
            | "RequestTimeout"
            | "Throttling"
            | "RequestLimitExceeded"
            | "BadDigest"
            | "XAmzContentSHA256Mismatch"
            | "XAmzContentChecksumMismatch"
            | "IncompleteBody"
            | "ConditionalRequestConflict"
            | "OperationAborted" => Failure::temporary_after(said, self.retry_after),
            _ if (200..300).contains(&self.status) => {
                Failure::temporary_after(said, self.retry_after)
            }
            _ => match by_status(self.status, "", self.retry_after) {
                Failure::Temporary(mut temporary) => {
                    temporary.message = said;
                    Failure::Temporary(temporary)
                }
                Failure::Denied(_) => Failure::denied(said),
                Failure::NotFound(_) => Failure::not_found(said),
                _ => Failure::permanent(said),
            },
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure()
    }
}

/// The answer itself, or the refusal that its status means.
pub(crate) fn accepted(response: Response) -> std::result::Result<Response, Refusal> {
    if response.is_success() {
        return Ok(response);
    }
    let (status, wait) = (response.status(), response.header("retry-after"));
    Err(Refusal::new(status, &response.beginning(), wait.as_deref()))
}

/// A small document, which may be a refusal under the status 200.
pub(crate) fn document(
    response: Response,
    limit: usize,
) -> Result<std::result::Result<Vec<u8>, Refusal>> {
    let response = match accepted(response) {
        Ok(response) => response,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (status, wait) = (response.status(), response.header("retry-after"));
    let body = response.bytes(limit.max(SMALL))?;
    if Fault::read(&body).is_some() {
        return Ok(Err(Refusal::new(status, &body, wait.as_deref())));
    }
    Ok(Ok(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, code: &str) -> Failure {
        let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
        Refusal::new(status, body.as_bytes(), Some("7")).failure()
    }

    #[test]
    fn a_refusal_says_whether_to_try_again() {
        for (status, code) in [
            (500, "InternalError"),
            (503, "SlowDown"),
            (200, "InternalError"),
            (200, "Anything"),
            (429, "TooManyRequests"),
            (400, "RequestTimeout"),
            (400, "BadDigest"),
            (409, "ConditionalRequestConflict"),
        ] {
            let failure = failure(status, code);
            let Failure::Temporary(temporary) = failure else {
                panic!("{status} {code}: {failure:?}");
            };
            assert_eq!(temporary.retry_after, Some(7), "{status} {code}");
        }
        assert!(matches!(failure(403, "AccessDenied"), Failure::Denied(_)));
        assert!(matches!(failure(403, "SignatureDoesNotMatch"), Failure::Denied(_)));
        assert!(matches!(failure(404, "NoSuchKey"), Failure::NotFound(_)));
        assert!(matches!(failure(404, "NoSuchBucket"), Failure::InvalidConfig(_)));
        assert!(matches!(failure(301, "PermanentRedirect"), Failure::InvalidConfig(_)));
        assert!(matches!(failure(400, "EntityTooLarge"), Failure::Permanent(_)));
    }

    #[test]
    fn a_clock_that_differs_is_no_lack_of_rights() {
        let body =
            b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
        let failure = Refusal::new(403, body, None).failure();
        assert!(failure.is_temporary() && failure.message().starts_with("this machine's clock"));
    }

    #[test]
    fn a_proxy_that_speaks_html_is_quoted_in_short() {
        let refusal = Refusal::new(502, b"<html>\n<h1>Bad Gateway</h1></html>", None);
        let failure = refusal.failure();
        assert!(failure.is_temporary());
        assert!(failure.message().contains("Bad Gateway"), "{}", failure.message());
        assert_eq!(refusal.code(), "");
    }
}
