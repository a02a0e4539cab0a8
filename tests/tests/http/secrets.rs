//! Secrets stay where they belong, looked for wherever they could have gone.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use cofferdam_tests::{
    Console, Person, TestCluster,
    console::{ADMIN, PASSWORD},
    held,
};
use serde_json::json;

const ROLE: &str = "canary-role-7d1e";

/// Every file below a folder that holds one of the secrets.
fn search(folder: &Path, secrets: &[(&str, String)]) -> Vec<String> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(search(&path, secrets));
            continue;
        }
        let content = fs::read(&path).unwrap_or_default();
        for (what, secret) in secrets {
            if contains(&content, secret) {
                found.push(format!("{what} in {}", path.display()));
            }
        }
    }
    found
}

fn contains(content: &[u8], secret: &str) -> bool {
    content.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// Arguments and environment of every process that belongs to the console.
fn look_at_children(parent: u32, seen: &mut usize, secrets: &[(&str, String)]) {
    let program = |pid: u32| fs::read_link(format!("/proc/{pid}/exe")).ok();
    let console = program(parent);
    let mut waiting = vec![parent];
    while let Some(pid) = waiting.pop() {
        for (child, name) in held::children(pid) {
            // For a moment after its birth, a child is still the console itself.
            if program(child) == console {
                continue;
            }
            *seen += 1;
            waiting.push(child);
            for file in ["cmdline", "environ"] {
                let content = fs::read(format!("/proc/{child}/{file}")).unwrap_or_default();
                for (what, secret) in secrets {
                    assert!(!contains(&content, secret), "{what} in {file} of {name}");
                }
            }
        }
    }
}

#[test]
fn no_secret_shows_in_logs_answers_processes_or_files() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    cluster.psql(
        "postgres",
        &format!("CREATE ROLE saver LOGIN PASSWORD '{ROLE}' IN ROLE pg_read_all_data;"),
    );
    let console = Console::builder().env("COFFERDAM_LOG", "debug").start();
    let (api, person) = (console.api(), Person::administrator(&console));
    let cookie = person.cookie().expect("a cookie");
    let cookie = cookie.split_once('=').expect("a value").1.to_owned();
    let master =
        fs::read_to_string(console.data().join("master.key")).expect("the key").trim().to_owned();
    let secrets = [
        ("the role's password", ROLE.to_owned()),
        ("the administrator's password", PASSWORD.to_owned()),
        ("the bearer token", api.token().expect("a token").to_owned()),
        ("the cookie", cookie),
        ("the form's token", person.token()),
        ("the master key", master),
    ];
    let wish = json!({ "name": "wide", "host": "127.0.0.1", "port": cluster.port(), "dbname": "wide", "user": "saver", "password": ROLE });
    let mut answers = vec![api.post("/api/v1/databases", &wish).expect(201)];

    let created = api.post("/api/v1/backups", &json!({ "database": "wide" })).expect(202).json();
    let id = created["id"].as_str().expect("an id").to_owned();
    let (mut seen, start) = (0, Instant::now());
    while start.elapsed() < Duration::from_mins(1) {
        look_at_children(console.pid(), &mut seen, &secrets);
        let status = api.get(&format!("/api/v1/backups/{id}/status")).json()["status"].clone();
        if status != "pending" && status != "running" {
            break;
        }
    }
    assert!(seen > 0, "no child was seen");
    let made = api.ended(&id);
    assert_eq!(made["status"], "completed", "{made}");
    // A wrong password, whose refusal the server and psql put into words.
    cluster.psql("postgres", "ALTER ROLE saver PASSWORD 'another one';");
    let failed = api.back_up("wide");
    assert_eq!(failed["error"]["kind"], "authentication", "{failed}");
    let failed = failed["id"].as_str().expect("an id");

    for path in [
        "/api/v1/databases",
        "/api/v1/databases/wide",
        "/api/v1/backups",
        "/api/v1/status",
        "/api/v1/backups/stats",
    ] {
        answers.push(api.get(path).expect(200));
    }
    for id in [&id, failed] {
        for part in ["", "/status", "/log", "/events"] {
            answers.push(api.get(&format!("/api/v1/backups/{id}{part}")).expect(200));
        }
        for part in ["", "/log", "/row", "/live", "/delete"] {
            answers.push(person.get(&format!("/backups/{id}{part}")).expect(200));
        }
    }
    answers.push(api.post("/api/v1/databases/wide/check", &json!({})).expect(502));
    let database = answers[0].json()["id"].as_str().expect("an id").to_owned();
    for path in [
        "/".to_owned(),
        "/databases".to_owned(),
        format!("/databases/{database}"),
        format!("/databases/{database}/edit"),
        "/account".to_owned(),
    ] {
        answers.push(person.get(&path).expect(200));
    }
    answers.push(person.post(&format!("/databases/{database}/check"), &[]).expect(200));
    for reply in &answers {
        for (what, secret) in &secrets {
            // A page's own forms have its session's token.
            let own = *what == "the form's token" && reply.text().contains("<form");
            assert!(own || !contains(&reply.body, secret), "{what} in {}", reply.text());
        }
    }
    let log = format!("{}{}", console.stdout(), console.stderr());
    for (what, secret) in &secrets {
        assert!(!contains(log.as_bytes(), secret), "{what} in the log");
    }
    let found = search(&console.data(), &secrets);
    let expected = [format!("the master key in {}", console.data().join("master.key").display())];
    // The form's token is part of the session's state, which only the catalog holds.
    let found: Vec<_> = found
        .into_iter()
        .filter(|it| !it.starts_with("the form's token in") || !it.contains("catalog.db"))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(console.catalog(&format!("SELECT count(*) FROM users WHERE username = '{ADMIN}' AND password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%';")), "1");
    let left: Vec<_> = fs::read_dir("/tmp")
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().contains("pgpass"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    for environment in ["environ", "cmdline"] {
        let own = fs::read(format!("/proc/{}/{environment}", console.pid())).expect("it runs");
        assert!(!contains(&own, ROLE));
    }
}

#[test]
fn a_database_given_by_the_environment_hands_its_password_to_no_child() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let console = Console::builder().env("DATABASE_URL", cluster.url("wide")).start();
    let api = console.api();
    let secrets = [
        ("the server's password", cluster.password().to_owned()),
        ("the administrator's password", PASSWORD.to_owned()),
    ];
    let (id, held) = held::hold_backup(&console, &api, &json!({ "database": "wide" }));
    let mut seen = 0;
    look_at_children(console.pid(), &mut seen, &secrets);
    assert!(seen > 0);
    let processes = Command::new("ps").args(["-ewwo", "args"]).output().expect("ps").stdout;
    assert!(!contains(&processes, cluster.password()));
    held.release();
    assert_eq!(api.ended(&id)["status"], "completed");
    assert_eq!(search(&console.data(), &secrets), Vec::<String>::new());
}
