//! Databases in the API: added, changed, checked, removed.

use cofferdam_tests::{Console, Person, TestCluster};
use serde_json::{Value, json};

/// The fields that a 422 names.
fn wrong_fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().filter_map(|it| it["field"].as_str()).collect()
}

#[test]
fn a_database_is_added_found_by_id_and_name_changed_and_removed() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 50);
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({
        "name": "till", "host": "127.0.0.1", "port": cluster.port(), "dbname": "shop",
        "user": "postgres", "password": cluster.password(),
    });
    let answer = api.post("/api/v1/databases", &wish).expect(201);
    let added = answer.json();
    let id = added["id"].as_str().expect("an id");
    assert_eq!(answer.header("location"), Some(format!("/api/v1/databases/{id}").as_str()));
    assert_eq!((&added["name"], &added["engine"]), (&json!("till"), &json!("postgres")));
    assert_eq!(added["connection"]["has_password"], true);
    assert!(!answer.text().contains(cluster.password()));

    let record = api.get(&format!("/api/v1/databases/{id}")).expect(200).json();
    for (name, value) in record.as_object().expect("an object") {
        assert_eq!(&added[name], value, "{name}");
    }
    assert_eq!(api.get("/api/v1/databases/till").expect(200).json(), record);
    let list = api.get("/api/v1/databases").expect(200).json();
    let names: Vec<_> =
        list["databases"].as_array().expect("a list").iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["cofferdam", "till"]);

    let found = api.post("/api/v1/databases/till/check", &json!({})).expect(200).json();
    assert_eq!(found["ok"], true, "{found}");
    assert!(found["server_version"].is_string() && found["tables"].as_u64() > Some(0), "{found}");
    assert_eq!(api.back_up("till")["status"], "completed");

    let changed =
        api.patch("/api/v1/databases/till", &json!({ "name": "counter" })).expect(200).json();
    assert_eq!((&changed["name"], &changed["id"]), (&json!("counter"), &added["id"]));
    assert_eq!(changed["connection"], added["connection"], "what is left out keeps its value");
    assert_eq!(api.back_up("counter")["status"], "completed");

    assert!(api.delete("/api/v1/databases/counter").expect(204).body.is_empty());
    api.get(&format!("/api/v1/databases/{id}")).expect(404);
    api.get("/api/v1/databases/counter").expect(404);
    assert_eq!(api.get("/api/v1/backups?database=till").expect(200).json()["total"], 1);
}

#[test]
fn every_wrong_field_of_a_database_is_named() {
    let console = Console::builder().start();
    let api = console.api();
    let add = |body: Value| api.post("/api/v1/databases", &body).expect(422).json();
    assert_eq!(wrong_fields(&add(json!({}))), ["host", "dbname", "user"]);
    let good = json!({ "host": "h", "dbname": "d", "user": "u" });
    for (field, value) in [
        ("port", json!(0)),
        ("port", json!(65_536)),
        ("sslmode", json!("sometimes")),
        ("sslrootcert", json!("relative.pem")),
        ("engine", json!("oracle")),
        ("host", json!("a,b")),
        ("host", json!("a\nb")),
        ("dbname", json!("a\u{0}b")),
        ("user", json!("x".repeat(2000))),
        ("name", json!("-f")),
        ("name", json!("Großes")),
        ("name", json!("cofferdam")),
        ("url", json!("mysql://h/d")),
        ("url", json!("postgres://h/d?service=x")),
        ("url", json!("postgres://h/d?passfile=/etc/shadow")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        assert_eq!(wrong_fields(&add(body)), [field], "{value}");
    }
    assert_eq!(api.get("/api/v1/databases").json()["databases"].as_array().map(Vec::len), Some(1));
}

#[test]
fn names_that_look_like_options_or_connection_strings_are_names() {
    let cluster = TestCluster::start();
    let console = Console::builder().start();
    let api = console.api();
    for (number, name) in
        ["-f/tmp/x", "a=b", "postgres://h/d", "dbname=postgres host=evil", "sp ace'\"\\", "--help"]
            .into_iter()
            .enumerate()
    {
        cluster.psql("postgres", &format!("CREATE DATABASE \"{}\";", name.replace('"', "\"\"")));
        let slug = format!("odd-{number}");
        let wish = json!({
            "name": slug, "host": "127.0.0.1", "port": cluster.port(), "dbname": name,
            "user": "postgres", "password": cluster.password(),
        });
        api.post("/api/v1/databases", &wish).expect(201);
        let made = api.back_up(&slug);
        assert_eq!(made["status"], "completed", "{name}: {made}");
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_a_bad_gateway_with_its_kind() {
    let console = Console::builder().start();
    let api = console.api();
    let port = xtask::process::free_port().expect("a port");
    let wish =
        json!({ "name": "far", "host": "127.0.0.1", "port": port, "dbname": "d", "user": "u" });
    api.post("/api/v1/databases", &wish).expect(201);
    let problem = api.post("/api/v1/databases/far/check", &json!({})).expect(502).json();
    assert_eq!(
        (&problem["status"], &problem["kind"]),
        (&json!(502), &json!("connection")),
        "{problem}"
    );
    let failed = api.back_up("far");
    assert_eq!(failed["error"]["kind"], "connection", "{failed}");
}

#[test]
fn a_stored_password_is_not_sent_to_another_host() {
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({ "name": "db", "host": "127.0.0.1", "dbname": "d", "user": "u", "password": "canary" });
    api.post("/api/v1/databases", &wish).expect(201);
    for change in [json!({ "host": "evil.example" }), json!({ "port": 6000 })] {
        let problem = api.patch("/api/v1/databases/db", &change).expect(422).json();
        assert_eq!(wrong_fields(&problem), ["password"], "{change}");
    }
    // The same by way of a URL that has no password of its own.
    let url = json!({ "url": "postgres://u@evil.example/d" });
    let changed = api.patch("/api/v1/databases/db", &url).expect(200).json();
    assert_eq!(changed["connection"]["has_password"], false);
}

#[test]
fn a_new_database_is_looked_at_at_once_and_stored_whatever_is_found() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 20);
    let console = Console::builder().start();
    let api = console.api();
    let add = |body: Value| api.post("/api/v1/databases", &body).expect(201).json();
    let shop = |name: &str, host: &str, port: u16| {
        add(json!({
            "name": name, "host": host, "port": port, "dbname": "shop",
            "user": "postgres", "password": cluster.password(),
        }))
    };
    let good = shop("shop", "127.0.0.1", cluster.port());
    assert_eq!((&good["first_look"]["ok"], &good["same_as"]), (&json!(true), &json!([])));
    let version = good["first_look"]["server_version"].as_str().expect("a version");
    assert!(version.starts_with("PostgreSQL "), "{version}");
    // Another name of the same machine.
    let again = shop("again", "LOCALHOST", cluster.port());
    assert_eq!(again["same_as"], json!(["shop"]));

    let port = xtask::process::free_port().expect("a port");
    let down = shop("down", "127.0.0.1", port);
    assert_eq!((&down["first_look"]["ok"], &down["same_as"]), (&json!(false), &json!([])));
    let error = &down["first_look"]["error"];
    assert!(error["kind"] == "connection" && error["hint"].is_string(), "{error}");
    api.get("/api/v1/databases/down").expect(200);

    let catalog = add(json!({ "name": "own", "path": console.data().join("catalog.db") }));
    assert_eq!(catalog["same_as"], json!(["cofferdam"]));
    let refused = api.post("/api/v1/databases", &json!({ "url": "sqlite:blog.db" }));
    assert_eq!(wrong_fields(&refused.expect(422).json()), ["path"]);
}

#[test]
fn a_server_that_says_nothing_keeps_nobody_waiting() {
    let console = Console::builder().start();
    // The kernel takes the connection; nobody ever answers on it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let wish =
        json!({ "name": "mute", "host": "127.0.0.1", "port": port, "dbname": "d", "user": "u" });
    let begun = std::time::Instant::now();
    let added = console.api().post("/api/v1/databases", &wish).expect(201).json();
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert_eq!(added["first_look"]["error"]["kind"], "timeout", "{added}");
}

#[test]
fn the_page_says_what_the_first_look_found() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let path = console.folder().join("no.db").display().to_string();
    let told =
        person.post("/databases", &[("engine", "sqlite"), ("name", "gone"), ("path", &path)]);
    let page = person.get(told.expect(303).header("location").expect("a place")).expect(200).text();
    assert!(page.contains("gone was added. It cannot be looked at now"), "{page}");
    assert!(page.contains("There is no file"), "the finding itself is on the page: {page}");
}
