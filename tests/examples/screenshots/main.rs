//! Pictures of every page with data as an administrator would have it.
//!
//! ```console
//! cargo build -p cofferdam
//! cargo run -p cofferdam-tests --example screenshots -- FOLDER
//! ```
//!
//! It starts a PostgreSQL server, the console (`COFFERDAM_BIN`, or the program
//! beside the examples) and Chromium, makes backups of a shop, an analytics
//! database and a blog in SQLite - good ones, a failed one, a cancelled one and
//! one that still runs, then has plugins in every state and deliveries that
//! go well, go on, wait and fail - and writes `PAGE-WIDTH-SCHEME.png` into the folder:
//! at 375 and 1440 pixels, light and dark. The picture of the README is
//! `overview-1440-light.png`.

mod plugins;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cofferdam_tests::{Api, Console, TestCluster, Visitor, held};
use serde_json::{Value, json};

const WIDTHS: [u32; 2] = [1440, 375];

#[tokio::main]
async fn main() {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.expect("the folder to write to, as the argument");
    fs::create_dir_all(&folder).expect("the folder");

    let cluster = TestCluster::start();
    cluster.create_shop("shop", 20_000);
    held::create_wide(&cluster, "analytics");
    let console = Console::builder().database(&cluster, "shop").start();
    let visitor = Visitor::stranger(&console).await;
    visitor.browser.cdp("Emulation.setScrollbarsHidden", json!({ "hidden": true })).await;
    let camera = Camera { visitor: &visitor, folder: &folder };

    camera.take("login", "/login").await;
    visitor.sign_in(cofferdam_tests::console::ADMIN, cofferdam_tests::console::PASSWORD).await;
    camera.take("first", "/").await;
    camera.take("backups-empty", "/backups").await;
    camera.take("database-new", "/databases/new").await;

    let api = console.api();
    let story = tell(&console, &cluster, &api);
    camera.take("overview", "/").await;
    camera.take("backups", "/backups").await;
    visitor.press("Options").await;
    camera.take("options", "").await;
    camera.take("backups-nothing", "/backups?q=nothing+like+this").await;
    camera.take("generate", "/backups/new").await;
    camera.take("databases", "/databases").await;
    camera.take("account", "/account").await;
    camera.take("missing", "/no-such-page").await;
    for (name, id) in &story.backups {
        camera.take(&format!("backup-{name}"), &format!("/backups/{id}")).await;
    }
    let good = &story.backups[0].1;
    camera.take("backup-log", &format!("/backups/{good}/log")).await;
    camera.take("backup-delete", &format!("/backups/{good}/delete")).await;
    let large = &story.backups[1].1;
    visitor.open(&format!("/backups/{large}")).await;
    resize(&visitor, 1440, 900).await;
    visitor.press("Delete").await;
    visitor.until("a question", "return document.querySelector('dialog[open] #confirm')").await;
    camera.take("question", "").await;
    for name in ["shop", "wiki"] {
        let database = api.get(&format!("/api/v1/databases/{name}")).expect(200).json();
        let address = format!("/databases/{}", database["id"].as_str().expect("an id"));
        visitor.open(&address).await;
        resize(&visitor, 1440, 900).await;
        visitor.click("#check-button").await;
        visitor.until("a check", "return document.querySelector('.check-verdict')").await;
        camera.take(&format!("database-{name}"), "").await;
        if name == "shop" {
            camera.take("database-edit", &format!("{address}/edit")).await;
            camera.take("database-delete", &format!("{address}/delete")).await;
        }
    }
    plugins::take(&camera, &console, &api).await;
    drop(story);
    visitor.browser.quit().await;
}

/// What there is to see.
struct Story {
    /// What to call it, and its identifier; the first one is good.
    backups: Vec<(&'static str, String)>,
    /// Keeps the last one running.
    _held: held::Held,
}

fn id(record: &Value) -> String {
    record["id"].as_str().expect("an id").to_owned()
}

/// Moves a backup that is over into the past.
fn date_back(console: &Console, id: &str, hours: u32) {
    let millis = u64::from(hours) * 3_600_000;
    console.catalog(&format!(
        "UPDATE backups SET created_at = created_at - {millis}, started_at = started_at - {millis},
         completed_at = completed_at - {millis} WHERE id = '{id}'"
    ));
}

/// Makes databases and backups of every kind.
fn tell(console: &Console, cluster: &TestCluster, api: &Api) -> Story {
    let blog = console.folder().join("blog.db");
    let sql = "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
        INSERT INTO posts SELECT i, 'Post ' || i, hex(randomblob(200)) FROM n;
        CREATE TABLE comments AS SELECT id AS post, 'Nice' AS text FROM posts;";
    let made = Command::new("sqlite3").arg(&blog).arg(sql).status().expect("sqlite3");
    assert!(made.success(), "the blog");
    let server = |name: &str, dbname: &str, password: &str| {
        json!({ "name": name, "host": "127.0.0.1", "port": cluster.port(), "dbname": dbname,
            "user": "postgres", "password": password })
    };
    for wish in [
        server("analytics", "analytics", cluster.password()),
        server("wiki", "wiki", "not the password"),
        json!({ "engine": "sqlite", "name": "blog", "path": blog }),
    ] {
        api.post("/api/v1/databases", &wish).expect(201);
    }
    // Each backup is made now and dated back, as if the console had run for two weeks.
    let back_up = |database: &str, note: &str, hours: u32| {
        let wish = json!({ "database": database, "description": note });
        let record = api.ended(&id(&api.post("/api/v1/backups", &wish).expect(202).json()));
        date_back(console, &id(&record), hours);
        record
    };
    for day in (1..=14).rev() {
        let note = if day == 3 { "Before the price change" } else { "" };
        back_up("shop", note, day * 24 + 9);
        // More customers send more pictures.
        cluster.psql(
            "shop",
            "INSERT INTO attachments SELECT gen_random_uuid(), 1, 'image/jpeg',
             (SELECT string_agg(decode(md5(random()::text || n), 'hex'), '')
              FROM generate_series(1, 12000) AS n);",
        );
        if day % 4 == 0 {
            back_up("blog", "", day * 24 + 8);
        }
    }
    back_up("analytics", "", 8 * 24 + 7);
    let analytics = back_up("analytics", "End of the quarter", 31);
    back_up("blog", "New theme", 26);
    let (given_up, held) = held::hold_backup(console, api, &json!({ "database": "analytics" }));
    api.post(&format!("/api/v1/backups/{given_up}/cancel"), &json!({})).expect(202);
    drop(held);
    api.ended(&given_up);
    date_back(console, &given_up, 30);
    let failed = back_up("wiki", "", 5);
    let shop = back_up("shop", "Before the upgrade to 4.2", 0);
    api.post(&format!("/api/v1/backups/{}/pin", id(&shop)), &json!({ "pinned": true })).expect(200);
    let wish = json!({ "database": "analytics", "description": "Before the new dashboards" });
    let (running, held) = held::hold_backup(console, api, &wish);
    let backups = vec![
        ("good", id(&shop)),
        ("large", id(&analytics)),
        ("failed", id(&failed)),
        ("cancelled", given_up),
        ("running", running),
    ];
    Story { backups, _held: held }
}

/// Takes each page in every size and scheme.
struct Camera<'a> {
    visitor: &'a Visitor,
    folder: &'a Path,
}

/// A narrow window is a phone's: its scroll bars take no room.
async fn resize(visitor: &Visitor, width: u32, height: u64) {
    let size = json!({
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500,
    });
    visitor.browser.cdp("Emulation.setDeviceMetricsOverride", size).await;
}

impl Camera<'_> {
    /// An empty path is the page as it is.
    async fn take(&self, name: &str, path: &str) {
        let browser = &self.visitor.browser;
        if !path.is_empty() {
            self.visitor.open(path).await;
        }
        for width in WIDTHS {
            for (dark, scheme) in [(false, "light"), (true, "dark")] {
                browser.prefer(dark, true).await;
                resize(self.visitor, width, 900).await;
                let script =
                    "return Math.min(Math.max(document.documentElement.scrollHeight, 900), 4000)";
                let height = self.visitor.ask(script).await.as_u64().unwrap_or(900);
                // One picture of the whole page; a phone's window is shown to its end too.
                let height = if name == "overview" && width == 1440 { 900 } else { height };
                resize(self.visitor, width, height).await;
                browser.screenshot(&self.folder.join(format!("{name}-{width}-{scheme}.png"))).await;
            }
        }
    }
}
