//! Which bytes of a file somebody asked for (RFC 9110, section 14).

use actix_web::{
    HttpRequest,
    http::header::{self, ByteRangeSpec, Header as _, Range},
};

use crate::service::Error;

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// From the first to the last byte, both included.
    Part(u64, u64),
}

/// Reads `Range` and `If-Range`. What is not understood, other units and
/// several ranges mean the whole file, as the standard allows; one range that
/// the file does not have is an error.
pub fn wanted(request: &HttpRequest, size: u64, etag: &str) -> Result<Wanted, Error> {
    if let Some(condition) = request.headers().get(header::IF_RANGE)
        && condition.as_bytes() != etag.as_bytes()
    {
        return Ok(Wanted::Whole);
    }
    if !request.headers().contains_key(header::RANGE) {
        return Ok(Wanted::Whole);
    }
    let Ok(Range::Bytes(specs)) = Range::parse(request) else { return Ok(Wanted::Whole) };
    let [spec] = specs.as_slice() else { return Ok(Wanted::Whole) };
    if let ByteRangeSpec::FromTo(from, to) = spec
        && from > to
    {
        return Ok(Wanted::Whole);
    }
    match spec.to_satisfiable_range(size) {
        Some((from, to)) => Ok(Wanted::Part(from, to)),
        None => Err(Error::Range(size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn ask(range: &str, if_range: Option<&str>) -> Result<Wanted, Error> {
        let mut request = TestRequest::default().insert_header((header::RANGE, range));
        if let Some(etag) = if_range {
            request = request.insert_header((header::IF_RANGE, etag));
        }
        wanted(&request.to_http_request(), 100, "\"abc\"")
    }

    #[test]
    fn one_range_within_the_file_is_a_part() {
        for (range, part) in [
            ("bytes=0-0", (0, 0)),
            ("bytes=10-19", (10, 19)),
            ("bytes=90-", (90, 99)),
            ("bytes=90-1000", (90, 99)),
            ("bytes=-10", (90, 99)),
            ("bytes=-1000", (0, 99)),
        ] {
            assert_eq!(ask(range, None).ok(), Some(Wanted::Part(part.0, part.1)), "{range}");
        }
    }

    #[test]
    fn odd_ranges_give_the_whole_file_or_a_clear_no() {
        for range in ["bytes=5-2", "bytes=a-b", "lines=0-1", "bytes=0-1,5-6", "bytes"] {
            assert_eq!(ask(range, None).ok(), Some(Wanted::Whole), "{range}");
        }
        for range in ["bytes=100-", "bytes=1000-2000", "bytes=-0"] {
            assert!(matches!(ask(range, None), Err(Error::Range(100))), "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_gives_the_whole_file() {
        assert_eq!(ask("bytes=0-1", Some("\"old\"")).ok(), Some(Wanted::Whole));
        assert_eq!(ask("bytes=0-1", Some("\"abc\"")).ok(), Some(Wanted::Part(0, 1)));
    }
}
