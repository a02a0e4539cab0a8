//! Mail through the relay of the settings, with Python's own SMTP server as the relay.

use std::{
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use cofferdam_tests::{Console, wait_until};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);

/// A relay that prints what it is sent.
struct Relay {
    child: Child,
    port: u16,
    said: Arc<Mutex<String>>,
}

impl Relay {
    fn start() -> Self {
        let port = free_port();
        let place = format!("127.0.0.1:{port}");
        let mut child = Command::new("python3")
            .args(["-u", "-W", "ignore", "-m", "smtpd", "-n", "-c", "DebuggingServer", &place])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("python3");
        let said = Arc::new(Mutex::new(String::new()));
        let (output, shared) = (child.stdout.take().expect("its output"), said.clone());
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let mut said = shared.lock().unwrap_or_else(PoisonError::into_inner);
                said.push_str(&line);
                said.push('\n');
            }
        });
        wait_until("the relay", PATIENCE, || TcpStream::connect(&place).ok());
        Self { child, port, said }
    }

    fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn console(port: u16) -> Console {
    Console::builder()
        .env("COFFERDAM_MAIL_HOST", "127.0.0.1")
        .env("COFFERDAM_MAIL_PORT", port.to_string())
        .env("COFFERDAM_MAIL_TLS", "none")
        .env("COFFERDAM_MAIL_FROM", "Cofferdam <backup@example.org>")
        .start()
}

#[test]
fn word_of_a_backup_goes_out_as_mail_once_that_is_granted() {
    let relay = Relay::start();
    let console = console(relay.port);
    let api = console.api();
    let mut wish =
        json!({ "plugin": "email", "name": "ops", "settings": { "to": ["ops@example.org"] } });
    let made = api.post("/api/v1/destinations", &wish).expect(201).json();
    assert!(made["problem"].as_str().expect("a problem").contains("may not send mail"), "{made}");
    api.delete("/api/v1/destinations/ops").expect(204);
    wish["grant"] = true.into();
    let made = api.post("/api/v1/destinations", &wish).expect(201).json();
    assert!(made["problem"].is_null(), "{made}");

    let tested = api.post("/api/v1/destinations/ops/test", &json!({})).expect(200).json();
    assert_eq!(tested["ok"], true, "{tested}");
    wait_until("the test mail", PATIENCE, || relay.said().contains("Test of ops").then_some(()));
    api.back_up("cofferdam");
    let said = wait_until("the mail", PATIENCE, || {
        Some(relay.said()).filter(|it| it.contains("Backup of cofferdam completed"))
    });
    for part in
        ["From: Cofferdam <backup@example.org>", "To: ops@example.org", "Message-ID: <", "Date: "]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_silent_relay_delays_the_mail_and_not_the_backup() {
    // It takes connections and never says a word.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let console = console(listener.local_addr().expect("an address").port());
    let api = console.api();
    let wish = json!({
        "plugin": "email", "name": "ops", "grant": true, "settings": { "to": ["ops@example.org"] },
    });
    api.post("/api/v1/destinations", &wish).expect(201);
    let first = api.back_up("cofferdam");
    let second = api.back_up("cofferdam");
    assert_eq!((&first["status"], &second["status"]), (&"completed".into(), &"completed".into()));
    let path = format!("/api/v1/backups/{}", first["id"].as_str().expect("an id"));
    let waiting = api.get(&path).expect(200).json();
    let status = waiting["deliveries"][0]["status"].as_str().expect("a status").to_owned();
    assert!(["pending", "running", "retrying"].contains(&status.as_str()), "{waiting}");
}
