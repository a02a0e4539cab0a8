//! Signing in: uniform answers, a brake on guessing, bounded work.

use std::time::{Duration, Instant};

use cofferdam_tests::{
    Console, Person,
    console::{ADMIN, PASSWORD},
    person::{FORM, encode},
    wait_until,
};
use serde_json::json;

#[test]
fn unknown_names_and_wrong_passwords_get_one_answer_after_the_same_work() {
    let console = Console::builder().env("COFFERDAM_TRUSTED_PROXIES", "127.0.0.1").start();
    let nobody = console.anonymous();
    let ask = |name: &str, from: u32| {
        let body = json!({ "username": name, "password": "not the password" }).to_string();
        let from = format!("203.0.113.{from}");
        let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", from.as_str())];
        let start = Instant::now();
        let reply = nobody.send("POST", "/api/v1/auth/login", &headers, Some(body.as_bytes()));
        (reply.expect(401).text(), start.elapsed())
    };
    let (mut known, mut unknown) = (vec![], vec![]);
    ask("warm-up", 0);
    for number in 1..=25 {
        let (text, took) = ask(ADMIN, number);
        known.push(took);
        let (other, took) = ask(&format!("nobody-{number}"), number);
        unknown.push(took);
        assert_eq!(text, other);
    }
    // The quickest of each is the least disturbed by other work on the machine.
    let least = |times: &[Duration]| times.iter().min().map_or(0.0, Duration::as_secs_f64);
    let ratio = least(&unknown) / least(&known);
    assert!((0.5..2.0).contains(&ratio), "{unknown:?} against {known:?}");
    let page = |name| {
        let reply = Person::stranger(&console).try_sign_in(name, "not the password");
        assert!([401, 429].contains(&reply.status));
        reply.header("set-cookie").map(str::to_owned)
    };
    assert_eq!((page(ADMIN), page("nobody")), (None, None));
    let denied =
        console.catalog("SELECT DISTINCT actor, action FROM audit WHERE outcome = 'denied';");
    assert_eq!(denied, "somebody|session.create", "what was typed as a name may be a password");
}

#[test]
fn the_eleventh_try_of_a_minute_is_refused_and_says_when_to_come_back() {
    let console = Console::builder().start();
    let nobody = console.anonymous();
    let body = json!({ "username": ADMIN, "password": "not the password" });
    for number in 0..10 {
        // A forged forwarding header does not make the caller somebody else.
        let forged = format!("203.0.113.{number}");
        let headers = [
            ("Content-Type", "application/json"),
            ("X-Forwarded-For", forged.as_str()),
            ("Forwarded", "for=203.0.113.9"),
        ];
        let reply =
            nobody.send("POST", "/api/v1/auth/login", &headers, Some(body.to_string().as_bytes()));
        assert_eq!(reply.status, 401, "try {number}");
    }
    let reply = nobody.post("/api/v1/auth/login", &body).expect(429);
    let wait: u64 = reply.header("retry-after").and_then(|it| it.parse().ok()).expect("a number");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    // The right password is not tried either, on no door.
    let page = Person::stranger(&console).try_sign_in(ADMIN, PASSWORD).expect(429);
    assert!(page.header("retry-after").is_some() && page.text().contains("<form"));
    assert!(!page.text().contains(PASSWORD));
    let remotes = console.catalog("SELECT DISTINCT remote FROM audit WHERE outcome = 'denied';");
    assert_eq!(remotes, "127.0.0.1");
}

#[test]
fn behind_a_trusted_proxy_each_caller_has_tries_of_their_own() {
    let console = Console::builder().env("COFFERDAM_TRUSTED_PROXIES", "127.0.0.1").start();
    let nobody = console.anonymous();
    let ask = |from: &str, number: u32| {
        let name = format!("nobody-{number}");
        let body = json!({ "username": name, "password": "not the password" }).to_string();
        let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", from)];
        nobody.send("POST", "/api/v1/auth/login", &headers, Some(body.as_bytes())).status
    };
    for number in 0..10 {
        assert_eq!(ask("198.51.100.1, 203.0.113.1", number), 401);
    }
    // What stands before the proxy's own entry is the caller's own word.
    assert_eq!(ask("198.51.100.2, 203.0.113.1", 10), 429);
    assert_eq!(ask("203.0.113.2", 11), 401);
    let remotes =
        console.catalog("SELECT DISTINCT remote FROM audit WHERE outcome = 'denied' ORDER BY 1;");
    assert_eq!(remotes, "203.0.113.1\n203.0.113.2");
}

fn peak_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

#[test]
fn a_flood_of_sign_ins_takes_neither_the_memory_nor_the_console() {
    // Each caller behind the proxy is another one, so that no brake helps.
    let console = Console::builder().env("COFFERDAM_TRUSTED_PROXIES", "127.0.0.1").start();
    console.anonymous().get("/login").expect(200);
    let before = peak_kib(console.pid());
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..100)
            .map(|number| {
                let nobody = console.anonymous();
                scope.spawn(move || {
                    let from = format!("203.0.113.{number}");
                    let body = encode(&[
                        ("username", &format!("n{number}")),
                        ("password", "not the password"),
                    ]);
                    let headers = [FORM, ("X-Forwarded-For", from.as_str())];
                    nobody.send("POST", "/login", &headers, Some(body.as_bytes())).status
                })
            })
            .collect();
        let start = Instant::now();
        console.anonymous().get("/healthz").expect(200);
        assert!(start.elapsed() < Duration::from_secs(5), "others are served meanwhile");
        tries.into_iter().map(|it| it.join().expect("an answer")).collect()
    });
    assert!(answers.iter().all(|status| [401, 429, 503].contains(status)), "{answers:?}");
    assert!(answers.contains(&401));
    let more = peak_kib(console.pid()).saturating_sub(before);
    // One hash takes 19 MiB; a hundred at once would take 1,900.
    assert!(more < 120 << 10, "{more} KiB more at the peak");
}

#[test]
fn after_the_sign_in_one_lands_where_one_wanted_to_go_and_nowhere_else() {
    let console = Console::builder().start();
    let stranger = Person::stranger(&console);
    let refused = stranger.get("/backups?status=failed").expect(303);
    let login = refused.header("location").expect("an address").to_owned();
    assert_eq!(login, "/login?next=%2Fbackups%3Fstatus%3Dfailed");
    let page = stranger.get(&login).expect(200).text();
    assert!(page.contains("value=\"/backups?status=failed\""), "{page}");
    for (next, lands) in [
        ("/backups?status=failed", "/backups?status=failed"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let fields = [("username", ADMIN), ("password", PASSWORD), ("next", next)];
        let reply = Person::stranger(&console).form("/login", &fields).expect(303);
        assert_eq!(reply.header("location"), Some(lands), "{next:?}");
    }
}

#[test]
fn the_set_up_link_works_once_and_only_while_there_is_nobody() {
    let mut console = Console::builder().without_administrator().start();
    let first = console.setup_link();
    let token = first.rsplit_once('/').expect("a link").1.to_owned();
    assert!(token.len() >= 32, "{} characters", token.len());
    console.restart();
    let link = wait_until("a link of this start's own", Duration::from_secs(10), || {
        Some(console.setup_link()).filter(|link| *link != first)
    });
    let path = |link: &str| link.strip_prefix(console.url()).expect("this console's").to_owned();
    let stranger = Person::stranger(&console);
    stranger.get(&path(&first)).expect(404);
    let fields = |password: &'static str, again: &'static str| {
        [("username", "Anna"), ("password", password), ("password_again", again)]
    };
    stranger.form(&path(&first), &fields(PASSWORD, PASSWORD)).expect(404);
    for (password, again) in
        [("short", "short"), (PASSWORD, "something else"), ("passwordpassword", "passwordpassword")]
    {
        stranger.form(&path(&link), &fields(password, again)).expect(422);
    }
    stranger.form(&path(&link), &fields(PASSWORD, PASSWORD)).expect(303);
    stranger.get("/backups").expect(200);
    Person::stranger(&console).get(&path(&link)).expect(404);
    Person::stranger(&console).form(&path(&link), &fields(PASSWORD, PASSWORD)).expect(404);
    assert_eq!(console.catalog("SELECT username, role FROM users;"), "anna|administrator");
    assert!(!console.stderr().contains(&token), "the log does not hold the link");
}
