//! Requests to one bucket, signed.

use std::time::Duration;

use cofferdam_plugin::{Failure, Result, http, time};
use rusty_s3::{Method, UrlStyle, signing::sign};

use crate::settings::{Settings, Style};

/// How long a signature holds, in seconds: services look at it when a request
/// begins, so this is for clocks that differ, which they bear as far themselves.
const EXPIRES: u64 = 900;

/// How long the service may take to answer once it has everything. Putting
/// the parts of a large file together takes minutes at some.
const PATIENCE: Duration = Duration::from_mins(10);

/// A bucket, with the credentials for it.
pub(crate) struct Bucket {
    inner: rusty_s3::Bucket,
    key: String,
    secret: String,
}

impl Bucket {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let style = match settings.style {
            Style::Path => UrlStyle::Path,
            Style::Host => UrlStyle::VirtualHost,
        };
        let endpoint = settings
            .endpoint
            .parse()
            .map_err(|error| Failure::setting("endpoint", format!("it is no URL: {error}")))?;
        let (bucket, region) = (settings.bucket.clone(), settings.region.clone());
        let inner = rusty_s3::Bucket::new(endpoint, style, bucket, region)
            .map_err(|error| Failure::setting("endpoint", error))?;
        Ok(Self {
            inner,
            key: settings.access_key_id.clone(),
            secret: settings.secret_access_key.clone(),
        })
    }

    /// The bucket's name.
    pub(crate) fn name(&self) -> &str {
        self.inner.name()
    }

    /// A request about an object, or about the bucket where `key` is empty.
    /// Every header that is given is part of the signature.
    pub(crate) fn request(
        &self,
        method: Method,
        key: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> http::Request {
        let mut query = query.to_vec();
        query.sort_unstable();
        let mut headers = headers.to_vec();
        headers.sort_unstable();
        let url =
            if key.is_empty() { self.inner.base_url().clone() } else { self.inner.object_url(key) };
        let url = sign(
            &time::now(),
            method,
            url,
            &self.key,
            &self.secret,
            None,
            self.inner.region(),
            EXPIRES,
            query.iter().copied(),
            headers.iter().copied(),
        );
        let method = match method {
            Method::Head => http::Method::Head,
            Method::Get => http::Method::Get,
            Method::Post => http::Method::Post,
            Method::Put => http::Method::Put,
            Method::Delete => http::Method::Delete,
        };
        let request = http::Request::new(method, url.as_str()).timeout(PATIENCE);
        headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

/// A key as [`crate::store::store`] gave it. Others could, as parts of a URL,
/// lead to another object or to the bucket itself.
pub(crate) fn key_of(location: &str) -> Result<&str> {
    let odd = location.len() > 1_024
        || location.chars().any(char::is_control)
        || location.split('/').any(|part| matches!(part, "" | "." | ".."));
    if odd {
        Err(Failure::permanent("this is no location of this destination"))
    } else {
        Ok(location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_leads_elsewhere_is_refused() {
        for location in ["", "/a", "a//b", "../other/a", "a/..", "a\nb"] {
            assert!(key_of(location).is_err(), "{location:?}");
        }
        assert!(key_of("backups/shop/a b.sql.gz").is_ok());
    }
}
