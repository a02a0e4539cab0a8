//! Two S3 services by other people: `s3s-fs`, which checks signatures and keeps
//! objects as files, and moto, which knows Object Lock, versions and checksums
//! of parts.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use xtask::process::{self, AtParentsEnd};

use crate::{Api, Certificates, wait_until};

/// The bucket that each of them has.
pub const BUCKET: &str = "backups";
/// The key that `s3s-fs` knows; moto takes any.
pub const ACCESS_KEY: &str = "AKIACOFFERDAMTESTS";
/// Its secret.
pub const SECRET_KEY: &str = "canary-7/secret+key-of-the-tests";

/// What moto, which looks at the form of a signature only, takes for one.
const SIGNED: (&str, &str) =
    ("authorization", "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request");

/// How long one may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running service. It ends with this value.
pub struct S3Server {
    child: Child,
    port: u16,
    folder: TempDir,
    /// As the tests themselves reach it.
    direct: Api,
}

/// A program in the environment that `cargo xtask setup` has made for Python's
/// servers.
///
/// # Panics
/// When it is missing.
#[must_use]
pub fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository");
    let path = root.join("target/servers/bin/python");
    assert!(path.exists(), "{} is missing; `cargo xtask setup` makes it", path.display());
    path
}

impl S3Server {
    /// `s3s-fs`, with the bucket.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    #[track_caller]
    pub fn s3s() -> Self {
        Self::start(s3s)
    }

    /// As [`Self::s3s`], where the bucket is part of the host's name.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    #[track_caller]
    pub fn s3s_at(domain: &str) -> Self {
        Self::start(|port, folder| {
            let mut command = s3s(port, folder);
            command.args(["--domain", &format!("{domain}:{port}")]);
            command
        })
    }

    fn start(command: impl FnOnce(u16, &Path) -> Command) -> Self {
        let port = process::free_port().expect("a port");
        let folder = TempDir::new().expect("a folder");
        fs::create_dir(folder.path().join(BUCKET)).expect("a bucket");
        let mut command = command(port, folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = process::spawn(command).expect("`cargo xtask setup` installs it");
        wait_until("the S3 service", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok());
        let direct = Api::anonymous(&format!("http://127.0.0.1:{port}"));
        Self { child, port, folder, direct }
    }

    /// moto, with the bucket, which has Object Lock.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    #[track_caller]
    pub fn moto() -> Self {
        let server = Self::start(|port, _| moto(port));
        server.make_bucket();
        server
    }

    /// As [`Self::moto`], over TLS with these certificates.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    #[must_use]
    #[track_caller]
    pub fn moto_tls(certificates: &Certificates) -> Self {
        let mut server = Self::start(|port, _| {
            let mut command = moto(port);
            command.arg("--ssl-cert").arg(certificates.path("console.crt"));
            command.arg("--ssl-key").arg(certificates.path("console.key"));
            command
        });
        let authority = fs::read(certificates.path("ca.crt")).expect("the authority");
        let url = format!("https://127.0.0.1:{}", server.port);
        server.direct = Api::trusting(&url, Some(&authority));
        server.make_bucket();
        server
    }

    fn make_bucket(&self) {
        let lock = ("x-amz-bucket-object-lock-enabled", "true");
        self.direct.send("PUT", &format!("/{BUCKET}"), &[lock], Some(b"")).expect(200);
    }

    /// The headers of an object, where the service is moto; nothing where it shows none.
    ///
    /// # Panics
    /// When it answers something else.
    #[must_use]
    #[track_caller]
    pub fn head(&self, key: &str) -> Option<BTreeMap<String, String>> {
        let headers = [SIGNED, ("x-amz-checksum-mode", "ENABLED")];
        let answer = self.direct.send("HEAD", &format!("/{BUCKET}/{key}"), &headers, None);
        if answer.status == 404 {
            return None;
        }
        let all = answer.expect(200).headers;
        let text = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.to_string(), value.to_str().expect("text").to_owned())
        };
        Some(all.iter().map(text).collect())
    }

    /// The versions of an object that are kept, markers of its removal left
    /// out, where the service is moto.
    ///
    /// # Panics
    /// When it does not list them.
    #[must_use]
    #[track_caller]
    pub fn versions(&self, key: &str) -> Vec<String> {
        let path = format!("/{BUCKET}?versions&prefix={key}");
        let list = self.direct.send("GET", &path, &[SIGNED], None).expect(200).text();
        let versions = list.split("<Version>").skip(1);
        let value = |of: &str, name: &str| {
            let (_, rest) = of.split_once(&format!("<{name}>"))?;
            Some(rest.split_once('<')?.0.to_owned())
        };
        let own = versions.filter(|it| value(it, "Key").as_deref() == Some(key));
        own.map(|it| value(it, "VersionId").expect("an id")).collect()
    }

    /// Fetches a version of an object, or removes it for good, where the service is moto.
    #[track_caller]
    pub fn version(&self, method: &str, key: &str, version: &str) -> crate::Reply {
        let path = format!("/{BUCKET}/{key}?versionId={version}");
        self.direct.send(method, &path, &[SIGNED], None)
    }

    /// Its port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The file of an object, where the service is `s3s-fs`.
    #[must_use]
    pub fn object(&self, key: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(key)
    }

    /// The keys in the bucket, where the service is `s3s-fs`.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        fn walk(folder: &Path, below: &str, keys: &mut Vec<String>) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let key = format!("{below}{}", entry.file_name().to_string_lossy());
                if entry.path().is_dir() {
                    walk(&entry.path(), &format!("{key}/"), keys);
                } else {
                    keys.push(key);
                }
            }
        }
        let mut keys = Vec::new();
        walk(&self.folder.path().join(BUCKET), "", &mut keys);
        keys.sort();
        keys
    }

    /// Parts that were uploaded and neither put together nor forgotten, where
    /// the service is `s3s-fs`.
    #[must_use]
    pub fn loose_parts(&self) -> usize {
        let names = fs::read_dir(self.folder.path()).expect("its folder").flatten();
        names.filter(|it| it.file_name().to_string_lossy().starts_with(".upload_id")).count()
    }
}

fn moto(port: u16) -> Command {
    let mut command = process::bound(python(), AtParentsEnd::Kill);
    command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
    command
}

fn s3s(port: u16, folder: &Path) -> Command {
    let mut command = process::bound("s3s-fs", AtParentsEnd::Kill);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    command.args(["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]).arg(folder);
    // Otherwise it writes about every request.
    command.env("RUST_LOG", "error");
    command
}

impl Drop for S3Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
