//! Every command against a console that runs elsewhere.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

use cofferdam_tests::{Console, TestCluster};
use serde_json::json;

use crate::shell::Shell;

fn at(console: &Console) -> Shell {
    let token = console.api().token().expect("a token").to_owned();
    Shell::new().env("COFFERDAM_SERVER", console.url()).env("COFFERDAM_TOKEN", token)
}

#[test]
fn each_command_works_from_afar_as_it_does_at_home() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 50);
    let console = Console::builder().start();
    let shell = at(&console);
    let url = format!("postgres://postgres@127.0.0.1:{}/shop", cluster.port());
    let added = shell
        .run_with(
            &["database", "add", &url, "--password-stdin"],
            &format!("{}\n", cluster.password()),
        )
        .expect(0);
    assert!(added.out.starts_with("shop was added"), "{}", added.out);
    assert!(shell.run(&["database", "list"]).expect(0).out.contains("shop"));
    assert!(
        shell.run(&["database", "check", "shop"]).expect(0).out.contains("A backup would work.")
    );
    let made = shell
        .run(&["backup", "create", "shop", "--description", "from afar", "--json"])
        .expect(0)
        .json();
    assert_eq!(
        (&made["status"], &made["trigger"], &made["created_by"]),
        (&json!("completed"), &json!("api"), &json!("admin"))
    );
    let id = made["id"].as_str().expect("an id");
    assert!(shell.run(&["backup", "create", "shop"]).expect(0).out.contains("backup_shop_"));
    assert!(shell.run(&["backup", "list"]).expect(0).out.contains(id));
    assert_eq!(
        shell.run(&["backup", "list", "--json", "-q", "from afar"]).expect(0).json()["total"],
        1
    );
    let shown = shell.run(&["backup", "show", id]).expect(0);
    assert!(shown.out.contains("from afar"), "{}", shown.out);
    assert!(shell.run(&["backup", "show", id, "--json"]).expect(0).json()["log"].is_array());
    shell.run(&["backup", "download", id, "-o", "copy"]).expect(0);
    assert_eq!(
        std::fs::metadata(shell.path("copy")).expect("the copy").len(),
        made["size_bytes"].as_u64().expect("a size")
    );
    shell.run(&["backup", "cancel", id]).expect(1).says("over already");
    shell.run(&["backup", "delete", id, "--yes"]).expect(0);
    shell.run(&["backup", "show", id]).expect(1).says("no such backup");
    shell.run(&["database", "remove", "shop", "--yes"]).expect(0);
    shell.run(&["user", "list"]).expect(2).says("own machine");
    assert!(!shell.path("data").exists(), "nothing is made here");
}

#[test]
fn what_is_wrong_there_is_told_here() {
    let console = Console::builder().start();
    let shell = at(&console);
    shell.run(&["backup", "create", "nothing"]).expect(2).says("no such database");
    shell.run(&["backup", "list", "--limit", "0"]).expect(2).says("limit");
    for id in ["x", "../databases", "a/b?c=d#e"] {
        shell.run(&["backup", "show", id]).expect(1).says("no such backup");
    }
    let gone = format!("sqlite:{}", console.folder().join("no.db").display());
    shell.run(&["database", "add", &gone, "--name", "gone"]).expect(0);
    let failed = shell.run(&["backup", "create", "gone"]).expect(1);
    assert!(failed.err.starts_with("cofferdam: ") && failed.out.is_empty(), "{}", failed.err);
}

#[test]
fn a_console_that_is_not_there_or_does_not_know_one_is_a_sentence() {
    let console = Console::builder().start();
    let port =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let server = format!("http://127.0.0.1:{port}");
    for (server, token, code, said) in [
        (
            console.url(),
            Some("wrong"),
            1,
            "not valid or has expired\nHINT: POST /api/v1/auth/login",
        ),
        (console.url(), None, 2, "--server needs a token"),
        (server.as_str(), Some("t"), 1, "cannot be reached"),
        ("ftp://x", Some("t"), 2, "not an address"),
        ("not an address", Some("t"), 2, "not an address"),
    ] {
        let mut shell = Shell::new().env("COFFERDAM_SERVER", server);
        if let Some(token) = token {
            shell = shell.env("COFFERDAM_TOKEN", token);
        }
        shell.run(&["backup", "list"]).expect(code).says(said);
    }
    let help = Shell::new()
        .env("COFFERDAM_SERVER", "http://h")
        .env("COFFERDAM_TOKEN", "canary-token")
        .run(&["--help"])
        .expect(0);
    assert!(!help.out.contains("canary-token"), "{}", help.out);
}

#[test]
fn a_redirect_of_a_console_is_not_followed() {
    let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let (console, elsewhere) = (listen(), listen());
    let address = |listener: &TcpListener| listener.local_addr().expect("an address");
    let (server, target) = (format!("http://{}", address(&console)), address(&elsewhere));
    let answered = thread::spawn(move || {
        let (mut stream, _) = console.accept().expect("a connection");
        let _ = stream.read(&mut [0; 4096]).expect("a request");
        let answer = format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{target}/\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).expect("sent");
    });
    let shell = Shell::new().env("COFFERDAM_SERVER", &server).env("COFFERDAM_TOKEN", "canary");
    let told = shell.run(&["backup", "list"]).expect(1);
    assert!(!told.err.contains("canary"), "{}", told.err);
    answered.join().expect("it was asked");
    elsewhere.set_nonblocking(true).expect("set");
    assert!(elsewhere.accept().is_err(), "nobody came with the token");
}
