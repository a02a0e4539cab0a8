//! A plugin's file that is replaced or removed while a call of it runs.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use cofferdam_tests::wait_until;
use serde_json::{Value, json};

use crate::stage::{PATIENCE, Stage, component};

/// A server that says when somebody asks, and answers when it is told to.
fn patient() -> (u16, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (asked, askers) = mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            if stream.read(&mut head).is_ok() && asked.send(stream).is_err() {
                return;
            }
        }
    });
    (port, askers)
}

fn answer(mut stream: TcpStream) {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").expect("answered");
}

/// The same component, but that it says another word where a server has
/// answered: what a delivery's note says is how it is known which of the two ran.
fn renamed() -> Vec<u8> {
    let (word, other) = (b"answered ", b"rejoined ");
    let mut bytes = component("misbehaving");
    let is_word = |part: &[u8]| part == word;
    let parts = bytes.windows(word.len()).enumerate();
    let places: Vec<usize> = parts.filter(|it| is_word(it.1)).map(|it| it.0).collect();
    assert!(!places.is_empty(), "the component says the word");
    for at in places {
        bytes[at..at + other.len()].copy_from_slice(other);
    }
    bytes
}

/// Begins a backup that goes there.
fn begin(stage: &Stage, destination: &str) -> String {
    let wish = json!({ "database": "cofferdam", "destinations": [destination] });
    let made = stage.api.post("/api/v1/backups", &wish).expect(202).json();
    format!("/api/v1/backups/{}", made["id"].as_str().expect("an id"))
}

#[track_caller]
fn delivery(stage: &Stage, backup: &str, status: &str) -> Value {
    wait_until(&format!("a delivery that is {status}"), PATIENCE, || {
        let delivery = stage.api.get(backup).expect(200).json()["deliveries"][0].clone();
        (delivery["status"] == status).then_some(delivery)
    })
}

#[test]
fn a_delivery_goes_on_with_the_component_it_began_with() {
    let (port, askers) = patient();
    let host = format!("127.0.0.1:{port} private");
    let mut stage = Stage::new(std::slice::from_ref(&host));
    let target = format!("http://127.0.0.1:{port}/");
    let name = stage.destination(&json!({ "mode": "request", "target": target }));
    let restart = |builder: cofferdam_tests::console::Builder| {
        builder.env("COFFERDAM_PLUGIN_ANSWER_SECONDS", "60")
    };
    stage.console.restart_with(restart);
    stage.plugin("misbehaving.wasm", "approved");
    stage.the_good_one_works();
    let before = stage.rest();

    // Replaced while it runs.
    let first = begin(&stage, &name);
    let asker = askers.recv_timeout(PATIENCE).expect("it asks");
    let other = renamed();
    stage.drop_in("misbehaving.wasm", &other);
    let found = stage.plugin("misbehaving.wasm", "changed");
    assert_eq!(
        found["changes"],
        json!(["its file is another one, under the same version 0.1.0"]),
        "{found}"
    );
    assert_eq!(stage.api.get("/api/v1/status").expect(200).json()["plugin_calls"], 1);
    answer(asker);
    assert_eq!(delivery(&stage, &first, "completed")["note"], "answered 200: hi");

    // The next one waits for somebody to look at the new file.
    let second = begin(&stage, &name);
    let waits = delivery(&stage, &second, "blocked");
    assert_eq!(waits["error"], "the plugin misbehaving waits for approval");
    stage.the_good_one_works();
    let path = format!("/api/v1/plugins/{}/approve", found["hash"].as_str().expect("a hash"));
    let grants = json!({ "hosts": [host], "folder": stage.granted, "mail": true });
    stage.api.post(&path, &grants).expect(200);

    // Removed while it runs.
    let asker = askers.recv_timeout(PATIENCE).expect("it asks");
    fs::remove_file(stage.console.data().join("plugins/misbehaving.wasm")).expect("removed");
    stage.plugin("misbehaving.wasm", "removed");
    answer(asker);
    assert_eq!(delivery(&stage, &second, "completed")["note"], "rejoined 200: hi");
    let third = begin(&stage, &name);
    let waits = delivery(&stage, &third, "blocked");
    assert_eq!(waits["error"], "the plugin misbehaving is not there");
    // Put back, it needs no further word.
    stage.drop_in("misbehaving.wasm", &other);
    answer(askers.recv_timeout(PATIENCE).expect("it asks"));
    assert_eq!(delivery(&stage, &third, "completed")["note"], "rejoined 200: hi");
    // Whether old copies may go is looked at after each: that, too, asks the server.
    drop(askers);
    stage.nothing_is_left(before);
    stage.the_good_one_works();
}
