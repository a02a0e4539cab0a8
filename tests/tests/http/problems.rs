//! Errors of the API (RFC 9457), and the document that describes it.

use cofferdam_tests::{Console, Reply};
use serde_json::{Value, json};

const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[track_caller]
fn assert_is_problem(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", reply.text());
    let problem = reply.json();
    assert_eq!((&problem["status"], &problem["type"]), (&json!(status), &json!("about:blank")));
    for member in ["title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    problem
}

#[test]
fn every_kind_of_error_is_a_problem_document() {
    let console = Console::builder().start();
    let (api, nobody) = (console.api(), console.anonymous());
    let made = api.back_up("cofferdam");
    let download = made["download_url"].as_str().expect("an address");
    let json_type = [("Content-Type", "application/json")];

    let body = Some(b"{".as_slice());
    assert_is_problem(&api.send("POST", "/api/v1/backups", &json_type, body), 400);
    let text = [("Content-Type", "text/plain")];
    let body = Some(br#"{"database":"cofferdam"}"#.as_slice());
    let refused = api.send("POST", "/api/v1/backups", &text, body);
    assert!([400, 415].contains(&refused.status), "{}", refused.text());
    assert_is_problem(&refused, refused.status);

    let signed_out = nobody.get("/api/v1/backups");
    assert_is_problem(&signed_out, 401);
    assert_eq!(signed_out.header("www-authenticate"), Some("Bearer"));
    let wrong = json!({ "username": "admin", "password": "wrong wrong wrong" });
    assert_is_problem(&nobody.post("/api/v1/auth/login", &wrong), 401);

    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v2/backups",
        "/api/v1/nothing",
        "/api/v1/backups/",
        "/api/v1//backups",
    ] {
        assert_is_problem(&api.get(path), 404);
        assert_is_problem(&nobody.get(path), 404);
    }
    for id in [NOBODY, "x", "..%2f..%2fetc%2fpasswd", "%00"] {
        for path in ["", "/status", "/log", "/events", "/download"] {
            assert_is_problem(&api.get(&format!("/api/v1/backups/{id}{path}")), 404);
        }
        assert_is_problem(&api.get(&format!("/api/v1/databases/{id}")), 404);
    }

    for (method, path) in [
        ("PUT", "/api/v1/backups"),
        ("DELETE", "/api/v1/backups"),
        ("GET", "/api/v1/auth/login"),
        ("POST", "/api/v1/status"),
        ("POST", "/api/openapi.json"),
    ] {
        let refused = api.send(method, path, &[], None);
        assert_is_problem(&refused, 405);
        assert!(refused.header("allow").is_some(), "{method} {path} names no method");
    }

    let over = format!("/api/v1/backups/{}/cancel", made["id"].as_str().expect("an id"));
    assert_is_problem(&api.post(&over, &json!({})), 409);
    let beyond = api.send("GET", download, &[("Range", "bytes=999999999-")], None);
    assert_is_problem(&beyond, 416);
    let size = &made["size_bytes"];
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{size}").as_str()));
}

#[test]
fn a_wish_that_is_wrong_names_every_wrong_field_at_once() {
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({
        "database": "nothing", "description": "x".repeat(501), "compression_level": 10,
        "format": "zip", "encrypt": true, "destinations": ["s3"],
    });
    let problem = assert_is_problem(&api.post("/api/v1/backups", &wish), 422);
    let mut fields: Vec<_> = problem["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|it| {
            assert!(it["message"].as_str().is_some_and(|text| !text.is_empty()), "{it}");
            it["field"].as_str().expect("a field")
        })
        .collect();
    fields.sort_unstable();
    let expected =
        ["compression_level", "database", "description", "destinations", "encrypt", "format"];
    assert_eq!(fields, expected);
    let sqlite = json!({ "database": "cofferdam", "format": "custom" });
    let problem = assert_is_problem(&api.post("/api/v1/backups", &sqlite), 422);
    assert_eq!(problem["errors"][0]["field"], "format");
    assert_eq!(api.get("/api/v1/backups").json()["total"], 0);
}

#[test]
fn what_is_not_in_the_contract_is_refused_and_never_quoted() {
    let console = Console::builder().start();
    let api = console.api();
    for (path, body) in [
        ("/api/v1/backups", json!({ "database": "cofferdam", "compresion_level": 9 })),
        ("/api/v1/backups", json!({ "database": 7 })),
        (
            "/api/v1/backups",
            json!({ "database": "cofferdam", "compression_level": "canary-value" }),
        ),
        ("/api/v1/backups", json!({})),
        ("/api/v1/backups", json!([])),
        ("/api/v1/databases", json!({ "hots": "h" })),
        ("/api/v1/auth/login", json!({ "username": "admin", "password": ["canary-value"] })),
        ("/api/v1/auth/login", json!({ "username": "admin" })),
    ] {
        let reply = api.post(path, &body);
        assert_is_problem(&reply, 400);
        assert!(!reply.text().contains("canary-value"), "{}", reply.text());
    }
    assert_eq!(api.get("/api/v1/backups").json()["total"], 0);
}

/// Every route of the API, as its table has them.
const ROUTES: [(&str, &str); 42] = [
    ("post", "/api/v1/auth/login"),
    ("get", "/api/v1/status"),
    ("get", "/api/v1/databases"),
    ("post", "/api/v1/databases"),
    ("get", "/api/v1/databases/{id}"),
    ("patch", "/api/v1/databases/{id}"),
    ("delete", "/api/v1/databases/{id}"),
    ("post", "/api/v1/databases/{id}/check"),
    ("get", "/api/v1/backups"),
    ("post", "/api/v1/backups"),
    ("get", "/api/v1/backups/stats"),
    ("get", "/api/v1/backups/{id}"),
    ("delete", "/api/v1/backups/{id}"),
    ("get", "/api/v1/backups/{id}/status"),
    ("get", "/api/v1/backups/{id}/log"),
    ("get", "/api/v1/backups/{id}/events"),
    ("get", "/api/v1/backups/{id}/download"),
    ("post", "/api/v1/backups/{id}/cancel"),
    ("post", "/api/v1/backups/{id}/pin"),
    ("put", "/api/v1/backups/{id}/labels"),
    ("get", "/api/v1/backups/{id}/deliveries/{delivery}"),
    ("post", "/api/v1/backups/{id}/deliveries/{delivery}/retry"),
    ("post", "/api/v1/backups/{id}/deliveries/{delivery}/cancel"),
    ("get", "/api/v1/destinations"),
    ("post", "/api/v1/destinations"),
    ("post", "/api/v1/destinations/check"),
    ("get", "/api/v1/destinations/{id}"),
    ("patch", "/api/v1/destinations/{id}"),
    ("delete", "/api/v1/destinations/{id}"),
    ("post", "/api/v1/destinations/{id}/check"),
    ("post", "/api/v1/destinations/{id}/test"),
    ("get", "/api/v1/destinations/{id}/retention"),
    ("post", "/api/v1/destinations/{id}/retention"),
    ("get", "/api/v1/plugins"),
    ("post", "/api/v1/plugins"),
    ("get", "/api/v1/plugins/{hash}"),
    ("post", "/api/v1/plugins/{hash}/approve"),
    ("post", "/api/v1/plugins/{hash}/revoke"),
    ("get", "/api/v1/destinations/{id}/deliveries"),
    ("get", "/api/v1/deliveries/{id}"),
    ("post", "/api/v1/deliveries/{id}/retry"),
    ("post", "/api/v1/deliveries/{id}/cancel"),
];

#[test]
fn the_document_lists_every_route_and_every_reference_in_it_leads_somewhere() {
    let console = Console::builder().start();
    let document = console.anonymous().get("/api/openapi.json").expect(200).json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let mut described = vec![];
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            described.push((method.as_str(), path.as_str()));
            let answers = operation["responses"].as_object().expect("answers");
            assert!(!answers.is_empty(), "{method} {path}");
            assert!(operation["operationId"].is_string(), "{method} {path}");
            if path.contains("{id}") {
                let parameters = operation["parameters"].as_array().expect("parameters");
                assert!(parameters.iter().any(|it| it["name"] == "id" && it["required"] == true));
            }
        }
    }
    described.sort_unstable();
    let mut expected = ROUTES.to_vec();
    expected.sort_unstable();
    assert_eq!(described, expected);

    let mut ids: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .flat_map(|methods| methods.as_object().expect("methods").values())
        .map(|operation| operation["operationId"].as_str().expect("an id"))
        .collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation identifiers are unique");

    let mut waiting = vec![&document];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(members) => {
                if let Some(target) = members.get("$ref").and_then(Value::as_str) {
                    let pointer = target.strip_prefix('#').expect("within the document");
                    assert!(document.pointer(pointer).is_some(), "{target}");
                }
                waiting.extend(members.values());
            }
            Value::Array(items) => waiting.extend(items),
            _ => {}
        }
    }
}
