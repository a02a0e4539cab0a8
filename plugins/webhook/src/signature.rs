//! The header by which the receiver knows who called, and when:
//! `X-Cofferdam-Signature: t=1767225600,v1=<hex>`.
//!
//! What is signed is the time, in seconds since 1970, a dot, and the body. A
//! receiver refuses a time that is more than five minutes from its own, so
//! that a call that somebody has recorded cannot be sent again later.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header's name.
pub(crate) const NAME: &str = "x-cofferdam-signature";

/// The header's value.
pub(crate) fn header(secret: &str, seconds: i64, body: &str) -> String {
    // HMAC takes keys of every length.
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    hmac.update(format!("{seconds}.").as_bytes());
    hmac.update(body.as_bytes());
    format!("t={seconds},v1={}", hex::encode(hmac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_openssl_computes() {
        // printf '1767225600.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        assert_eq!(
            header("0123456789abcdef", 1_767_225_600, r#"{"a":1}"#),
            "t=1767225600,v1=539b0e21b535c5201ef7d1453c0a0de4ad132293226de9018be0cfbf0092faa6"
        );
    }

    #[test]
    fn another_time_body_or_secret_gives_another_signature() {
        let value = |secret, seconds, body| {
            let header = header(secret, seconds, body);
            header.split_once("v1=").map(|(_, value)| value.to_owned()).expect("it has one")
        };
        let one = value("0123456789abcdef", 1, "a");
        assert_ne!(one, value("0123456789abcdef", 2, "a"));
        assert_ne!(one, value("0123456789abcdef", 1, "b"));
        assert_ne!(one, value("0123456789abcdeF", 1, "a"));
        // The dot keeps the time and the body apart.
        assert_ne!(value("0123456789abcdef", 1, "2.a"), value("0123456789abcdef", 12, "a"));
    }
}
