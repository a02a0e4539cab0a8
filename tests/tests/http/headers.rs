//! The headers of every answer, and pages without inline code.

use std::collections::BTreeSet;

use cofferdam_tests::{Console, Person, Reply, TestCluster};
use serde_json::json;

/// What holds for every answer, whatever it is.
#[track_caller]
fn assert_has_headers(what: &str, reply: &Reply) -> String {
    for (name, expected) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(reply.header(name), Some(expected), "{what}: {name}");
    }
    assert_eq!(reply.header("strict-transport-security"), None, "{what}: not over plain HTTP");
    for name in ["server", "x-powered-by", "access-control-allow-origin"] {
        assert_eq!(reply.header(name), None, "{what}: {name}");
    }
    let policy =
        reply.header("content-security-policy").unwrap_or_else(|| panic!("{what}: no policy"));
    let part = |name: &str| {
        policy.split(';').map(str::trim).find_map(|part| part.strip_prefix(name)).map(str::trim)
    };
    assert_eq!(part("default-src"), Some("'none'"), "{what}: {policy}");
    for name in ["base-uri", "frame-ancestors"] {
        assert_eq!(part(name), Some("'none'"), "{what}: {policy}");
    }
    assert_eq!(part("form-action"), Some("'self'"), "{what}: {policy}");
    for unsafe_word in
        ["unsafe-inline", "unsafe-eval", "unsafe-hashes", "*", "http:", "https:", "data: script"]
    {
        let scripts = part("script-src").expect("a rule for scripts");
        assert!(!scripts.contains(unsafe_word), "{what}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{what}: {policy}");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next());
    nonce.unwrap_or_else(|| panic!("{what}: no nonce in {policy}")).to_owned()
}

/// No inline script, style or handler, and the nonce of the header on each script.
#[track_caller]
fn assert_no_inline_code(what: &str, html: &str, nonce: &str) {
    let lower = html.to_lowercase();
    assert!(!lower.contains("<style"), "{what} has a style element");
    assert!(!lower.contains("javascript:"), "{what} has a script address");
    for tag in tags(&lower) {
        let names: Vec<_> = attributes(tag);
        for name in &names {
            assert!(
                *name != "style" && !name.starts_with("on") && !name.starts_with("hx-on"),
                "{what}: {tag}"
            );
        }
    }
    for (start, _) in lower.match_indices("<script") {
        let tag = &html[start..=start + html[start..].find('>').expect("closed")];
        assert!(tag.contains(" src=\"/assets/"), "{what}: {tag}");
        assert!(
            tag.contains(&format!("nonce=\"{nonce}\"")),
            "{what}: {tag} has another nonce than {nonce}"
        );
        assert!(html[start + tag.len()..].starts_with("</script>"), "{what}: an inline script");
    }
}

/// The start tags, without the brackets.
fn tags(html: &str) -> Vec<&str> {
    html.split('<')
        .skip(1)
        .filter(|it| it.starts_with(|c: char| c.is_ascii_alphabetic()))
        .map(|it| it.split('>').next().unwrap_or_default())
        .collect()
}

/// The names of a tag's attributes.
fn attributes(tag: &str) -> Vec<&str> {
    // Outside of quotes is every second piece.
    let outside = tag.split('"').step_by(2);
    outside
        .flat_map(str::split_whitespace)
        .filter_map(|word| word.split('=').next())
        .skip(1)
        .collect()
}

#[test]
fn every_kind_of_answer_has_the_headers_and_no_page_has_inline_code() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 20);
    let console = Console::builder().database(&cluster, "shop").start();
    let (api, person, nobody) =
        (console.api(), Person::administrator(&console), console.anonymous());
    let good = api.back_up("shop");
    let wish = json!({ "name": "gone", "path": console.folder().join("no.db") });
    let database = api.post("/api/v1/databases", &wish).expect(201).json();
    let failed = api.back_up("gone");
    let (good, failed, database) = (
        good["id"].as_str().expect("an id"),
        failed["id"].as_str().expect("an id"),
        database["id"].as_str().expect("an id"),
    );
    let mut nonces = BTreeSet::new();
    let mut answers = 0;
    let mut look = |what: &str, reply: Reply| {
        let nonce = assert_has_headers(what, &reply);
        if reply.header("content-type").is_some_and(|it| it.starts_with("text/html")) {
            assert_no_inline_code(what, &reply.text(), &nonce);
        }
        nonces.insert(nonce);
        answers += 1;
        reply
    };
    for path in [
        "/".to_owned(),
        "/backups".to_owned(),
        "/backups/new".to_owned(),
        format!("/backups/{good}"),
        format!("/backups/{failed}"),
        format!("/backups/{good}/log"),
        format!("/backups/{good}/log?format=text"),
        format!("/backups/{good}/row"),
        format!("/backups/{failed}/live"),
        format!("/backups/{good}/delete"),
        "/databases".to_owned(),
        "/databases/new".to_owned(),
        format!("/databases/{database}"),
        format!("/databases/{database}/edit"),
        format!("/databases/{database}/delete"),
        "/account".to_owned(),
    ] {
        let reply = look(&path, person.get(&path).expect(200));
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
    for (path, status) in [
        ("/login", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/api/openapi.json", 200),
        ("/no-such-page", 404),
        ("/setup/guess", 404),
        ("/backups", 303),
        ("/logout", 405),
        ("/api/v1/backups", 401),
        ("/api/nothing", 404),
        ("/assets/nothing", 404),
    ] {
        let reply = look(path, nobody.get(path).expect(status));
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
    for (what, reply) in [
        ("a download", api.get(&format!("/api/v1/backups/{good}/download")).expect(200)),
        ("a list", api.get("/api/v1/backups").expect(200)),
        ("a wrong field", api.get("/api/v1/backups?limit=0").expect(422)),
        (
            "a wrong range",
            api.send(
                "GET",
                &format!("/api/v1/backups/{good}/download"),
                &[("Range", "bytes=99999999-")],
                None,
            )
            .expect(416),
        ),
        ("a form that is too old", person.form("/backups", &[]).expect(403)),
        ("a wrong form", person.post("/backups", &[("database", "nothing")]).expect(422)),
        ("a check", person.post(&format!("/databases/{database}/check"), &[]).expect(200)),
        ("a refused sign-in", Person::stranger(&console).try_sign_in("admin", "wrong").expect(401)),
    ] {
        let reply = look(what, reply);
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{what}");
    }
    let page = person.get("/").text();
    let assets: BTreeSet<_> = page.split('"').filter(|it| it.starts_with("/assets/")).collect();
    assert!(assets.len() >= 3, "{assets:?}");
    for path in assets {
        let reply = look(path, nobody.get(path).expect(200));
        assert_eq!(
            reply.header("cache-control"),
            Some("public, max-age=31536000, immutable"),
            "{path}"
        );
    }
    assert_eq!(nonces.len(), answers, "each answer has a nonce of its own");
}
