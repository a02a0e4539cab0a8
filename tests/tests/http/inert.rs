//! Text that would like to be more than text.

use cofferdam_tests::{Console, Person, TestCluster};
use serde_json::json;

const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "<b hx-get=/account hx-trigger=load>x</b>",
    "javascript:alert(1)",
    "</textarea></title><svg onload=alert(1)>",
];

/// What must be nowhere on a page in this form.
const LIVE: [&str; 5] = ["<script>", "<img", "<b hx-get", "href=\"javascript:", "<svg onload"];

#[track_caller]
fn assert_inert(what: &str, html: &str) {
    for live in LIVE {
        assert!(!html.contains(live), "{what} has {live}");
    }
}

#[test]
fn descriptions_labels_and_database_names_are_shown_as_text() {
    let cluster = TestCluster::start();
    let console = Console::builder().start();
    let (api, person) = (console.api(), Person::administrator(&console));
    for (number, hostile) in HOSTILE.into_iter().enumerate() {
        let quoted = hostile.replace('"', "\"\"");
        cluster.psql("postgres", &format!("CREATE DATABASE \"{quoted}\";"));
        let wish = json!({
            "name": format!("odd-{number}"), "host": "127.0.0.1", "port": cluster.port(),
            "dbname": hostile, "user": "postgres", "password": cluster.password(),
        });
        let database = api.post("/api/v1/databases", &wish).expect(201).json();
        cluster.psql(hostile, &format!("CREATE TABLE \"{quoted}\" AS SELECT 1 AS n;"));
        let wish = json!({ "database": format!("odd-{number}"), "description": hostile });
        let id = api.post("/api/v1/backups", &wish).expect(202).json()["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let made = api.ended(&id);
        assert_eq!(
            (&made["status"], &made["description"]),
            (&json!("completed"), &json!(hostile)),
            "{made}"
        );
        let label: String = hostile.chars().filter(|c| *c != ',').take(40).collect();
        person.post(&format!("/backups/{id}/labels"), &[("labels", &label)]).expect(303);
        assert_eq!(api.get(&format!("/api/v1/backups/{id}")).json()["labels"], json!([label]));
        let database = database["id"].as_str().expect("an id");
        for path in [
            format!("/backups/{id}"),
            format!("/backups/{id}/row"),
            format!("/backups/{id}/live"),
            format!("/backups/{id}/log"),
            format!("/backups/{id}/delete"),
            format!("/databases/{database}"),
            format!("/databases/{database}/edit"),
            format!("/databases/{database}/delete"),
        ] {
            assert_inert(&path, &person.get(&path).expect(200).text());
        }
        let page = person.post(&format!("/databases/{database}/check"), &[]).expect(200).text();
        assert_inert("a check", &page);
    }
    for path in ["/", "/backups", "/databases"] {
        let page = person.get(path).expect(200).text();
        assert_inert(path, &page);
        assert!(page.contains("&lt;script&gt;"), "{path} shows the text itself");
    }
}

#[test]
fn what_is_typed_comes_back_as_text() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    for hostile in HOSTILE {
        let encoded = cofferdam_tests::person::percent(hostile);
        for path in [
            format!("/backups?q={encoded}"),
            format!("/backups?status={encoded}&database={encoded}&page={encoded}"),
            format!("/backups/new?database={encoded}"),
            format!("/login?next={encoded}"),
            format!("/{encoded}"),
            format!("/backups/{encoded}"),
            format!("/setup/{encoded}"),
        ] {
            assert_inert(&path, &person.get(&path).text());
            assert_inert(&path, &Person::stranger(&console).get(&path).text());
        }
        let fields = [
            ("name", hostile),
            ("host", hostile),
            ("port", hostile),
            ("dbname", hostile),
            ("user", hostile),
            ("sslmode", hostile),
            ("sslrootcert", hostile),
            ("path", hostile),
        ];
        for engine in ["postgres", "sqlite", hostile] {
            let page = person
                .post("/databases", &[&fields[..], &[("engine", engine)]].concat())
                .expect(422);
            assert_inert("the form of a database", &page.text());
        }
        let page = person
            .post(
                "/backups",
                &[
                    ("database", hostile),
                    ("description", hostile),
                    ("compression_level", hostile),
                    ("format", hostile),
                ],
            )
            .expect(422);
        assert_inert("the form of a backup", &page.text());
        let page = Person::stranger(&console).try_sign_in(hostile, hostile);
        assert_inert("the sign-in page", &page.text());
    }
}

#[test]
fn characters_that_hide_or_turn_text_are_refused() {
    let console = Console::builder().start();
    let api = console.api();
    let made = api.back_up("cofferdam");
    let person = Person::administrator(&console);
    let labels = format!("/backups/{}/labels", made["id"].as_str().expect("an id"));
    for bad in [
        "a\0b",
        "a\r\nSet-Cookie: x=y",
        "a\nb",
        "\u{202e}txt.exe",
        "a\u{1b}[31m",
        "a\u{2066}b",
        "a\u{feff}b",
    ] {
        let wish = json!({ "database": "cofferdam", "description": bad });
        let problem = api.post("/api/v1/backups", &wish).expect(422).json();
        assert_eq!(problem["errors"][0]["field"], "description", "{bad:?}");
        person.post("/backups", &[("database", "cofferdam"), ("description", bad)]).expect(422);
        person.post(&labels, &[("labels", bad)]).expect(422);
        let wish = json!({ "name": bad, "path": "/tmp/x.db" });
        api.post("/api/v1/databases", &wish).expect(422);
    }
    for (field, bad) in [
        ("dbname", "a\0b"),
        ("user", "a\0b"),
        ("host", "a\r\nb"),
        ("dbname", "a\nb"),
        ("user", "a\u{202e}b"),
        ("host", "a\u{202e}b"),
        ("sslrootcert", "/a\nb"),
    ] {
        let mut wish = json!({ "name": "x", "host": "h", "dbname": "d", "user": "u" });
        wish[field] = bad.into();
        let reply = api.post("/api/v1/databases", &wish);
        if reply.status == 201 {
            // A name that the server may have: then nothing of it reaches a log line as it is.
            assert!(
                !reply.json()["summary"]
                    .as_str()
                    .is_some_and(|it| it.contains(['\n', '\r', '\u{202e}'])),
                "{field}: {}",
                reply.text()
            );
            api.delete("/api/v1/databases/x").expect(204);
        } else {
            reply.expect(422);
        }
    }
    assert_eq!(api.get("/api/v1/backups").json()["total"], 1);
    let many = (0..21).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    person.post(&labels, &[("labels", &many)]).expect(422);
    person.post(&labels, &[("labels", &"x".repeat(41))]).expect(422);
    person.post(&labels, &[("labels", " weekly , before move ,, ")]).expect(303);
    let labels = api
        .get(&format!("/api/v1/backups/{}", made["id"].as_str().expect("an id")))
        .json()["labels"]
        .clone();
    assert_eq!(labels, json!(["before move", "weekly"]));
}
