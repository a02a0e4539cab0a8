//! An authority, and what it signed for `127.0.0.1`.

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

/// Certificates for a day or two, made by OpenSSL; they go with this value.
pub struct Certificates(TempDir);

impl Certificates {
    /// `ca.crt`, and `console.crt` with `console.key`.
    ///
    /// # Panics
    /// When OpenSSL does not make them.
    #[must_use]
    #[track_caller]
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let script = "
            key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
            openssl req -x509 $key -days 2 -subj /CN=authority -keyout ca.key -out ca.crt
            openssl req $key -subj /CN=console -keyout console.key -out console.csr
            printf 'subjectAltName=IP:127.0.0.1' > names
            openssl x509 -req -days 2 -in console.csr -CA ca.crt -CAkey ca.key -CAcreateserial \\
                -extfile names -out console.crt
            chmod 600 console.key";
        let made = Command::new("sh").args(["-ec", script]).current_dir(&folder).output();
        let made = made.expect("sh runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(folder)
    }

    /// The path of one of its files.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
