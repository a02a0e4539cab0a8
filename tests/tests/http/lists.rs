//! The list of backups: pages, filters, order, and what it refuses.

use cofferdam_tests::{Api, Console, Person, person::percent};
use serde_json::{Value, json};

/// Three backups: two of the catalog, and one that failed.
fn three() -> (Console, Api, Vec<Value>) {
    let console = Console::builder().start();
    let api = console.api();
    let wish = json!({ "name": "gone", "path": console.folder().join("no.db") });
    api.post("/api/v1/databases", &wish).expect(201);
    let wish = json!({ "database": "cofferdam", "description": "Émile's 100% copy_1" });
    let first = api.post("/api/v1/backups", &wish).expect(202).json();
    let first = api.ended(first["id"].as_str().expect("an id"));
    let made = vec![first, api.back_up("gone"), api.back_up("cofferdam")];
    (console, api, made)
}

fn ids(page: &Value) -> Vec<&Value> {
    page["backups"].as_array().expect("a list").iter().map(|it| &it["id"]).collect()
}

#[test]
fn pages_are_newest_first_and_say_where_they_are() {
    let (_console, api, made) = three();
    let page = api.get("/api/v1/backups").expect(200).json();
    let members: Vec<_> = page.as_object().expect("an object").keys().collect();
    assert_eq!(members, ["backups", "total", "limit", "offset"]);
    assert_eq!(
        (&page["total"], &page["limit"], &page["offset"]),
        (&json!(3), &json!(50), &json!(0))
    );
    assert_eq!(ids(&page), [&made[2]["id"], &made[1]["id"], &made[0]["id"]]);

    let page = api.get("/api/v1/backups?limit=1&offset=1").expect(200).json();
    assert_eq!(
        (&page["total"], &page["limit"], &page["offset"]),
        (&json!(3), &json!(1), &json!(1))
    );
    assert_eq!(ids(&page), [&made[1]["id"]]);
    let beyond = api.get("/api/v1/backups?offset=100").expect(200).json();
    assert_eq!((ids(&beyond).len(), &beyond["total"]), (0, &json!(3)));
}

#[test]
fn each_filter_and_each_order_holds() {
    let (_console, api, made) = three();
    let [first, failed, last] = made.as_slice() else { panic!("three") };
    let id_of = |database: &str| {
        api.get(&format!("/api/v1/databases/{database}")).json()["id"].as_str().map(str::to_owned)
    };
    let gone = id_of("gone").expect("an id");
    for (query, expected) in [
        ("status=completed".to_owned(), vec![last, first]),
        ("status=failed".to_owned(), vec![failed]),
        ("status=failed,completed".to_owned(), vec![last, failed, first]),
        ("status=cancelled".to_owned(), vec![]),
        ("database=gone".to_owned(), vec![failed]),
        (format!("database={gone}"), vec![failed]),
        ("database=unknown".to_owned(), vec![]),
        ("trigger=api".to_owned(), vec![last, failed, first]),
        ("trigger=pre-restore".to_owned(), vec![]),
        // Text is text: no pattern, and no regard to case.
        ("q=100%25".to_owned(), vec![first]),
        ("q=COPY_1".to_owned(), vec![first]),
        ("q=%C3%A9mile".to_owned(), vec![first]),
        ("q=copyx1".to_owned(), vec![]),
        ("q=%25".to_owned(), vec![first]),
        ("q='%20OR%201=1--".to_owned(), vec![]),
        ("database=cofferdam&status=completed&q=copy".to_owned(), vec![first]),
        ("dir=asc".to_owned(), vec![first, failed, last]),
        ("sort=created&dir=desc".to_owned(), vec![last, failed, first]),
        ("q=&status=&database=&trigger=".to_owned(), vec![last, failed, first]),
    ] {
        let page = api.get(&format!("/api/v1/backups?{query}")).expect(200).json();
        let expected: Vec<_> = expected.iter().map(|it| &it["id"]).collect();
        assert_eq!(ids(&page), expected, "{query}");
        assert_eq!(page["total"], expected.len(), "{query}");
    }
    for (key, member) in
        [("size", "size_bytes"), ("duration", "duration_ms"), ("database", "database")]
    {
        let ordered = |dir: &str| {
            let path = format!("/api/v1/backups?status=completed&sort={key}&dir={dir}");
            let page = api.get(&path).expect(200).json();
            page["backups"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|it| it[member].clone())
                .collect::<Vec<_>>()
        };
        let (up, mut down) = (ordered("asc"), ordered("desc"));
        down.reverse();
        assert_eq!(up, down, "{key}");
        let numbers: Vec<_> = up.iter().filter_map(Value::as_i64).collect();
        assert!(numbers.is_sorted(), "{key}: {numbers:?}");
    }
}

#[test]
fn a_wrong_filter_is_an_error_and_never_the_whole_list() {
    let console = Console::builder().start();
    let api = console.api();
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("status=done", "status"),
        ("status=completed,", "status"),
        ("trigger=x", "trigger"),
        ("sort=name", "sort"),
        ("dir=up", "dir"),
        ("database=../etc", "database"),
        ("offset=18446744073709551615", "offset"),
    ] {
        let problem = api.get(&format!("/api/v1/backups?{query}")).expect(422).json();
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    let long = |field: &str, count| format!("{field}={}", "%C3%A9".repeat(count));
    api.get(&format!("/api/v1/backups?{}", long("q", 200))).expect(200);
    for (query, field) in [
        (long("q", 201), "q"),
        (long("status", 51), "status"),
        (long("database", 51), "database"),
        (long("trigger", 51), "trigger"),
        (long("sort", 51), "sort"),
        (long("dir", 51), "dir"),
    ] {
        let problem = api.get(&format!("/api/v1/backups?{query}")).expect(422).json();
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(!problem.to_string().contains("éé"), "{problem}");
    }
    for query in ["limit=-1", "limit=ten", "offset=-1", "statsu=failed", "limit=1&limit=2"] {
        let problem = api.get(&format!("/api/v1/backups?{query}")).expect(400).json();
        assert!(problem["detail"].as_str().is_some_and(|it| it.contains("query")), "{problem}");
    }
}

#[test]
fn what_is_looked_for_is_never_sql() {
    let console = Console::builder().start();
    let (api, person) = (console.api(), Person::administrator(&console));
    api.back_up("cofferdam");
    for text in [
        "' OR 1=1 --",
        "'; DROP TABLE backups; --",
        "x' UNION SELECT password_hash FROM users --",
        "\" OR \"\"=\"",
        "%",
        "b_ck",
        "\\",
    ] {
        let text = percent(text);
        let found = api.get(&format!("/api/v1/backups?q={text}")).expect(200).json();
        assert_eq!(found["total"], 0, "{text}");
        person.get(&format!("/backups?q={text}")).expect(200);
        for name in ["status", "database", "trigger", "sort", "order"] {
            let reply = api.get(&format!("/api/v1/backups?{name}={text}"));
            let refused = reply.status == 422 || reply.status == 400;
            // As a name of a database it may be possible, and there is none.
            assert!(refused || reply.expect(200).json()["total"] == 0, "{name}={text}");
        }
    }
    assert_eq!(api.get("/api/v1/backups").expect(200).json()["total"], 1);
}

#[test]
fn the_form_chooses_the_filtered_database_else_the_last_one_backed_up_else_none() {
    let (console, api, _) = three();
    let person = Person::administrator(&console);
    let chosen = |path: &str| {
        let page = person.get(path).expect(200).text();
        let (_, form) = page.split_once("id=\"generate-database\"").expect("the choice");
        let (form, _) = form.split_once("</select>").expect("its end");
        let at = form.find(" selected").expect("a choice");
        let (_, value) = form[..at].rsplit_once("value=\"").expect("a value");
        value.trim_end_matches('"').to_owned()
    };
    assert_eq!(chosen("/"), "cofferdam");
    api.back_up("gone");
    for path in ["/", "/backups", "/backups/new"] {
        assert_eq!(chosen(path), "gone", "{path}");
    }
    assert_eq!(chosen("/backups?database=cofferdam"), "cofferdam");
    assert_eq!(chosen("/backups/new?database=cofferdam"), "cofferdam");
    api.delete("/api/v1/databases/gone").expect(204);
    for name in ["alpha", "beta"] {
        let wish = json!({ "name": name, "path": console.folder().join("no.db") });
        api.post("/api/v1/databases", &wish).expect(201);
    }
    assert_eq!(chosen("/backups"), "", "what was backed up last is no longer there");
    let refused = person.post("/backups", &[("database", "")]);
    assert_eq!(refused.status, 422, "{}", refused.text());
}

#[test]
fn the_filter_offers_what_asks_for_backups_today() {
    let (console, ..) = three();
    let page = Person::administrator(&console).get("/backups").expect(200).text();
    assert!(page.contains("Command line") && !page.contains("Before a restore"));
    let page = Person::administrator(&console).get("/backups?trigger=scheduled").expect(200).text();
    assert!(page.contains("<option value=\"scheduled\" selected>"), "what was asked for is shown");
}
