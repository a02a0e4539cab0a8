//! Every page in every state, light and dark, wide and narrow: axe-core finds
//! nothing, nothing scrolls sideways, each has a title and one heading.

use cofferdam_tests::{
    Console, TestCluster, Visitor, WebServer,
    console::{ADMIN, PASSWORD},
    held,
};
use serde_json::json;

use crate::{
    forms, plugins,
    stage::{add_blog, add_postgres, back_up, id},
};

/// Whether the page fits the window, has a title, how many first headings,
/// whether its ids are unique, and how much moves (its reader wants nothing to).
const SHAPE: &str = "const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
    return [document.scrollingElement.scrollWidth <= innerWidth, document.title.length > 0,
        document.querySelectorAll('h1').length, ids.length === new Set(ids).size,
        document.getAnimations().filter(it => it.playState === 'running').length]";

/// What stands out to the right.
const TOO_WIDE: &str = "return [...document.querySelectorAll('body *')]
    .filter(it => it.getBoundingClientRect().right > innerWidth)
    .map(it => `${it.tagName}.${it.className}: ${words(it.innerText).slice(0, 80)}`).slice(0, 5)";

/// Looks at pages and remembers what is wrong with them.
struct Inspector {
    visitor: Visitor,
    wrong: Vec<String>,
}

impl Inspector {
    async fn new(console: &Console) -> Self {
        Self { visitor: Visitor::stranger(console).await, wrong: vec![] }
    }

    async fn open(&mut self, path: &str) {
        self.visitor.open(path).await;
        self.look(path).await;
    }

    /// Looks at the page as it is: light and dark, wide and narrow.
    async fn look(&mut self, state: &str) {
        let browser = &self.visitor.browser;
        for dark in [false, true] {
            browser.prefer(dark, true).await;
            for width in [1440, 375] {
                browser.resize(width, 900).await;
                let place = format!("{state} (dark: {dark}, {width} pixels)");
                for violation in browser.axe().await {
                    self.wrong.push(format!("{place}: {violation:?}"));
                }
            }
        }
        for width in [1440, 375, 320] {
            browser.resize(width, 900).await;
            let found = self.visitor.ask(SHAPE).await;
            if found != json!([true, true, 1, true, 0]) {
                let wide = self.visitor.ask(TOO_WIDE).await;
                self.wrong.push(format!("{state}, {width} pixels: {found} {wide}"));
            }
        }
        browser.resize(1280, 900).await;
    }

    async fn end(self, but_for: &[&str]) {
        self.visitor.assert_quiet(but_for).await;
        self.visitor.browser.quit().await;
        assert!(self.wrong.is_empty(), "{:#?}", self.wrong);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_before_the_first_backup() {
    let console = Console::builder().without_administrator().start();
    let mut inspector = Inspector::new(&console).await;
    let link = console.setup_link();
    inspector.open(&link).await;
    let fill = async |inspector: &Inspector, again: &str| {
        inspector.visitor.fill("#setup-username", ADMIN).await;
        inspector.visitor.fill("#setup-password", PASSWORD).await;
        inspector.visitor.fill("#setup-password_again", again).await;
        inspector.visitor.press("Create the administrator").await;
    };
    fill(&inspector, "something else").await;
    inspector.visitor.until("an error", "return document.querySelector('.error-summary')").await;
    inspector.look("set-up with an error").await;
    fill(&inspector, PASSWORD).await;
    inspector.visitor.until("the overview", "return location.pathname === '/'").await;
    inspector.look("the first overview").await;
    inspector.open(&link).await;
    for path in
        ["/backups", "/databases", "/databases/new", "/account", "/backups/new", "/api/docs"]
    {
        inspector.open(path).await;
    }
    inspector.visitor.open("/databases/new").await;
    inspector.visitor.press("Add the database").await;
    inspector.visitor.until("an error", "return document.querySelector('.error-summary')").await;
    inspector.look("a database with errors").await;
    inspector.visitor.open("/databases/new").await;
    inspector.visitor.press("SQLite").await;
    inspector.look("a new SQLite database").await;
    inspector.visitor.click("form[action='/logout'] button").await;
    inspector.look("signed out").await;
    inspector.visitor.fill("#login-username", ADMIN).await;
    inspector.visitor.fill("#login-password", "wrong").await;
    inspector.visitor.press("Sign in").await;
    inspector.visitor.until("an error", "return document.querySelector('.error-summary')").await;
    inspector.look("a wrong password").await;
    inspector.end(&["401", "404", "422"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_backups_in_every_state() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let mut console = Console::builder().start();
    let api = console.api();
    add_postgres(&api, &cluster, "wide", cluster.password());
    add_postgres(&api, &cluster, "crm", "not the password");
    add_blog(&console, &api, "blog");
    let good = back_up(&api, "blog", "A note");
    let failed = back_up(&api, "crm", "");
    let lost = back_up(&api, "blog", "");
    let wide = json!({ "database": "wide" });
    let (cancelled, held) = held::hold_backup(&console, &api, &wide);
    api.post(&format!("/api/v1/backups/{cancelled}/cancel"), &json!({})).expect(202);
    held.release();
    api.ended(&cancelled);
    let (running, held) = held::hold_backup(&console, &api, &wide);
    let waiting = id(&api.post("/api/v1/backups", &wide).expect(202).json());
    console.catalog(&format!("UPDATE backups SET file_state = 'missing' WHERE id = '{lost}'"));

    let mut inspector = Inspector::new(&console).await;
    inspector.visitor.sign_in(ADMIN, PASSWORD).await;
    for path in ["/", "/backups", "/backups?q=nothing+fits", "/backups?sort=size&dir=asc"] {
        inspector.open(path).await;
    }
    for backup in [&waiting, &running, &good, &failed, &cancelled, &lost] {
        inspector.open(&format!("/backups/{backup}")).await;
    }
    inspector.open(&format!("/backups/{good}/log")).await;
    inspector.open(&format!("/backups/{good}/delete")).await;
    inspector.visitor.open("/backups").await;
    inspector.visitor.press("Options").await;
    inspector.look("open options").await;
    inspector.visitor.open(&format!("/backups/{good}")).await;
    for fold in ["Rows per table", "The same over the API"] {
        inspector.visitor.until("a fold", &format!(
            "for (const it of document.querySelectorAll('summary')) if (it.innerText.includes('{fold}')) \
             {{ it.click(); return true }}"
        )).await;
    }
    inspector.look("everything unfolded").await;
    inspector.visitor.press("Delete").await;
    inspector
        .visitor
        .until("a dialog", "return document.querySelector('dialog[open] #confirm')")
        .await;
    inspector.look("a question").await;
    inspector.visitor.open(&format!("/backups/{good}")).await;
    inspector.visitor.fill("#backup-labels", &"x".repeat(500)).await;
    inspector.visitor.press("Save the labels").await;
    inspector.visitor.until("an error", "return document.querySelector('[aria-invalid]')").await;
    inspector.look("wrong labels").await;
    inspector.visitor.open("/backups").await;
    // Let the live connection begin before it is lost.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    held.kill();
    console.kill9();
    let offline = "return document.querySelector('#offline').checkVisibility()";
    inspector.visitor.until("the page says that it stands still", offline).await;
    inspector.look("offline").await;
    inspector.end(&["422", "ERR_CONNECTION", "ERR_INCOMPLETE", "htmx"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_databases_and_the_account_and_errors() {
    let cluster = TestCluster::start();
    cluster.create_shop("shop", 100);
    let console = Console::builder().database(&cluster, "shop").start();
    console.add_user("eve", "viewer", "watching from afar");
    let api = console.api();
    add_postgres(&api, &cluster, "crm", "not the password");
    let backup = back_up(&api, "shop", "");
    api.post(&format!("/api/v1/backups/{backup}/pin"), &json!({ "pinned": true })).expect(200);
    let mut inspector = Inspector::new(&console).await;
    inspector.visitor.sign_in(ADMIN, PASSWORD).await;
    inspector.open("/databases").await;
    for name in ["shop", "crm"] {
        let database = id(&api.get(&format!("/api/v1/databases/{name}")).expect(200).json());
        let path = format!("/databases/{database}");
        inspector.open(&path).await;
        inspector.visitor.click("#check-button").await;
        inspector.visitor.until("a check", "return document.querySelector('.check-verdict')").await;
        inspector.look(&format!("{name}, checked")).await;
        inspector.open(&format!("{path}/edit")).await;
        inspector.open(&format!("{path}/delete")).await;
    }
    inspector.open("/account").await;
    for field in ["current", "new", "repeat"] {
        inspector.visitor.fill(&format!("#password-{field}"), "short").await;
    }
    inspector.visitor.press("Change the password").await;
    inspector.visitor.until("an error", "return document.querySelector('.error-summary')").await;
    inspector.look("an account with errors").await;
    inspector.open("/no-such-page").await;
    // A form sent twice, one without its token, and a method that is none.
    for (state, action, token) in [
        ("409", format!("/backups/{backup}/delete"), ""),
        ("403, an old form", "/logout".to_owned(), "old"),
        ("405", "/account".to_owned(), ""),
    ] {
        inspector.visitor.open("/account").await;
        let script = format!(
            "const form = document.createElement('form'), field = document.createElement('input');
             Object.assign(form, {{ id: 'own', method: 'post', action: '{action}' }});
             field.name = 'csrf';
             field.value = '{token}' || document.querySelector('[name=csrf]').value;
             form.append(field);
             document.body.append(form);
             form.submit()"
        );
        inspector.visitor.ask(&script).await;
        inspector
            .visitor
            .until(state, "return !document.querySelector('#own') && document.querySelector('h1')")
            .await;
        inspector.look(state).await;
    }
    inspector.visitor.open("/").await;
    inspector.visitor.click("form[action='/logout'] button").await;
    inspector.visitor.sign_in("eve", "watching from afar").await;
    for path in ["/", "/backups", "/databases", "/databases/new"] {
        inspector.open(path).await;
    }
    inspector.open(&format!("/backups/{backup}")).await;
    // A catalog that lacks a table is a fault of the console.
    console.catalog("ALTER TABLE backup_facts RENAME TO gone");
    inspector.open(&format!("/backups/{backup}")).await;
    assert_eq!(inspector.visitor.words("h1").await, "Something broke in Cofferdam");
    inspector.end(&["403", "404", "405", "409", "422", "500"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_plugins_and_destinations() {
    let server = WebServer::start();
    let console = Console::builder().start();
    let api = console.api();
    add_blog(&console, &api, "blog");
    let mut inspector = Inspector::new(&console).await;
    inspector.visitor.sign_in(ADMIN, PASSWORD).await;
    for path in ["/plugins", "/destinations", "/destinations/new"] {
        inspector.open(path).await;
    }
    plugins::drop_in(&console, &plugins::component());
    inspector.visitor.open("/plugins").await;
    inspector.visitor.sees("Waits for approval").await;
    inspector.look("a plugin waits").await;
    inspector.visitor.press("Look and approve: Web server").await;
    inspector.visitor.sees("Connect to hosts that you name").await;
    inspector.look("its page").await;
    inspector.visitor.fill("#approve-hosts", "nonsense").await;
    inspector.visitor.press("Approve").await;
    inspector.visitor.until("an error", "return document.querySelector('.error-summary')").await;
    inspector.look("a wrong host").await;
    let host = format!("127.0.0.1:{}", server.port());
    let hash = inspector.visitor.path().await.split('/').nth(2).expect("a hash").to_owned();
    let wish = json!({ "hosts": [format!("{host} private")] });
    api.post(&format!("/api/v1/plugins/{hash}/approve"), &wish).expect(200);
    inspector.open(&format!("/plugins/{hash}")).await;
    inspector.open("/destinations/new?plugin=web-server").await;
    inspector.visitor.press("Add the destination").await;
    inspector.visitor.until("an error", "return document.querySelector('.error-summary')").await;
    inspector.look("a destination with errors").await;
    let wish = json!({ "name": "shelf", "plugin": "web-server",
        "settings": { "url": format!("http://{host}/shelf") } });
    let shelf = id(&api.post("/api/v1/destinations", &wish).expect(201).json());
    let backup = back_up(&api, "blog", "");
    inspector.visitor.open(&format!("/backups/{backup}")).await;
    inspector.visitor.sees("Delivered").await;
    inspector.visitor.press("1 attempt: shelf").await;
    inspector.look("a backup with its delivery").await;
    for path in ["", "/edit", "/delete"] {
        inspector.open(&format!("/destinations/{shelf}{path}")).await;
    }
    inspector.open("/destinations").await;
    inspector.open("/backups/new").await;
    inspector.visitor.open(&format!("/destinations/{shelf}")).await;
    inspector.visitor.press("Test connection").await;
    inspector.visitor.sees("It works").await;
    inspector.look("a test that went well").await;
    let folder = console.folder().join("copies");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut wish = json!({ "name": "copies", "plugin": "local-retention", "grant": true,
        "settings": { "folder": folder, "keep": "count", "count": 9 } });
    let copies = id(&api.post("/api/v1/destinations", &wish).expect(201).json());
    back_up(&api, "blog", "");
    let last = back_up(&api, "blog", "");
    inspector.visitor.open(&format!("/destinations/{copies}")).await;
    inspector.visitor.sees("Delivered").await;
    wish["settings"]["count"] = 1.into();
    let change = json!({ "settings": wish["settings"] });
    api.patch("/api/v1/destinations/copies", &change).expect(200);
    inspector.visitor.open(&format!("/backups/{last}")).await;
    inspector.visitor.sees("copies").await;
    inspector.visitor.open(&format!("/destinations/{copies}")).await;
    inspector.visitor.press("What would go").await;
    inspector.visitor.sees("Not the newest.").await;
    inspector.look("what would go").await;
    inspector.open(&format!("/destinations/{copies}/retention")).await;
    forms::approve_all_fields(&console, &api);
    inspector.open("/destinations/new?plugin=all-fields").await;
    inspector.visitor.fill("#destination-s-name", "refused").await;
    inspector.visitor.choose("#destination-s-service", "own").await;
    inspector.visitor.press("Test connection").await;
    inspector.visitor.sees("It does not work yet").await;
    inspector.look("a test before saving that went wrong").await;
    plugins::drop_in(&console, &plugins::changed(&plugins::component()));
    inspector.visitor.open("/plugins").await;
    inspector.visitor.sees("Changed since approval").await;
    inspector.look("a changed plugin").await;
    inspector.visitor.press("See what changed: Web server").await;
    inspector.look("what changed").await;
    inspector.open(&format!("/destinations/{shelf}")).await;
    inspector.end(&["422"]).await;
}
