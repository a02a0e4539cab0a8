//! Destinations over TLS, and whose word is taken for who they are.

use std::{fs, path::Path};

use cofferdam_tests::{Certificates, Console, S3Server};

use crate::support::{SMALL, add, check, deliver, detail, settings, with};

/// A console with this setting, that may deliver to a service over TLS.
fn console(server: &S3Server, setting: Option<(&str, &Path)>) -> Console {
    let builder = Console::builder();
    let console = match setting {
        Some((name, file)) => builder.env(name, file).start(),
        None => builder.start(),
    };
    let endpoint = format!("https://127.0.0.1:{}", server.port());
    // Backups of two consoles that are made in the same second have the same name.
    let folder = setting.map_or("none", |(name, _)| name);
    let wish = with(settings(0), "path", format!("{folder}/{{filename}}"));
    add(&console.api(), &with(wish, "endpoint", endpoint));
    console
}

#[test]
fn a_certificate_is_good_if_its_authority_is_in_the_settings_or_the_systems() {
    let certificates = Certificates::make();
    let server = S3Server::moto_tls(&certificates);
    let authority = certificates.path("ca.crt");
    for name in ["COFFERDAM_PLUGIN_CA_FILE", "SSL_CERT_FILE"] {
        let console = console(&server, Some((name, &authority)));
        let api = console.api();
        assert_eq!(check(&api, true), "The bucket backups is there and may be written to");
        let backup = deliver(&api, SMALL, "completed");
        let location = backup["deliveries"][0]["location"].as_str().expect("a location");
        let head = server.head(location).expect("it is there");
        assert_eq!(head["content-length"], backup["size_bytes"].to_string(), "{name}");
    }
}

#[test]
fn a_certificate_of_an_authority_that_nobody_has_named_is_refused_in_a_sentence() {
    let (certificates, others) = (Certificates::make(), Certificates::make());
    let server = S3Server::moto_tls(&certificates);
    let other = others.path("ca.crt");
    // The other authority has the same name, and another key.
    for (setting, why) in [
        (None, "UnknownIssuer"),
        (Some(("COFFERDAM_PLUGIN_CA_FILE", &*other)), "BadSignature"),
        (Some(("SSL_CERT_FILE", &*other)), "BadSignature"),
    ] {
        let console = console(&server, setting);
        let api = console.api();
        let told = check(&api, false);
        assert!(told.contains("its certificate is not trusted"), "{told}");
        let backup = deliver(&api, SMALL, "failed");
        let delivery = &backup["deliveries"][0];
        let told = delivery["error"].as_str().expect("an error");
        assert!(told.contains("its certificate is not trusted"), "{told}");
        assert!(delivery["location"].is_null() && delivery["next_attempt_at"].is_null());
        assert_eq!(backup["status"], "completed");
        // Why, is for the administrator: in the attempt's log.
        let log = detail(&api, &backup)["history"][0]["log"].to_string();
        assert!(log.contains(&format!("invalid peer certificate: {why}")), "{log}");
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_whoever_has_signed_it() {
    let certificates = Certificates::make();
    let server = S3Server::moto_tls(&certificates);
    let authority = certificates.path("ca.crt");
    let console = Console::builder().env("COFFERDAM_PLUGIN_CA_FILE", authority).start();
    let api = console.api();
    // It is for the address alone.
    let endpoint = format!("https://localhost:{}", server.port());
    add(&api, &with(settings(0), "endpoint", endpoint));
    let told = check(&api, false);
    assert!(told.contains("its certificate is not trusted"), "{told}");
}

#[test]
fn a_file_of_authorities_that_has_none_keeps_the_console_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.pem");
    fs::write(&empty, "no certificate\n").expect("written");
    for (file, words) in
        [(empty, "has no certificate in it"), (folder.path().join("nothing.pem"), "cannot be read")]
    {
        let told = Console::builder().env("COFFERDAM_PLUGIN_CA_FILE", &file).try_start();
        let told = told.expect_err("it must not start").stderr;
        assert!(told.contains("COFFERDAM_PLUGIN_CA_FILE") && told.contains(words), "{told}");
    }
}
