//! Who may do what: every page and every call of the API, for each role and for nobody.

use cofferdam_tests::{Api, Console, Person};

pub(crate) const SECRET: &str = "seven tall green windows";
const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// Who is let in from here on; `Anyone` needs no sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Since {
    Anyone,
    Viewer,
    Operator,
    Administrator,
}
use Since::{Administrator, Anyone, Operator, Viewer};

const API: [(&str, &str, Since); 42] = [
    ("GET", "/api/openapi.json", Anyone),
    ("GET", "/api/v1/status", Viewer),
    ("GET", "/api/v1/databases", Viewer),
    ("POST", "/api/v1/databases", Administrator),
    ("GET", "/api/v1/databases/{id}", Viewer),
    ("PATCH", "/api/v1/databases/{id}", Administrator),
    ("DELETE", "/api/v1/databases/{id}", Administrator),
    ("POST", "/api/v1/databases/{id}/check", Operator),
    ("GET", "/api/v1/backups", Viewer),
    ("POST", "/api/v1/backups", Operator),
    ("GET", "/api/v1/backups/stats", Viewer),
    ("GET", "/api/v1/backups/{id}", Viewer),
    ("DELETE", "/api/v1/backups/{id}", Administrator),
    ("GET", "/api/v1/backups/{id}/status", Viewer),
    ("GET", "/api/v1/backups/{id}/log", Viewer),
    ("GET", "/api/v1/backups/{id}/events", Viewer),
    ("GET", "/api/v1/backups/{id}/download", Operator),
    ("POST", "/api/v1/backups/{id}/cancel", Operator),
    ("POST", "/api/v1/backups/{id}/pin", Operator),
    ("PUT", "/api/v1/backups/{id}/labels", Operator),
    ("GET", "/api/v1/backups/{id}/deliveries/{id}", Viewer),
    ("POST", "/api/v1/backups/{id}/deliveries/{id}/retry", Operator),
    ("POST", "/api/v1/backups/{id}/deliveries/{id}/cancel", Operator),
    ("GET", "/api/v1/deliveries/{id}", Viewer),
    ("POST", "/api/v1/deliveries/{id}/retry", Operator),
    ("POST", "/api/v1/deliveries/{id}/cancel", Operator),
    ("GET", "/api/v1/destinations", Administrator),
    ("GET", "/api/v1/destinations/{id}/deliveries", Administrator),
    ("POST", "/api/v1/destinations", Administrator),
    ("GET", "/api/v1/destinations/{id}", Administrator),
    ("PATCH", "/api/v1/destinations/{id}", Administrator),
    ("DELETE", "/api/v1/destinations/{id}", Administrator),
    ("POST", "/api/v1/destinations/{id}/check", Administrator),
    ("POST", "/api/v1/destinations/{id}/test", Administrator),
    ("POST", "/api/v1/destinations/check", Administrator),
    ("GET", "/api/v1/destinations/{id}/retention", Administrator),
    ("POST", "/api/v1/destinations/{id}/retention", Administrator),
    ("GET", "/api/v1/plugins", Administrator),
    ("POST", "/api/v1/plugins", Administrator),
    ("GET", "/api/v1/plugins/{id}", Administrator),
    ("POST", "/api/v1/plugins/{id}/approve", Administrator),
    ("POST", "/api/v1/plugins/{id}/revoke", Administrator),
];

const PAGES: [(&str, &str, Since); 61] = [
    ("GET", "/healthz", Anyone),
    ("GET", "/readyz", Anyone),
    ("GET", "/assets/app.css", Anyone),
    ("GET", "/login", Anyone),
    ("POST", "/logout", Viewer),
    ("GET", "/", Viewer),
    ("GET", "/backups", Viewer),
    ("POST", "/backups", Operator),
    ("GET", "/backups/new", Operator),
    ("GET", "/backups/{id}", Viewer),
    ("GET", "/backups/{id}/row", Viewer),
    ("GET", "/backups/{id}/live", Viewer),
    ("GET", "/backups/{id}/log", Viewer),
    ("GET", "/backups/{id}/download", Operator),
    ("HEAD", "/backups/{id}/download", Operator),
    ("POST", "/backups/{id}/cancel", Operator),
    ("POST", "/backups/{id}/pin", Operator),
    ("POST", "/backups/{id}/labels", Operator),
    ("GET", "/backups/{id}/delete", Administrator),
    ("POST", "/backups/{id}/delete", Administrator),
    ("GET", "/databases", Viewer),
    ("POST", "/databases", Administrator),
    ("GET", "/databases/new", Administrator),
    ("GET", "/databases/{id}", Viewer),
    ("GET", "/databases/{id}/edit", Administrator),
    ("POST", "/databases/{id}/edit", Administrator),
    ("POST", "/databases/{id}/check", Operator),
    ("GET", "/databases/{id}/delete", Administrator),
    ("POST", "/databases/{id}/delete", Administrator),
    ("POST", "/backups/{id}/deliveries/{id}/retry", Operator),
    ("GET", "/deliveries/{id}", Viewer),
    ("POST", "/deliveries/{id}/retry", Operator),
    ("POST", "/deliveries/{id}/cancel", Operator),
    ("GET", "/destinations", Administrator),
    ("POST", "/destinations", Administrator),
    ("GET", "/destinations/new", Administrator),
    ("GET", "/destinations/preview", Administrator),
    ("GET", "/destinations/{id}", Administrator),
    ("GET", "/destinations/{id}/edit", Administrator),
    ("POST", "/destinations/{id}/edit", Administrator),
    ("POST", "/destinations/try", Administrator),
    ("POST", "/destinations/{id}/try", Administrator),
    ("POST", "/destinations/{id}/check", Administrator),
    ("POST", "/destinations/{id}/test", Administrator),
    ("GET", "/destinations/{id}/retention", Administrator),
    ("POST", "/destinations/{id}/retention", Administrator),
    ("POST", "/destinations/{id}/enabled", Administrator),
    ("GET", "/destinations/{id}/delete", Administrator),
    ("POST", "/destinations/{id}/delete", Administrator),
    ("GET", "/plugins", Administrator),
    ("POST", "/plugins", Administrator),
    ("GET", "/plugins/{id}", Administrator),
    ("POST", "/plugins/{id}/approve", Administrator),
    ("GET", "/plugins/{id}/revoke", Administrator),
    ("POST", "/plugins/{id}/revoke", Administrator),
    ("GET", "/account", Viewer),
    ("POST", "/account/password", Viewer),
    ("POST", "/account/sessions/end", Viewer),
    ("GET", "/no-such-page", Anyone),
    ("GET", "/backups/{id}/nothing", Anyone),
    ("GET", "/setup/guess", Anyone),
];

/// Three people, and an ordinary database by the name of till.
pub(crate) fn with_people() -> Console {
    let console = Console::builder().start();
    let file = console.folder().join("till.db");
    let sql = "CREATE TABLE sales AS SELECT 1 AS n;";
    let told = std::process::Command::new("sqlite3").arg(&file).arg(sql).status().expect("sqlite3");
    assert!(told.success());
    let wish = serde_json::json!({ "name": "till", "path": file });
    console.api().post("/api/v1/databases", &wish).expect(201);
    console.add_user("vera", "viewer", SECRET);
    console.add_user("otto", "operator", SECRET);
    console
}

#[test]
fn each_call_of_the_api_is_open_from_its_role_on() {
    let console = with_people();
    let admin = console.api();
    let made = admin.back_up("till");
    let people = [
        (None, console.anonymous()),
        (Some(Viewer), Api::sign_in(console.url(), "vera", SECRET)),
        (Some(Operator), Api::sign_in(console.url(), "otto", SECRET)),
        (Some(Administrator), admin),
    ];
    for (method, path, from) in API {
        for (role, api) in &people {
            // Identifiers that are unknown, so that what is allowed changes nothing.
            let status = api.send(method, &path.replace("{id}", NOBODY), &[], None).status;
            let allowed = from == Anyone || role.is_some_and(|role| role >= from);
            let fits = match (allowed, role) {
                (true, _) => [200, 400, 404, 422].contains(&status),
                (false, None) => status == 401,
                (false, Some(_)) => status == 403,
            };
            assert!(fits, "{method} {path} as {role:?}: {status}");
        }
    }
    // The same with things that exist: nothing leaks to whom it is not for.
    let download = made["download_url"].as_str().expect("an address");
    for (role, api) in &people {
        let expected = match role {
            None => 401,
            Some(Viewer) => 403,
            _ => 200,
        };
        assert_eq!(api.get(download).status, expected, "{role:?}");
        assert_eq!(api.send("HEAD", download, &[], None).status, expected, "{role:?}");
    }
}

#[test]
fn each_page_is_open_from_its_role_on() {
    let console = with_people();
    let made = console.api().back_up("till");
    let person = |name| Person::sign_in(&console, name, SECRET);
    let people = [
        (None, Person::stranger(&console)),
        (Some(Viewer), person("vera")),
        (Some(Operator), person("otto")),
        (Some(Administrator), Person::administrator(&console)),
    ];
    for (method, path, from) in PAGES {
        for (role, person) in &people {
            let path = path.replace("{id}", NOBODY);
            // No form token: what is allowed gets as far as that.
            let reply = person.send(method, &path, &[], None);
            let allowed = from == Anyone || role.is_some_and(|role| role >= from);
            let to_login = reply.header("location").is_some_and(|it| it.starts_with("/login"));
            let denied = reply.text().contains("Your role does not allow");
            let fits = match (allowed, role) {
                (true, _) => !to_login && !denied && reply.status < 500,
                (false, None) => reply.status == 303 && to_login,
                (false, Some(_)) => reply.status == 403,
            };
            assert!(fits, "{method} {path} as {role:?}: {} {}", reply.status, reply.text());
            if method == "POST" && allowed {
                assert!(
                    [400, 403].contains(&reply.status),
                    "{method} {path} without a form: {}",
                    reply.status
                );
            }
        }
    }
    let path = format!("/backups/{}/download", made["id"].as_str().expect("an id"));
    assert_eq!(people.each_ref().map(|(_, person)| person.get(&path).status), [303, 403, 200, 200]);
}

#[test]
fn what_a_role_may_not_do_is_not_offered_and_its_attempts_are_in_the_audit_log() {
    let console = with_people();
    let made = console.api().back_up("till");
    let id = made["id"].as_str().expect("an id");
    let vera = Person::sign_in(&console, "vera", SECRET);
    for path in ["/", "/backups", "/databases", &format!("/backups/{id}")] {
        let page = vera.get(path).expect(200).text();
        for offer in [
            format!("/backups/{id}/download"),
            format!("/backups/{id}/delete"),
            "/databases/new".to_owned(),
            "action=\"/backups\" method=\"post\"".to_owned(),
        ] {
            assert!(!page.contains(&offer), "{path} offers {offer} to a viewer");
        }
    }
    vera.get(&format!("/backups/{id}/download")).expect(403);
    Api::sign_in(console.url(), "vera", SECRET)
        .delete(&format!("/api/v1/backups/{id}"))
        .expect(403);
    let denied = console.catalog(
        "SELECT actor, actor_kind, action, remote, details FROM audit WHERE outcome = 'denied' ORDER BY seq;",
    );
    let lines: Vec<_> = denied.lines().collect();
    assert_eq!(lines.len(), 2, "{denied}");
    assert!(
        lines[0].starts_with("vera|user|access|127.0.0.1|")
            && lines[0].contains("GET /backups/{id}/download"),
        "{denied}"
    );
    assert!(
        lines[1].starts_with("vera|token|access|127.0.0.1|")
            && lines[1].contains("DELETE /api/v1/backups/{id}"),
        "{denied}"
    );
}

#[test]
fn backups_of_the_consoles_own_catalog_are_for_administrators() {
    let console = with_people();
    let admin = console.api();
    let own = admin.back_up("cofferdam");
    let download = own["download_url"].as_str().expect("an address");
    let otto = Api::sign_in(console.url(), "otto", SECRET);
    otto.get(download).expect(403);
    otto.send("GET", download, &[("Range", "bytes=0-9")], None).expect(403);
    let page = format!("/backups/{}/download", own["id"].as_str().expect("an id"));
    Person::sign_in(&console, "otto", SECRET).get(&page).expect(403);
    admin.get(download).expect(200);
    let denied = console
        .catalog("SELECT actor_kind FROM audit WHERE outcome = 'denied' AND actor = 'otto';");
    assert_eq!(denied, "token\nuser", "the second call is counted, and told later");
}

#[test]
fn backups_of_the_catalog_stay_with_administrators_when_its_database_leads_elsewhere() {
    let console = with_people();
    let admin = console.api();
    let own = admin.back_up("cofferdam");
    let download = own["download_url"].as_str().expect("an address").to_owned();
    let other = console.folder().join("other.db");
    let made = std::process::Command::new("sqlite3")
        .arg(&other)
        .arg("CREATE TABLE users AS SELECT 1 AS n;")
        .status()
        .expect("sqlite3");
    assert!(made.success());
    let change = serde_json::json!({ "path": other });
    admin.patch("/api/v1/databases/cofferdam", &change).expect(200);
    let otto = Api::sign_in(console.url(), "otto", SECRET);
    otto.get(&download).expect(403);
    let another = admin.back_up("cofferdam");
    let another = another["download_url"].as_str().expect("an address");
    otto.get(another).expect(200);
}
