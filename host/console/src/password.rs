//! Passwords: argon2id, a few at a time.

use std::{sync::LazyLock, thread, time::Duration};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash, Salt},
};
use cofferdam_model::Secret;
use crossbeam_channel::{Sender, unbounded};
use subtle::ConstantTimeEq as _;
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
    hash(&password, &mut memory())
});

/// How many are hashed at once.
const PLACES: usize = 2;
/// Without a sign-in for so long, the memory for hashing is given back.
const IDLE: Duration = Duration::from_secs(5);

type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

/// Address space for hashing, of which only the beginning is ever touched. What
/// is larger than 32 MiB the system's allocator takes from the kernel, and gives
/// back as soon as it is freed; having freed something smaller once, it keeps as
/// much for itself from then on.
const RESERVED: usize = 40 << 20;

fn memory() -> Vec<Block> {
    Vec::with_capacity(RESERVED / Block::SIZE)
}

/// Hashes and checks passwords. At most two at once: a flood of sign-ins
/// waits in line instead of taking the machine's memory. Each of the two has
/// a thread with memory of its own, used again and again: an allocator that is
/// asked for 19 MiB each time keeps much more than twice that (measured: 1.2 GB
/// after a hundred sign-ins).
#[derive(Clone)]
pub struct Passwords {
    line: Sender<Work>,
}

impl Default for Passwords {
    fn default() -> Self {
        let (line, waiting) = unbounded::<Work>();
        for _ in 0..PLACES {
            let waiting = waiting.clone();
            thread::spawn(move || {
                // Until nobody can send any more.
                while let Ok(work) = waiting.recv() {
                    let mut memory = memory();
                    work(&mut memory);
                    while let Ok(work) = waiting.recv_timeout(IDLE) {
                        work(&mut memory);
                    }
                }
            });
        }
        Self { line }
    }
}

impl Passwords {
    /// A PHC string of the password under a fresh salt.
    pub async fn hash(&self, password: Secret) -> String {
        self.run(move |memory| hash(password.expose().as_bytes(), memory)).await
    }

    /// Whether the password has this hash. Without a hash the same work is
    /// done, and the answer is no.
    pub async fn verify(&self, password: Secret, hash: Option<String>) -> bool {
        self.run(move |memory| {
            let fits =
                fits(password.expose().as_bytes(), hash.as_deref().unwrap_or(&NOBODY), memory);
            fits.unwrap_or(false) && hash.is_some()
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> T {
        let (answer, done) = oneshot::channel();
        let work = move |memory: &mut Vec<Block>| {
            // Whoever has gone needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(work(memory));
            }
        };
        self.line.send(Box::new(work)).expect("the threads live as long as their line");
        done.await.expect("hashing does not panic")
    }
}

/// The password's hash under a fresh salt, as a PHC string.
fn hash(password: &[u8], memory: &mut Vec<Block>) -> String {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).expect("the system gives random bytes");
    let mut out = [0_u8; Params::DEFAULT_OUTPUT_LEN];
    fill(&ARGON, password, &salt, &mut out, memory).expect("hashing needs only memory");
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ARGON.params().try_into().expect("these parameters have a short form"),
        salt: Some(Salt::new(&salt).expect("a salt has 16 bytes")),
        hash: Some(Output::new(&out).expect("a hash has 32 bytes")),
    };
    hash.to_string()
}

/// Whether the password has this hash; nothing where it is no argon2 hash.
fn fits(password: &[u8], hash: &str, memory: &mut Vec<Block>) -> Option<bool> {
    let hash = PasswordHash::new(hash).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = Version::try_from(hash.version?).ok()?;
    let argon = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
    let (salt, expected) = (hash.salt?, hash.hash?);
    let mut out = vec![0_u8; expected.len()];
    fill(&argon, password, &salt, &mut out, memory).ok()?;
    Some(out.ct_eq(expected.as_bytes()).into())
}

fn fill(
    argon: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    out: &mut [u8],
    memory: &mut Vec<Block>,
) -> argon2::Result<()> {
    let count = argon.params().block_count();
    if memory.len() < count {
        memory.resize(count, Block::default());
    }
    argon.hash_password_into_with_memory(password, salt, out, &mut memory[..count])
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
        let long = "seven cold rivers run beside the grey heron until morning comes and tides turn";
        assert_eq!(check_new(&Secret::new(long), "m"), Ok(()));
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

    /// This process's own memory, in kB.
    fn rss_anon() -> u64 {
        let text = std::fs::read_to_string("/proc/self/status").expect("this process");
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).expect("a number")
    }

    #[tokio::test]
    async fn the_memory_of_both_places_is_given_back_when_nobody_signs_in() {
        let passwords = Passwords::default();
        let before = rss_anon();
        let one = || passwords.hash(Secret::new("one two three four"));
        // Again after it was given back once: then an allocator knows the size.
        for _ in 0..2 {
            tokio::join!(one(), one(), one(), one());
            let full = rss_anon();
            assert!(full > before + (19 << 10), "{before} {full}");
            let begun = std::time::Instant::now();
            while rss_anon() > before + (4 << 10) {
                assert!(begun.elapsed() < 4 * IDLE, "{before} {full} {}", rss_anon());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
