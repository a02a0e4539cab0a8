//! What the head of a request weighs: its first line and its headers, as they
//! go over the wire.

use http::{Uri, request::Parts};

/// ` HTTP/1.1` and two line ends: the first line's, and the one after all headers.
const FRAME: usize = " HTTP/1.1\r\n\r\n".len();
/// Between a header's name and its value, and after it.
const HEADER: usize = ": \r\n".len();

/// What the server is asked for.
pub(super) fn path(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

/// The head's bytes. What the connection adds by itself, such as
/// `transfer-encoding: chunked`, is not among them.
pub(super) fn bytes(parts: &Parts) -> u64 {
    let line = parts.method.as_str().len() + 1 + path(&parts.uri).len() + FRAME;
    let headers = parts.headers.iter();
    let headers: usize =
        headers.map(|(name, value)| name.as_str().len() + value.len() + HEADER).sum();
    (line + headers) as u64
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn every_byte_of_a_head_is_counted() {
        let (parts, ()) = Request::put("http://example.org/a?b=c")
            .header("host", "example.org")
            .header("x-one", "1")
            .header("x-one", "")
            .body(())
            .expect("a request")
            .into_parts();
        let head = "PUT /a?b=c HTTP/1.1\r\nhost: example.org\r\nx-one: 1\r\nx-one: \r\n\r\n";
        assert_eq!(bytes(&parts), head.len() as u64);
    }
}
