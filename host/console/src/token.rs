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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_secret_of_ours_is_256_random_bits() {
        let secrets: Vec<Vec<u8>> = (0..200)
            .map(|_| BASE64_URL_SAFE_NO_PAD.decode(random().expose()).expect("it is base64"))
            .collect();
        assert!(secrets.iter().all(|secret| secret.len() == 32));
        assert_eq!(secrets.iter().collect::<HashSet<_>>().len(), secrets.len());
        // Each of the bits is sometimes set and sometimes not.
        let set = |all: u8, one: &u8| all | one;
        for place in 0..32 {
            let bytes: Vec<u8> = secrets.iter().map(|secret| secret[place]).collect();
            assert_eq!(bytes.iter().fold(0, set), u8::MAX);
            assert_eq!(bytes.iter().map(|byte| !byte).fold(0, |all, one| all | one), u8::MAX);
        }
    }
}
