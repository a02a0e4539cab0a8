//! Sessions: their cookie, their beginning and each of their ends.

use cofferdam_tests::{
    Api, Console, Person,
    console::{ADMIN, PASSWORD},
    person::{FORM, encode},
};

const OTHER: &str = "another horse, another staple";

#[track_caller]
fn assert_signed_out(person: &Person) {
    let reply = person.get("/backups").expect(303);
    assert_eq!(reply.header("location"), Some("/login?next=%2Fbackups"));
}

#[test]
fn the_cookie_is_closed_to_scripts_and_other_sites_and_secure_behind_https() {
    let form = encode(&[("username", ADMIN), ("password", PASSWORD)]);
    let set_cookie = |console: &Console| {
        let reply =
            console.anonymous().send("POST", "/login", &[FORM], Some(form.as_bytes())).expect(303);
        reply.header("set-cookie").expect("a cookie").to_owned()
    };
    let plain = set_cookie(&Console::builder().start());
    let parts: Vec<_> = plain.split("; ").collect();
    assert!(parts[0].starts_with("cofferdam="), "{plain}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(parts.contains(&part), "{part} is missing: {plain}");
    }
    assert!(!plain.contains("Domain"));

    let console = Console::builder().env("COFFERDAM_PUBLIC_URL", "https://backup.example").start();
    let secure = set_cookie(&console);
    let parts: Vec<_> = secure.split("; ").collect();
    assert!(parts[0].starts_with("__Host-cofferdam="), "{secure}");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure"] {
        assert!(parts.contains(&part), "{part} is missing: {secure}");
    }
    assert!(!secure.contains("Domain"));
    let answer = console.anonymous().get("/login").expect(200);
    assert!(
        answer
            .header("strict-transport-security")
            .is_some_and(|it| it.starts_with("max-age=31536000"))
    );
}

#[test]
fn a_sign_in_gives_a_new_key_and_never_takes_one_over() {
    let console = Console::builder().start();
    let person = Person::stranger(&console);
    person.get("/login").expect(200);
    assert_eq!(person.cookie(), None, "no session before the sign-in");
    // Fixation: a cookie that somebody else set, even one with a session behind it.
    let attacker = Person::administrator(&console);
    let planted = attacker.cookie().expect("a cookie");
    person.set_cookie(Some(&planted));
    person.try_sign_in(ADMIN, PASSWORD).expect(303);
    let own = person.cookie().expect("a cookie");
    assert_ne!(own, planted);
    person.get("/backups").expect(200);
    assert_signed_out(&attacker);
    let digests = console.catalog("SELECT count(*), count(DISTINCT key_digest) FROM sessions;");
    assert_eq!(digests, "1|1");
    let key = own.split_once('=').expect("a value").1;
    assert!(!console.catalog("SELECT hex(key_digest), state FROM sessions;").contains(key));
}

#[test]
fn a_forged_altered_or_ended_cookie_leads_to_the_sign_in_page() {
    let console = Console::builder().start();
    let person = Person::administrator(&console);
    let cookie = person.cookie().expect("a cookie");
    let mut altered = cookie.clone();
    let last = altered.pop().expect("a value");
    altered.push(if last == 'A' { 'B' } else { 'A' });
    let value = cookie.split_once('=').expect("a value").1;
    for wrong in [
        altered,
        "cofferdam=".to_owned(),
        "cofferdam=forged".to_owned(),
        format!("cofferdam={}", "A".repeat(4000)),
        format!("cofferdam={}", &value[value.len().saturating_sub(20)..]),
        format!("__Host-cofferdam={value}"),
        "cofferdam=%00%0d%0a".to_owned(),
    ] {
        let stranger = Person::stranger(&console);
        stranger.set_cookie(Some(&wrong));
        assert_signed_out(&stranger);
    }
    person.post("/logout", &[]).expect(303);
    person.set_cookie(Some(&cookie));
    assert_signed_out(&person);
    assert_eq!(console.catalog("SELECT count(*) FROM sessions;"), "0");
    assert_eq!(person.get("/").expect(303).header("location"), Some("/login"));
    let part = person.send("GET", "/backups", &[("HX-Request", "true")], None).expect(401);
    assert_eq!(part.header("hx-redirect"), Some("/login"), "parts of pages take the window there");
    let htmx = [("HX-Request", "true"), ("Accept", "text/html, text/event-stream"), FORM];
    let click = person.send("POST", "/backups", &htmx, Some(b""));
    let to = click.expect(401).header("hx-redirect").expect("an address").to_owned();
    let page = Person::stranger(&console).get(&to).expect(200);
    assert!(page.text().contains("Your session has ended. Sign in and click again."));
}

#[test]
fn a_change_of_the_password_ends_every_other_session_and_every_token() {
    let console = Console::builder().start();
    let (person, elsewhere, api) =
        (Person::administrator(&console), Person::administrator(&console), console.api());
    let before = person.cookie().expect("a cookie");
    let fields = [("current", PASSWORD), ("new", OTHER), ("repeat", OTHER)];
    let wrong =
        person.post("/account/password", &[("current", "not it at all"), fields[1], fields[2]]);
    assert_eq!(wrong.status, 422);
    elsewhere.get("/backups").expect(200);
    person.post("/account/password", &fields).expect(303);
    person.get("/backups").expect(200);
    assert_ne!(person.cookie().expect("a cookie"), before, "the key is renewed");
    let stale = Person::stranger(&console);
    stale.set_cookie(Some(&before));
    assert_signed_out(&stale);
    assert_signed_out(&elsewhere);
    api.get("/api/v1/backups").expect(401);
    Person::stranger(&console).try_sign_in(ADMIN, PASSWORD).expect(401);
    let api = Api::sign_in(console.url(), ADMIN, OTHER);
    let told = cofferdam_tests::inside::with_input(
        console.cli().args(["user", "passwd", ADMIN, "--password-stdin"]),
        &format!("{PASSWORD}\n"),
    );
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_signed_out(&person);
    api.get("/api/v1/backups").expect(401);
}

#[test]
fn one_can_end_ones_other_sessions() {
    let console = Console::builder().start();
    let (person, elsewhere) = (Person::administrator(&console), Person::administrator(&console));
    let page = person.get("/account").expect(200).text();
    assert!(page.contains("127.0.0.1"), "the sessions are listed with their addresses");
    person.post("/account/sessions/end", &[]).expect(303);
    assert_signed_out(&elsewhere);
    person.get("/account").expect(200);
}

#[test]
fn sessions_and_tokens_end_by_themselves() {
    let console = Console::builder()
        .env("COFFERDAM_SESSION_IDLE_MINUTES", "10")
        .env("COFFERDAM_SESSION_HOURS", "2")
        .start();
    let person = Person::administrator(&console);
    let lifetimes = console.catalog(
        "SELECT (idle_expires_at - created_at) / 60000.0, (absolute_expires_at - created_at) / 3600000.0 FROM sessions;",
    );
    assert_eq!(lifetimes, "10.0|2.0");
    // An hour ago, seen a minute ago: the next request gives ten minutes more, and no more hours.
    console.catalog("UPDATE sessions SET last_seen_at = last_seen_at - 120000, idle_expires_at = idle_expires_at - 120000;");
    person.get("/backups").expect(200);
    let left = console.catalog("SELECT (idle_expires_at - created_at) / 60000 >= 10, (absolute_expires_at - created_at) / 3600000.0 FROM sessions;");
    assert_eq!(left, "1|2.0");
    console.catalog("UPDATE sessions SET idle_expires_at = last_seen_at - 1;");
    assert_signed_out(&person);

    let person = Person::administrator(&console);
    console.catalog("UPDATE sessions SET absolute_expires_at = last_seen_at - 1;");
    assert_signed_out(&person);

    let api = console.api();
    console.catalog("UPDATE tokens SET expires_at = created_at - 1;");
    api.get("/api/v1/backups").expect(401);
}

#[test]
fn sessions_outlive_a_restart_of_the_console() {
    let mut console = Console::builder().start();
    let (person, api) = (Person::administrator(&console), console.api());
    console.restart();
    person.get("/backups").expect(200);
    api.get("/api/v1/backups").expect(200);
}

#[test]
fn a_sign_in_that_a_password_change_overtakes_opens_nothing() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let console = Console::builder().start();
    let mut shell = std::process::Command::new("sqlite3")
        .args(["-batch", "-bail", "-cmd", ".timeout 20000"])
        .arg(console.data().join("catalog.db"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("sqlite3 is installed");
    let mut input = shell.stdin.take().expect("a pipe");
    writeln!(input, "BEGIN IMMEDIATE; SELECT 'held';").expect("it listens");
    let mut line = String::new();
    BufReader::new(shell.stdout.take().expect("a pipe")).read_line(&mut line).expect("held");
    let person = Person::stranger(&console);
    std::thread::scope(|scope| {
        let page = scope.spawn(|| person.try_sign_in(ADMIN, PASSWORD));
        let login = serde_json::json!({ "username": ADMIN, "password": PASSWORD });
        let api = console.anonymous();
        let token = scope.spawn(move || api.post("/api/v1/auth/login", &login));
        // Both passwords are verified by now, and both wait for the catalog.
        std::thread::sleep(std::time::Duration::from_secs(4));
        writeln!(
            input,
            "UPDATE users SET password_changed_at = password_changed_at + 1; \
             DELETE FROM sessions; DELETE FROM tokens; COMMIT;"
        )
        .expect("it listens");
        drop(input);
        assert!(shell.wait().expect("it ends").success());
        page.join().expect("no panic").expect(303);
        token.join().expect("no panic").expect(401);
        person.get("/backups").expect(303);
    });
}
