//! TLS as the connection asks for it.

use std::path::PathBuf;

use cofferdam_model::{Connection, FailureKind, Format, SslMode};

use crate::{
    listener::{a_run, back_up, fail, wait},
    server::Server,
};

#[test]
fn the_server_s_certificate_is_checked_as_far_as_the_mode_says() {
    let server = Server::start();
    let authority = server.speak_tls();
    let connection = |host: &str, sslmode: SslMode, sslrootcert: Option<PathBuf>| {
        let mut postgres = server.postgres("postgres");
        (postgres.host, postgres.sslmode, postgres.sslrootcert) =
            (host.to_owned(), sslmode, sslrootcert);
        Connection::Postgres(postgres)
    };
    wait("TLS", || server.sql("postgres", "SHOW ssl") == "on");
    for good in [
        connection("localhost", SslMode::VerifyFull, Some(authority.clone())),
        connection("127.0.0.1", SslMode::VerifyCa, Some(authority.clone())),
        connection("127.0.0.1", SslMode::Require, None),
        connection("127.0.0.1", SslMode::Disable, None),
    ] {
        back_up(&good, Format::Plain);
    }
    for bad in [
        // Another name than the certificate's.
        connection("127.0.0.1", SslMode::VerifyFull, Some(authority)),
        // An authority that the system does not know.
        connection("localhost", SslMode::VerifyFull, None),
    ] {
        let (failure, _) = fail(&a_run(&bad, Format::Plain));
        assert_eq!(failure.kind, FailureKind::Connection, "{failure:?}");
        let message = "the server and the TLS settings do not fit together";
        assert_eq!(failure.message, message, "{failure:?}");
    }
}
