//! Random secrets that prove something by being known: session cookies,
//! bearer tokens, the set-up link. The catalog stores only
//! their SHA-256.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use cofferdam_model::Secret;

/// 256 random bits, as 43 characters that are safe in URLs and headers.
pub fn random() -> Secret {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *bytes).expect("the system gives random bytes");
    Secret::new(BASE64_URL_SAFE_NO_PAD.encode(*bytes))
}
