//! The console with a certificate of its own.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use cofferdam_tests::{
    Api, Certificates, Console, Person,
    console::{ADMIN, Builder, PASSWORD},
};

fn builder(certificates: &Certificates) -> Builder {
    let authority = fs::read(certificates.path("ca.crt")).expect("the authority");
    Console::builder()
        .env("COFFERDAM_TLS_CERTIFICATE", certificates.path("console.crt"))
        .env("COFFERDAM_TLS_KEY", certificates.path("console.key"))
        .authority(authority)
}

#[test]
fn with_its_own_certificate_all_of_it_is_https_and_cookies_are_secure() {
    let certificates = Certificates::make();
    let console = builder(&certificates).start();
    assert!(console.url().starts_with("https://127.0.0.1:"), "{}", console.url());
    let person = Person::stranger(&console);
    let reply = person.try_sign_in(ADMIN, PASSWORD).expect(303);
    let cookie = reply.header("set-cookie").expect("a cookie");
    let parts: Vec<_> = cookie.split("; ").collect();
    assert!(parts[0].starts_with("__Host-cofferdam="), "{cookie}");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(parts.contains(&part), "{part} is missing: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    for path in ["/backups", "/assets/app.css", "/healthz", "/nowhere"] {
        let reply = person.get(path);
        let hsts = reply.header("strict-transport-security").unwrap_or_default();
        assert!(hsts.starts_with("max-age=31536000"), "{path}: {hsts}");
    }
    // A change, from the console's own page.
    person.post("/account/sessions/end", &[]).expect(303);
}

#[test]
fn plain_http_is_not_answered_where_https_is_served() {
    let certificates = Certificates::make();
    let console = builder(&certificates).start();
    let plain = Api::anonymous(&console.url().replace("https://", "http://"));
    let request = b"GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = plain.raw(request, Duration::from_secs(15)).expect("the connection ends");
    let text = String::from_utf8_lossy(&answer);
    assert!(!text.contains("HTTP/") && !text.contains("<form"), "{text}");
    console.anonymous().get("/healthz").expect(200);
}

#[test]
fn the_command_line_checks_the_consoles_certificate() {
    let certificates = Certificates::make();
    let console = builder(&certificates).start();
    let mut list = console.cli();
    list.args(["backup", "list", "--server", console.url()]).env("COFFERDAM_TOKEN", "canary");
    let told = list.output().expect("it runs");
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{text}");
    assert!(text.contains("certificate") && !text.contains("canary"), "{text}");
}

#[test]
fn a_key_that_others_may_read_or_of_another_certificate_is_refused() {
    let (certificates, others) = (Certificates::make(), Certificates::make());
    let refused = |key: &Path, words: &str| {
        let told = builder(&certificates).env("COFFERDAM_TLS_KEY", key).try_start();
        let told = told.expect_err("it must not start");
        assert!(told.stderr.contains(words) && !told.stderr.contains("panicked"), "{told:?}");
    };
    refused(&others.path("console.key"), "do not fit together");
    refused(&certificates.path("nothing.key"), "nothing.key");
    let key = certificates.path("console.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("permissions");
    refused(&key, "chmod 600");
}
