//! Requests that no honest client sends.

use std::time::Duration;

use cofferdam_tests::{Console, Person, person::FORM};
use serde_json::json;

const LIMIT: Duration = Duration::from_secs(10);

/// The status line's number; nothing when the connection was closed without a word.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line).ok()?.split(' ').nth(1)?.parse().ok()
}

#[test]
fn requests_with_two_readings_are_refused_and_what_follows_them_is_not_answered() {
    let console = Console::builder().start();
    let nobody = console.anonymous();
    let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, head) in [
        ("CL and TE", format!("POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 5)),
        ("two lengths", "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n".to_owned()),
        ("a signed length", "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n".to_owned()),
        ("a negative length", "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned()),
        ("a hidden chunked", "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".to_owned()),
        ("chunked not last", "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n".to_owned()),
        ("a space before the colon", "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nabcde".to_owned()),
        ("a folded header", "GET /login HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n".to_owned()),
        ("a NUL in a header", "GET /login HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n".to_owned()),
        ("no version", "GET /login\r\n\r\n".to_owned()),
        ("junk", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned()),
    ] {
        let answer = nobody.raw(format!("{head}{smuggled}").as_bytes(), Duration::from_secs(3)).expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        let status = status(&answer);
        assert!(status.is_none_or(|status| status == 400), "{what}: {text}");
        assert!(!text.contains("ok\n"), "{what}: what followed was answered: {text}");
    }
    console.anonymous().get("/healthz").expect(200);
}

#[test]
fn what_is_too_large_is_refused_and_the_console_goes_on() {
    let console = Console::builder().start();
    let (api, person, nobody) =
        (console.api(), Person::administrator(&console), console.anonymous());
    let big = vec![b'a'; 100 << 10];
    let json_type = ("Content-Type", "application/json");
    for reply in [
        person.send("POST", "/backups", &[FORM], Some(&big)),
        Person::stranger(&console).send("POST", "/login", &[FORM], Some(&big)),
        Person::stranger(&console).send("POST", "/setup/x", &[FORM], Some(&big)),
        api.send("POST", "/api/v1/backups", &[json_type], Some(&big)),
        nobody.send("POST", "/api/v1/auth/login", &[json_type], Some(&big)),
    ] {
        assert_eq!(reply.status, 413, "{}", reply.text());
    }
    let head =
        format!("GET /login HTTP/1.1\r\nHost: x\r\nX-Big: {}\r\n\r\n", "a".repeat(300 << 10));
    let answer = nobody.raw(head.as_bytes(), LIMIT).unwrap_or_default();
    assert!(
        status(&answer).is_none_or(|status| [400, 413, 431].contains(&status)),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let many = "X-A: b\r\n".repeat(5000);
    let answer = nobody
        .raw(format!("GET /login HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes(), LIMIT)
        .unwrap_or_default();
    assert!(
        status(&answer).is_none_or(|status| [400, 413, 431].contains(&status)),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let uri = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(300 << 10));
    let answer = nobody.raw(uri.as_bytes(), LIMIT).unwrap_or_default();
    assert!(
        status(&answer).is_none_or(|status| [400, 404, 413, 414, 431].contains(&status)),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    api.get("/api/v1/status").expect(200);
}

#[test]
fn deeply_nested_json_is_refused() {
    let console = Console::builder().start();
    let api = console.api();
    let nested = format!("{{\"database\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    let headers = [("Content-Type", "application/json")];
    api.send("POST", "/api/v1/backups", &headers, Some(nested.as_bytes())).expect(400);
    for body in [
        &b"\xff\xfe"[..],
        b"{\"database\":\"\xff\"}",
        b"{\"database\":\"\\ud800\"}",
        b"nul",
        b"{}{}",
    ] {
        api.send("POST", "/api/v1/backups", &headers, Some(body)).expect(400);
    }
    api.get("/api/v1/status").expect(200);
}

#[test]
fn compressed_bodies_are_not_unpacked() {
    let console = Console::builder().start();
    let nobody = console.anonymous();
    // A small gzip of a large text: unpacked, it would be 10 MB.
    let folder = console.folder().join("bomb");
    std::fs::write(&folder, vec![b' '; 10 << 20]).expect("written");
    let told = std::process::Command::new("gzip").arg("-9c").arg(&folder).output().expect("gzip");
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", encoding)];
        let reply = nobody.send("POST", "/api/v1/auth/login", &headers, Some(&told.stdout));
        assert!([400, 413, 415].contains(&reply.status), "{encoding}: {}", reply.status);
    }
}

#[test]
fn forms_that_are_no_forms_are_refused() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let token = person.token();
    for body in [
        format!("csrf={token}&database=%ff%fe"),
        format!("csrf={token}&database=cofferdam&database=cofferdam"),
        format!("csrf={token}&database%00=cofferdam"),
        format!("csrf={token}"),
    ] {
        let reply = person.send("POST", "/backups", &[FORM], Some(body.as_bytes()));
        assert!([400, 422].contains(&reply.status), "{body}: {}", reply.status);
    }
    assert_eq!(console.catalog("SELECT count(*) FROM backups;"), "0");
}

#[test]
fn odd_paths_and_methods_get_a_plain_no() {
    let console = Console::builder().start();
    let (nobody, person) = (console.anonymous(), Person::administrator(&console));
    for path in [
        "/assets/../../../etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/catalog.db",
        "/assets//etc/passwd",
        "/assets/app.css%00.js",
        "/.git/config",
        "/.env",
        "/catalog.db",
        "/data/catalog.db",
        "/backups/%2e%2e%2f",
        "//",
        "/%ff",
    ] {
        let answer = nobody
            .raw(
                format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes(),
                LIMIT,
            )
            .expect("an answer");
        let status = status(&answer).expect("a status");
        assert!([303, 400, 404].contains(&status), "{path}: {status}");
        assert!(!String::from_utf8_lossy(&answer).contains("root:"), "{path}");
    }
    for method in ["TRACE", "CONNECT", "OPTIONS", "PROPFIND", "get", "FOO"] {
        let answer = nobody.raw(format!("{method} / HTTP/1.1\r\nHost: x\r\nX-Secret: canary\r\nConnection: close\r\n\r\n").as_bytes(), LIMIT).expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains("canary"), "{method} repeats what was sent: {text}");
        let status = status(&answer).expect("a status");
        assert!((300..500).contains(&status) || status == 501, "{method}: {text}");
    }
    person.get("/backups").expect(200);
    let answer = nobody
        .raw(b"GET /login HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", LIMIT)
        .expect("an answer");
    assert!(
        !String::from_utf8_lossy(&answer).contains("Location"),
        "no address is made of the host that somebody sent"
    );
}

#[test]
fn identifiers_and_numbers_beyond_all_reason_are_an_error_not_a_fault() {
    let console = Console::builder().start();
    let api = console.api();
    for query in [
        "limit=99999999999999999999",
        "offset=9223372036854775808",
        "limit=1e3",
        "limit=%00",
        "q=%ff",
    ] {
        let reply = api.get(&format!("/api/v1/backups?{query}"));
        assert!([200, 400, 422].contains(&reply.status), "{query}: {}", reply.text());
    }
    let person = Person::administrator(&console);
    for query in [
        "page=99999999999999999999",
        "page=-1",
        "page=0",
        "page=x",
        "sort=%00",
        "q=%ff%00",
        "page=1000000",
    ] {
        let reply = person.get(&format!("/backups?{query}"));
        assert!([200, 400].contains(&reply.status), "{query}: {}", reply.status);
    }
    for level in [json!(-1), json!(0), json!(i64::MAX)] {
        let wish = json!({ "database": "cofferdam", "compression_level": level });
        api.post("/api/v1/backups", &wish).expect(422);
    }
    for level in [json!(1.5), json!("3"), json!(1e300)] {
        let wish = json!({ "database": "cofferdam", "compression_level": level });
        api.post("/api/v1/backups", &wish).expect(400);
    }
    assert!(!console.stderr().contains("panicked"), "{}", console.stderr());
}
