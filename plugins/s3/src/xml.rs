//! The few XML documents that services answer with.

use roxmltree::{Document, Node};

/// An error, as S3 describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Its name: `NoSuchKey`.
    pub(crate) code: String,
    /// For people.
    pub(crate) message: String,
    /// The region that the service would rather be asked in.
    pub(crate) region: Option<String>,
}

impl Fault {
    /// The error in a body; nothing where there is none.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let document = Document::parse(text.trim_start()).ok()?;
        let error = document.descendants().find(|node| node.tag_name().name() == "Error")?;
        Some(Self {
            code: child(error, "Code")?.to_owned(),
            message: child(error, "Message").unwrap_or_default().to_owned(),
            region: child(error, "Region").map(str::to_owned),
        })
    }
}

/// The text of the first element of this name, wherever it stands.
pub(crate) fn find(body: &[u8], name: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let document = Document::parse(text.trim_start()).ok()?;
    let node = document.descendants().find(|node| node.tag_name().name() == name)?;
    Some(node.text().unwrap_or_default().to_owned())
}

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) modified: Option<String>,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) objects: Vec<Object>,
    /// How many had no key, or no size that is a number.
    pub(crate) odd: usize,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// The page in a body; nothing where that is something else.
pub(crate) fn listing(body: &[u8]) -> Option<Listing> {
    let text = std::str::from_utf8(body).ok()?;
    let document = Document::parse(text.trim_start()).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "ListBucketResult" {
        return None;
    }
    let mut objects = Vec::new();
    let mut odd = 0;
    for node in root.children().filter(|node| node.tag_name().name() == "Contents") {
        let size = child(node, "Size").and_then(|size| size.parse().ok());
        match (child(node, "Key"), size) {
            (Some(key), Some(size)) => objects.push(Object {
                key: key.to_owned(),
                size,
                modified: child(node, "LastModified").map(str::to_owned),
            }),
            _ => odd += 1,
        }
    }
    let more = child(root, "IsTruncated") == Some("true");
    let next = child(root, "NextContinuationToken").map(str::to_owned);
    Some(Listing { objects, odd, next: next.filter(|_| more) })
}

/// The uploads in parts that were begun and not ended: key and id of each.
pub(crate) fn uploads(body: &[u8]) -> Vec<(String, String)> {
    let Some(text) = std::str::from_utf8(body).ok() else { return Vec::new() };
    let Ok(document) = Document::parse(text.trim_start()) else { return Vec::new() };
    document
        .root_element()
        .children()
        .filter(|node| node.tag_name().name() == "Upload")
        .filter_map(|node| {
            Some((child(node, "Key")?.to_owned(), child(node, "UploadId")?.to_owned()))
        })
        .collect()
}

fn child<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.children().find(|node| node.tag_name().name() == name)?.text()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_error_is_read_wherever_it_stands() {
        let body = br#"<?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>AccessDenied</Code><Message>Access Denied</Message><HostId>x</HostId></Error>"#;
        let fault = Fault::read(body).expect("there is one");
        assert_eq!(
            (fault.code.as_str(), fault.message.as_str()),
            ("AccessDenied", "Access Denied")
        );
        // Some services send spaces first, to keep the connection open.
        assert_eq!(
            Fault::read(b"  \n<Error><Code>InternalError</Code></Error>").map(|f| f.code),
            Some("InternalError".into())
        );
        assert_eq!(Fault::read(b"<CompleteMultipartUploadResult/>"), None);
        assert_eq!(Fault::read(b"<html><body>502</body></html>"), None);
        assert_eq!(Fault::read(b"<Error><Code>x"), None);
        assert_eq!(Fault::read(b"\xff\xfe"), None);
    }

    #[test]
    fn a_listing_is_read_whatever_its_namespace() {
        let body = br#"<?xml version="1.0"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Name>b</Name><IsTruncated>true</IsTruncated>
              <NextContinuationToken>t&amp;x</NextContinuationToken>
              <Contents><Key>a%20b</Key><LastModified>2026-01-31T02:00:00.000Z</LastModified><Size>5</Size></Contents>
              <Contents><Key>of no size</Key><Size>-1</Size></Contents>
              <Contents><Key>c</Key><Size>0</Size></Contents>
            </ListBucketResult>"#;
        let Listing { objects, odd, next } = listing(body).expect("it is one");
        assert_eq!((next.as_deref(), odd), (Some("t&x"), 1));
        assert_eq!(objects.len(), 2);
        assert_eq!((objects[0].key.as_str(), objects[0].size), ("a%20b", 5));
        assert_eq!(objects[1].modified, None);
        assert_eq!(listing(b"<Error><Code>x</Code></Error>"), None);
    }

    #[test]
    fn unfinished_uploads_are_read() {
        let body = b"<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>u</UploadId></Upload></ListMultipartUploadsResult>";
        assert_eq!(uploads(body), [("k".to_owned(), "u".to_owned())]);
        assert_eq!(find(b"<R><UploadId>id</UploadId></R>", "UploadId").as_deref(), Some("id"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (Fault::read(&body), listing(&body), find(&body, "UploadId"), uploads(&body));
        }

        #[test]
        fn any_markup_is_taken(body in "[<>/&;a-zA-Z\"= ]{0,120}") {
            let body = body.as_bytes();
            let _ = (Fault::read(body), listing(body), find(body, "Key"), uploads(body));
        }
    }
}
