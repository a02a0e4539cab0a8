//! Forms: only pages of the console itself can change something.

use cofferdam_tests::{Console, Person, person::FORM, person::encode, person::token_in};

fn count(console: &Console) -> String {
    console.catalog("SELECT count(*) FROM backups;")
}

#[test]
fn a_form_of_another_site_is_refused_whatever_it_knows() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let token = person.token();
    let body = encode(&[("csrf", &token), ("database", "cofferdam")]);
    let host = console.url().trim_start_matches("http://").to_owned();
    let port = host.rsplit_once(':').expect("a port").1;
    let other_port = format!("http://127.0.0.1:{}", port.parse::<u16>().map_or(1, |port| port ^ 1));
    for header in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "nonsense"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", &other_port),
        ("Origin", &format!("http://{host}.evil.example")),
        ("Origin", &format!("http://evil.example@{host}")),
        ("Origin", "http://localhost"),
    ] {
        let reply = person.send("POST", "/backups", &[FORM, header], Some(body.as_bytes()));
        assert_eq!(reply.status, 403, "{header:?}");
    }
    let sign_in =
        encode(&[("username", "admin"), ("password", cofferdam_tests::console::PASSWORD)]);
    let header = ("Sec-Fetch-Site", "cross-site");
    let reply = person.send("POST", "/login", &[FORM, header], Some(sign_in.as_bytes()));
    assert_eq!(reply.status, 403, "another site cannot sign a browser in as somebody else");
    assert_eq!(count(&console), "0");
    for header in [("Sec-Fetch-Site", "same-origin"), ("Origin", console.url())] {
        person.send("POST", "/backups", &[FORM, header], Some(body.as_bytes())).expect(303);
    }
    assert_eq!(count(&console), "2");
}

#[test]
fn a_form_without_the_sessions_own_token_is_refused() {
    let console = Console::builder().start();
    let (person, other) = (Person::administrator(&console), Person::administrator(&console));
    let (token, foreign) = (person.token(), other.token());
    assert_ne!(token, foreign);
    assert!(token.len() >= 32, "a token that nobody guesses");
    for fields in [
        vec![("database", "cofferdam")],
        vec![("csrf", ""), ("database", "cofferdam")],
        vec![("csrf", foreign.as_str()), ("database", "cofferdam")],
        vec![("csrf", &token[1..]), ("database", "cofferdam")],
        vec![("csrf", "x"), ("csrf", token.as_str()), ("database", "cofferdam")],
        vec![("CSRF", token.as_str()), ("database", "cofferdam")],
    ] {
        let reply = person.form("/backups", &fields).expect(403);
        assert!(reply.text().contains("<h1"), "a page says so");
    }
    // In the address it counts for nothing.
    person.form(&format!("/backups?csrf={token}"), &[("database", "cofferdam")]).expect(403);
    let json = format!("{{\"csrf\":\"{token}\",\"database\":\"cofferdam\"}}");
    let header = ("Content-Type", "application/json");
    let reply = person.send("POST", "/backups", &[header], Some(json.as_bytes()));
    assert!(reply.status >= 400, "a JSON body is no form: {}", reply.status);
    let header = ("Content-Type", "text/plain");
    let body = encode(&[("csrf", &token), ("database", "cofferdam")]);
    let reply = person.send("POST", "/backups", &[header], Some(body.as_bytes()));
    assert!(reply.status >= 400, "{}", reply.status);
    assert_eq!(count(&console), "0");
    person.form("/backups", &[("csrf", &token), ("database", "cofferdam")]).expect(303);
}

#[test]
fn get_changes_nothing() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let id = console.api().back_up("cofferdam")["id"].as_str().expect("an id").to_owned();
    for path in ["/logout", "/account/password", "/account/sessions/end"] {
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let reply = person.send(method, path, &[], None);
            assert_eq!(reply.status, 405, "{method} {path}");
        }
    }
    for action in ["cancel", "pin", "labels"] {
        person.get(&format!("/backups/{id}/{action}")).expect(405);
    }
    // These have a page that asks first.
    person.get(&format!("/backups/{id}/delete")).expect(200);
    person.get(&format!("/backups/{id}/delete?yes=1")).expect(200);
    person.get(&format!("/backups/{id}")).expect(200);
    person.get("/account").expect(200);
}

#[test]
fn a_cookie_opens_nothing_in_the_api_and_a_bearer_token_no_page() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    person.get("/api/v1/backups").expect(401);
    person
        .send(
            "POST",
            "/api/v1/backups",
            &[("Content-Type", "application/json")],
            Some(b"{\"database\":\"cofferdam\"}"),
        )
        .expect(401);
    let api = console.api();
    api.get("/backups").expect(303);
    let token = api.token().expect("a token");
    let nobody = console.anonymous();
    for path in
        [format!("/api/v1/backups?token={token}"), format!("/api/v1/backups?access_token={token}")]
    {
        nobody.get(&path).expect(401);
    }
    for value in [
        format!("Basic {token}"),
        token.to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {token}x"),
        format!("Bearer {token} {token}"),
    ] {
        let reply = nobody.send("GET", "/api/v1/backups", &[("Authorization", &value)], None);
        assert_eq!(reply.status, 401, "{value}");
    }
    let lower = format!("bearer {token}");
    nobody.send("GET", "/api/v1/backups", &[("Authorization", &lower)], None).expect(200);
    assert!(!console.stderr().contains(token), "no log holds the token");
}

#[test]
fn forms_with_errors_come_back_as_typed_without_passwords() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let page = person
        .post(
            "/backups",
            &[
                ("database", "cofferdam"),
                ("description", "my \"note\""),
                ("compression_level", "77"),
                ("format", "plain"),
            ],
        )
        .expect(422)
        .text();
    assert!(page.contains("my &quot;note&quot;") && page.contains("from 1 to 9"), "{page}");
    let page = person
        .post(
            "/databases",
            &[
                ("engine", "postgres"),
                ("name", "shop"),
                ("host", ""),
                ("port", "x"),
                ("dbname", "d"),
                ("user", "u"),
                ("password", "canary-typed"),
            ],
        )
        .expect(422)
        .text();
    assert!(page.contains("value=\"shop\"") && !page.contains("canary-typed"), "{page}");
    let page = person
        .post(
            "/account/password",
            &[("current", "canary-typed"), ("new", "short"), ("repeat", "short")],
        )
        .expect(422)
        .text();
    assert!(!page.contains("canary-typed") && !page.contains("value=\"short\""));
    assert!(token_in(&page).is_some());
    let page = person.form("/backups", &[("csrf", &person.token())]).expect(400);
    assert!(page.text().contains("<h1"));
}
