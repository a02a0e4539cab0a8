//! Secrets at rest: the master key, and sealing under it.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context as _, bail};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use cofferdam_model::Secret;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::config::{MasterKey, refuse_open_file};

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// What cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret cannot be opened with this master key")]
pub struct Unopened;

/// Seals and opens secrets. Sealed text is bound to a context, such as the
/// database it belongs to, so that it cannot be moved to another record.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    cookies: Zeroizing<[u8; 64]>,
}

impl Vault {
    /// Reads the master key; makes one only where none was ever needed
    /// (`may_create`), because a new key opens no old secret.
    pub fn open(source: &MasterKey, may_create: bool) -> anyhow::Result<Self> {
        let key = match source {
            MasterKey::Given(text) => decode(text.expose())
                .context("COFFERDAM_MASTER_KEY is not 64 hexadecimal digits")?,
            MasterKey::File(path) => read(path)?,
            MasterKey::Own(path) => match fs::exists(path)? {
                true => read(path)?,
                false if may_create => create(path)?,
                false => bail!(
                    "the master key {} is missing, and the catalog has secrets under it\n\
                     HINT: put the file back from the recovery kit or a backup of the data folder",
                    path.display()
                ),
            },
        };
        Ok(Self::new(&key))
    }

    /// A vault under this key. Each use has a key of its own, derived with HMAC-SHA-256.
    pub fn new(master: &[u8; 32]) -> Self {
        let mut cookies = Zeroizing::new([0; 64]);
        cookies[..32].copy_from_slice(&*derive(master, b"cofferdam cookies 1"));
        cookies[32..].copy_from_slice(&*derive(master, b"cofferdam cookies 2"));
        let sealing = derive(master, b"cofferdam sealing 1");
        Self { cipher: XChaCha20Poly1305::new((&*sealing).into()), cookies }
    }

    /// The key under which session cookies are signed.
    pub fn cookie_key(&self) -> &[u8] {
        &*self.cookies
    }

    /// Encrypts and authenticates: version, nonce, XChaCha20-Poly1305.
    pub fn seal(&self, context: &str, secret: &Secret) -> Vec<u8> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).expect("the system gives random bytes");
        let payload = Payload { msg: secret.expose().as_bytes(), aad: context.as_bytes() };
        let sealed = self
            .cipher
            .encrypt((&nonce).into(), payload)
            .expect("a secret is shorter than 256 GiB");
        [&[VERSION], &nonce[..], &sealed].concat()
    }

    /// The reverse of [`Vault::seal`], for the same context only.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<Secret, Unopened> {
        let (&version, rest) = sealed.split_first().ok_or(Unopened)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(Unopened)?;
        if version != VERSION {
            return Err(Unopened);
        }
        let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
        let plain = self.cipher.decrypt(nonce.into(), payload).map_err(|_| Unopened)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| Unopened)
    }
}

fn derive(master: &[u8; 32], label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(master).expect("HMAC takes keys of any length");
    mac.update(label);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

fn decode(text: &str) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    // The decoder's own message would quote a character of the key.
    hex::decode_to_slice(text.trim(), &mut *key)
        .map_err(|_| anyhow::anyhow!("it has another form"))?;
    Ok(key)
}

fn read(path: &Path) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let shown = path.display();
    if let Err(error) = fs::metadata(path)
        && error.kind() == ErrorKind::NotFound
    {
        bail!("the master key {shown} does not exist");
    }
    refuse_open_file(path)?;
    let text = Zeroizing::new(
        fs::read_to_string(path)
            .with_context(|| format!("the master key {shown} cannot be read"))?,
    );
    decode(&text).with_context(|| format!("the master key {shown} is not 64 hexadecimal digits"))
}

fn create(path: &Path) -> anyhow::Result<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *key).map_err(|error| anyhow::anyhow!("no random bytes: {error}"))?;
    // Written whole under another name and linked: a crash or a full disk
    // leaves no half key, and of two first starts at once one key wins.
    let draft = path.with_added_extension(std::process::id().to_string());
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", *Zeroizing::new(hex::encode(*key)))?;
        file.sync_all()?;
        fs::hard_link(&draft, path)?;
        path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    let written = write();
    let _ = fs::remove_file(&draft);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && fs::exists(path)? => read(path),
        written => {
            written
                .with_context(|| format!("the master key {} cannot be written", path.display()))?;
            Ok(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_opens_only_with_its_key_and_in_its_context() {
        let vault = Vault::new(&[7; 32]);
        let sealed = vault.seal("database 1", &Secret::new("hunter2"));
        assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
        assert_eq!(vault.unseal("database 1", &sealed).expect("same context").expose(), "hunter2");
        assert!(vault.unseal("database 2", &sealed).is_err());
        assert!(Vault::new(&[8; 32]).unseal("database 1", &sealed).is_err());
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(vault.unseal("database 1", &changed).is_err(), "byte {position}");
        }
        assert!(vault.unseal("database 1", &[]).is_err());
    }

    #[test]
    fn the_own_key_is_made_once_private_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = MasterKey::Own(folder.path().join("master.key"));
        assert!(Vault::open(&source, false).is_err());
        let first = Vault::open(&source, true).expect("a new key");
        let sealed = first.seal("x", &Secret::new("y"));
        let second = Vault::open(&source, false).expect("the same key");
        assert_eq!(second.unseal("x", &sealed).expect("opens").expose(), "y");
        let path = folder.path().join("master.key");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
        assert!(Vault::open(&source, false).is_err());
    }
}
