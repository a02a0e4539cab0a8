//! Mail through the relay of the settings, which is somebody else's server.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use cofferdam_tests::{
    Api, Certificates, Console, MailRelay,
    console::Builder,
    mail_relay::{PASSWORD, USER, header},
    wait_until,
};
use serde_json::{Value, json};

use crate::support::{SMALL, deliver, detail, path};

fn builder(port: u16) -> Builder {
    Console::builder()
        .env("COFFERDAM_MAIL_HOST", "127.0.0.1")
        .env("COFFERDAM_MAIL_PORT", port.to_string())
        .env("COFFERDAM_MAIL_TLS", "none")
        .env("COFFERDAM_MAIL_FROM", "Cofferdam <backup@example.org>")
}

/// Adds a destination that mails to these about everything.
fn add(api: &Api, to: &[&str]) -> Value {
    let wish = json!({
        "plugin": "email", "name": "ops", "grant": true,
        "settings": { "to": to },
    });
    api.post("/api/v1/destinations", &wish).expect(201).json()
}

#[test]
fn word_of_a_backup_goes_out_as_mail_once_that_is_granted() {
    let relay = MailRelay::plain();
    let console = builder(relay.port()).start();
    let api = console.api();
    let mut wish =
        json!({ "plugin": "email", "name": "ops", "settings": { "to": ["ops@example.org"] } });
    let made = api.post("/api/v1/destinations", &wish).expect(201).json();
    assert!(made["problem"].as_str().expect("a problem").contains("may not send mail"), "{made}");
    api.delete("/api/v1/destinations/ops").expect(204);
    wish["grant"] = true.into();
    let made = add(&api, &["ops@example.org", "dba@example.org"]);
    assert!(made["problem"].is_null(), "{made}");

    let tested = api.post("/api/v1/destinations/ops/test", &json!({})).expect(200).json();
    assert_eq!(tested["ok"], true, "{tested}");
    let _ = relay.mail("Test of ops");
    let backup = deliver(&api, SMALL, "completed");
    assert_eq!(backup["deliveries"][0]["note"], "sent to 2 addresses");
    let mail = relay.mail("Backup of cofferdam completed");
    assert_eq!(mail["from"], "backup@example.org");
    assert_eq!(mail["to"], json!(["ops@example.org", "dba@example.org"]));
    assert_eq!(mail["type"], "multipart/alternative");
    assert_eq!(header(&mail, "From").as_deref(), Some("Cofferdam <backup@example.org>"));
    for name in ["Date", "Message-ID"] {
        assert!(header(&mail, name).is_some_and(|it| !it.is_empty()), "{name}: {mail}");
    }
    // Both parts have the facts; neither is in the other's clothes.
    let (text, html) = (mail["text"].as_str().expect("text"), mail["html"].as_str().expect("HTML"));
    for fact in
        [backup["filename"].as_str().expect("a name"), backup["sha256"].as_str().expect("a sum")]
    {
        assert!(text.contains(fact) && html.contains(fact), "{fact}: {mail}");
    }
    assert!(!text.contains('<') && html.starts_with("<!doctype html>"), "{mail}");
}

#[test]
fn a_relay_is_spoken_to_in_tls_with_a_login_and_only_where_it_can_be_trusted() {
    let certificates = Certificates::make();
    let relay = MailRelay::secure(&certificates);
    let secure = |authority: &Path, password: &str| {
        let console = builder(relay.port())
            .env("COFFERDAM_MAIL_TLS", "starttls")
            .env("COFFERDAM_MAIL_USER", USER)
            .env("COFFERDAM_MAIL_PASSWORD", password)
            .env("SSL_CERT_FILE", authority)
            .start();
        add(&console.api(), &["ops@example.org"]);
        console
    };
    let console = secure(&certificates.path("ca.crt"), PASSWORD);
    let backup = deliver(&console.api(), SMALL, "completed");
    assert_eq!(backup["deliveries"][0]["note"], "sent to 1 address");
    let mail = relay.mail("Backup of cofferdam completed");
    assert_eq!((&mail["tls"], &mail["login"]), (&true.into(), &true.into()));

    // Somebody else's authority: not a word, and not the password either.
    let others = Certificates::make();
    let console = secure(&others.path("ca.crt"), PASSWORD);
    deliver(&console.api(), SMALL, "retrying");
    // A wrong password is not tried again and again.
    let console = secure(&certificates.path("ca.crt"), "canary-wrong-password");
    let backup = deliver(&console.api(), SMALL, "failed");
    let told = backup["deliveries"][0]["error"].as_str().expect("an error");
    assert!(told.starts_with("the mail relay refused it: ") && !told.contains("canary"), "{told}");
    assert_eq!(relay.taken().len(), 1);
}

#[test]
fn a_relay_that_speaks_tls_from_the_first_byte_gets_its_password_from_a_file() {
    let certificates = Certificates::make();
    let relay = MailRelay::wrapped(&certificates);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    fs::write(&file, format!("{PASSWORD}\n")).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
    let wrapped = builder(relay.port())
        .env("COFFERDAM_MAIL_TLS", "tls")
        .env("COFFERDAM_MAIL_USER", USER)
        .env("COFFERDAM_MAIL_PASSWORD_FILE", &file);
    // The authority of plugins' connections is good for the relay's as well.
    let authority = certificates.path("ca.crt");
    let console = wrapped.clone().env("COFFERDAM_PLUGIN_CA_FILE", authority).start();
    add(&console.api(), &["ops@example.org"]);
    let backup = deliver(&console.api(), SMALL, "completed");
    assert_eq!(backup["deliveries"][0]["note"], "sent to 1 address");
    let mail = relay.mail("Backup of cofferdam completed");
    assert_eq!((&mail["tls"], &mail["login"]), (&true.into(), &true.into()));

    // Without it nobody has signed the relay's certificate: not a word.
    let console = wrapped.clone().start();
    add(&console.api(), &["ops@example.org"]);
    let backup = deliver(&console.api(), SMALL, "retrying");
    let told = backup["deliveries"][0]["error"].as_str().expect("an error");
    assert!(told.starts_with("the mail relay: ") && told.contains("certificate"), "{told}");
    // It is no relay for who begins without TLS.
    let console = wrapped.clone().env("COFFERDAM_MAIL_TLS", "starttls").start();
    add(&console.api(), &["ops@example.org"]);
    let waiting = console.api().back_up(SMALL);
    assert_eq!(waiting["status"], "completed");
    assert_eq!(relay.taken().len(), 1);

    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("permissions");
    let told = wrapped.try_start().expect_err("others can read it").stderr;
    assert!(told.contains("COFFERDAM_MAIL_PASSWORD_FILE") && !told.contains(PASSWORD), "{told}");
}

#[test]
fn a_recipient_that_would_be_a_header_is_refused_and_nothing_is_sent() {
    let relay = MailRelay::plain();
    let console = builder(relay.port()).start();
    let api = console.api();
    add(&api, &["ops@example.org", "ops@example.org\r\nBcc: everybody@example.org"]);
    let told = api.post("/api/v1/destinations/ops/check", &json!({})).expect(200).json();
    assert_eq!(
        (&told["ok"], &told["errors"][0]["field"]),
        (&false.into(), &"settings.to.1".into())
    );
    let backup = deliver(&api, SMALL, "failed");
    let told = backup["deliveries"][0]["error"].as_str().expect("an error");
    assert!(told.contains("is no mail address"), "{told}");
    assert!(!told.contains(['\r', '\n']), "{told}");

    let prefix = json!({ "settings": { "to": ["ops@example.org"], "subject_prefix": "x\r\nBcc: everybody@example.org" } });
    api.patch("/api/v1/destinations/ops", &prefix).expect(200);
    let told = api.post("/api/v1/destinations/ops/test", &json!({})).expect(200).json();
    assert_eq!(told["ok"], false, "{told}");
    assert!(relay.taken().is_empty());
}

#[test]
fn what_the_relay_refuses_for_now_is_tried_again_and_for_good_is_not() {
    let relay = MailRelay::plain();
    let console = builder(relay.port()).start();
    let api = console.api();
    add(&api, &["busy@example.org"]);
    let waiting = deliver(&api, SMALL, "retrying");
    let told = detail(&api, &waiting)["history"][0]["outcome"].clone();
    assert_eq!(told, "temporary");
    let change = json!({ "settings": { "to": ["nobody@example.org"] } });
    api.patch("/api/v1/destinations/ops", &change).expect(200);
    let failed = deliver(&api, SMALL, "failed");
    let told = failed["deliveries"][0]["error"].as_str().expect("an error");
    assert!(told.contains("There is no such user"), "{told}");
    assert_eq!(api.get(&path(&failed)).expect(200).json()["status"], "completed");
}

#[test]
fn a_silent_relay_delays_the_mail_and_not_the_backup() {
    // It takes connections and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let console = builder(listener.local_addr().expect("an address").port()).start();
    let api = console.api();
    add(&api, &["ops@example.org"]);
    let first = api.back_up(SMALL);
    let second = api.back_up(SMALL);
    assert_eq!((&first["status"], &second["status"]), (&"completed".into(), &"completed".into()));
    let waiting = api.get(&path(&first)).expect(200).json();
    let status = waiting["deliveries"][0]["status"].as_str().expect("a status").to_owned();
    assert!(["pending", "running", "retrying"].contains(&status.as_str()), "{waiting}");
}

#[test]
fn a_silent_relay_is_given_up_in_a_sentence_and_called_again_later() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let console = builder(listener.local_addr().expect("an address").port()).start();
    let api = console.api();
    add(&api, &["ops@example.org"]);
    let made = api.back_up(SMALL);
    // No word of anything takes longer than a minute.
    let backup = wait_until("the end of the call", Duration::from_secs(100), || {
        let backup = api.get(&path(&made)).expect(200).json();
        (backup["deliveries"][0]["status"] == "retrying").then_some(backup)
    });
    let delivery = &backup["deliveries"][0];
    let told = delivery["error"].as_str().expect("an error");
    assert_eq!(told, "the mail relay does not answer");
    let next = delivery["next_attempt_at"].as_str().expect("a time");
    let next: chrono::DateTime<chrono::Utc> = next.parse().expect("a time");
    let wait = (next - chrono::Utc::now()).num_seconds();
    assert!((30..=60).contains(&wait), "{wait} s");
    let first = detail(&api, &backup)["history"][0].clone();
    assert_eq!((&first["number"], &first["outcome"]), (&1.into(), &"temporary".into()));
    // The backup is none the worse for it.
    assert_eq!((&backup["status"], &backup["error"]), (&"completed".into(), &Value::Null));
    let download = api.get(&format!("{}/download", path(&backup))).expect(200);
    assert_eq!(backup["size_bytes"], download.body.len());
}
