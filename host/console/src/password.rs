//! Passwords: argon2id, a few at a time.

use std::{
    sync::{Arc, LazyLock, Mutex, mpsc},
    thread,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use cofferdam_model::Secret;
use tokio::sync::oneshot;

/// The shortest password. Length is what counts (NIST SP 800-63B); there are
/// no rules of composition.
pub const SHORTEST: usize = 12;
/// The longest password, so that hashing one stays cheap.
pub const LONGEST: usize = 256;

/// Why a new password was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too short.
    #[error("a password has at least 12 characters")]
    Short,
    /// Too long.
    #[error("a password has at most 256 characters")]
    Long,
    /// Too easy to guess.
    #[error("this password is easy to guess; take a few words that do not belong together")]
    Common,
    /// The name itself.
    #[error("the password holds the user name; choose another")]
    Name,
}

/// 19 MiB, two passes, one lane: the floor of OWASP's advice for argon2id.
static ARGON: LazyLock<Argon2<'static>> = LazyLock::new(|| {
    let params = Params::new(19 * 1024, 2, 1, None).expect("these parameters are valid");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
});

/// A hash that no password has, so that an unknown name costs what a known one costs.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let mut password = [0_u8; 32];
    getrandom::fill(&mut password).expect("the system gives random bytes");
    ARGON.hash_password(&password).expect("hashing needs only memory").to_string()
});

/// How many are hashed at once.
const PLACES: usize = 2;

type Work = Box<dyn FnOnce() + Send>;

/// Hashes and checks passwords. At most two at once: a flood of sign-ins
/// waits in line instead of taking the machine's memory. The two have threads
/// of their own, because an allocator keeps what a thread has freed for that
/// thread, and the runtime's many would each keep the 19 MiB of a hash.
#[derive(Clone)]
pub struct Passwords {
    line: mpsc::Sender<Work>,
}

impl Default for Passwords {
    fn default() -> Self {
        let (line, waiting) = mpsc::channel::<Work>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..PLACES {
            let waiting = waiting.clone();
            thread::spawn(move || {
                loop {
                    // The lock is given back before the work begins.
                    let next = waiting.lock().map(|waiting| waiting.recv());
                    let Ok(Ok(work)) = next else { return };
                    work();
                }
            });
        }
        Self { line }
    }
}

impl Passwords {
    /// A PHC string of the password under a fresh salt.
    pub async fn hash(&self, password: Secret) -> String {
        self.run(move || {
            ARGON
                .hash_password(password.expose().as_bytes())
                .expect("hashing needs only memory")
                .to_string()
        })
        .await
    }

    /// Whether the password has this hash. Without a hash the same work is
    /// done, and the answer is no.
    pub async fn verify(&self, password: Secret, hash: Option<String>) -> bool {
        self.run(move || {
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let fits = PasswordHash::new(&hash).is_ok_and(|hash| {
                ARGON.verify_password(password.expose().as_bytes(), &hash).is_ok()
            });
            fits && known
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, done) = oneshot::channel();
        let work = move || {
            // Whoever has gone needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
        };
        self.line.send(Box::new(work)).expect("the threads live as long as their line");
        done.await.expect("hashing does not panic")
    }
}

/// Checks a new password before it is hashed.
pub fn check_new(password: &Secret, name: &str) -> Result<(), Weak> {
    let length = password.expose().chars().count();
    let lower = password.expose().to_lowercase();
    if length < SHORTEST {
        Err(Weak::Short)
    } else if length > LONGEST {
        Err(Weak::Long)
    } else if name.len() >= 4 && lower.contains(name) {
        Err(Weak::Name)
    } else if is_common(password.expose(), name) {
        Err(Weak::Common)
    } else {
        Ok(())
    }
}

/// What zxcvbn finds by trying well-known passwords, names, words, dates, runs
/// along the keyboard and repetitions before anything else. Below its third
/// step a password would fall to somebody who guesses in earnest.
fn is_common(password: &str, name: &str) -> bool {
    let near = [name, "cofferdam", "backup", "database", "postgres"];
    zxcvbn::zxcvbn(password, &near).score() < zxcvbn::Score::Three
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_long_and_well_known_passwords_are_refused() {
        for (password, expected) in [
            ("short", Weak::Short),
            ("aaaaaaaaaaaaaaaa", Weak::Common),
            ("password1234", Weak::Common),
            ("passwordpassword", Weak::Common),
            ("123456789012", Weak::Common),
            ("qwertyuiopas", Weak::Common),
            ("iloveyou1234", Weak::Common),
            ("Cofferdam2026", Weak::Common),
            ("letmeinletmein", Weak::Common),
            ("my-margaret-key", Weak::Name),
        ] {
            assert_eq!(check_new(&Secret::new(password), "margaret"), Err(expected), "{password}");
        }
        assert_eq!(check_new(&Secret::new("x".repeat(257)), "m"), Err(Weak::Long));
        assert_eq!(check_new(&Secret::new("correct horse battery staple"), "m"), Ok(()));
        assert_eq!(check_new(&Secret::new("ключ от сейфа 7"), "m"), Ok(()));
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_and_verifies_only_its_password() {
        let passwords = Passwords::default();
        let hash = passwords.hash(Secret::new("one two three four")).await;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(Secret::new("one two three four"), Some(hash.clone())).await);
        assert!(!passwords.verify(Secret::new("one two three five"), Some(hash)).await);
        assert!(!passwords.verify(Secret::new("anything"), None).await);
    }
}
