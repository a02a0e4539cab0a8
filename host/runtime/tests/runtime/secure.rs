//! TLS: who is believed, and who is not.

use std::{path::Path, process::Command, sync::Arc};

use cofferdam_runtime::{CertificateDer, Limits, Runtime, RuntimeSettings};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::support::{Ear, call, compiler, component, grant};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret";

/// A certificate for `localhost`, made by nobody that the system knows.
fn certificate(folder: &Path) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    openssl.args(["-addext", "subjectAltName=DNS:localhost"]);
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output();
    assert!(made.expect("openssl is there").status.success());
    (
        CertificateDer::from_pem_file(certificate).expect("a certificate"),
        PrivateKeyDer::from_pem_file(key).expect("a key"),
    )
}

async fn server(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut head = [0; 1024];
                let _ = stream.read(&mut head).await;
                let _ = stream.write_all(ANSWER).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    port
}

async fn get(host: &str, port: u16, roots: Vec<CertificateDer<'static>>) -> (String, Arc<Ear>) {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let limits = Limits::default();
    let settings = RuntimeSettings { cache, compiler: compiler(), limits, roots };
    let runtime = Runtime::new(settings).expect("a runtime");
    let plugin = runtime.load(component()).await.expect("a plugin");
    let (mut call, ear) = call(json!({ "do": "get", "url": format!("https://{host}:{port}/") }));
    call.grants.hosts.push(grant(host, port, true));
    let result = plugin.check(call).await.result;
    (result.unwrap_or_else(|error| error.to_string()), ear)
}

#[tokio::test]
async fn a_certificate_is_believed_only_if_its_authority_is_known_and_its_name_fits() {
    let folder = tempfile::tempdir().expect("a folder");
    let (certificate, key) = certificate(folder.path());
    let port = server(certificate.clone(), key).await;

    let (answer, ear) = get("localhost", port, vec![certificate.clone()]).await;
    assert_eq!(answer, "200 secret", "{:?}", ear.lines());

    let (answer, ear) = get("localhost", port, Vec::new()).await;
    assert_eq!(answer, "ErrorCode::TlsCertificateError");
    let line = format!("connecting to localhost:{port} failed: invalid peer certificate");
    assert!(ear.lines()[0].starts_with(&line), "{:?}", ear.lines());

    let (answer, _) = get("127.0.0.1", port, vec![certificate]).await;
    assert_eq!(answer, "ErrorCode::TlsCertificateError");
}
