//! Every page in every state.

use cofferdam_model::{Engine, Failure, FailureKind, FileState, Format, LogLine};
use cofferdam_views::{
    BackupQuery, Chrome, FieldErrors, Markup, Nav, Notice, NoticeKind,
    pages::{
        account, backup, backup_delete, backup_log, backup_new, backups, database, database_delete,
        database_form, databases, error, login, overview, setup,
    },
};

use crate::data;

/// Name and page.
pub fn all() -> Vec<(String, Markup)> {
    let mut pages = Vec::new();
    people(&mut pages);
    overviews(&mut pages);
    lists(&mut pages);
    details(&mut pages);
    database_pages(&mut pages);
    errors(&mut pages);
    pages
}

type Pages = Vec<(String, Markup)>;

fn put(pages: &mut Pages, name: &str, page: Markup) {
    pages.push((name.to_owned(), page));
}

fn people(pages: &mut Pages) {
    let nobody = data::nobody();
    put(pages, "login", login::page(&nobody, &login::LoginPage::default()));
    let mut wrong = FieldErrors::new();
    wrong.add_whole("this name and password do not fit together");
    put(
        pages,
        "login-wrong",
        login::page(
            &nobody,
            &login::LoginPage {
                username: "admin".into(),
                next: Some("/backups".into()),
                errors: wrong,
            },
        ),
    );
    put(
        pages,
        "setup",
        setup::page(&nobody, &setup::SetupPage { token: "abc".into(), ..Default::default() }),
    );
    let mut short = FieldErrors::new();
    short.add(
        "username",
        "a user name has 1 to 64 letters, digits and . _ - @, and starts with a letter or digit",
    );
    short.add("password", "a password has at least 12 characters");
    put(
        pages,
        "setup-errors",
        setup::page(
            &nobody,
            &setup::SetupPage { token: "abc".into(), username: "-x".into(), errors: short },
        ),
    );
    put(pages, "setup-expired", setup::expired(&nobody));
    let account = |errors, sessions| account::AccountPage {
        created_at: data::ago(9_000_000),
        password_changed_at: Some(data::ago(400_000)),
        password_errors: errors,
        sessions: data::sessions(sessions),
    };
    put(
        pages,
        "account",
        account::page(&data::chrome(Some(Nav::Account)), &account(FieldErrors::new(), 3)),
    );
    let mut errors = FieldErrors::new();
    errors.add("current", "this is not the current password");
    errors.add("repeat", "the two new passwords differ");
    put(
        pages,
        "account-errors",
        account::page(&data::viewer(Some(Nav::Account)), &account(errors, 1)),
    );
}

fn overviews(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Overview));
    let shop = data::database("shop", Engine::Postgres);
    let wiki = data::database("wiki", Engine::Postgres);
    let catalog = data::database("cofferdam", Engine::Sqlite);
    let stats = overview::Stats {
        total: 214,
        total_bytes: 48_211_000_000,
        succeeded_30d: 88,
        failed_30d: 2,
        free_bytes: Some(88_400_000_000),
    };
    let good = |database, seconds, size| data::completed(database, seconds, size);
    let cards = vec![
        data::card(
            &shop,
            Some(data::done(good(&shop, 7_200, 254_000_000))),
            Some(good(&shop, 7_200, 254_000_000)),
            28,
        ),
        data::card(
            &wiki,
            Some(data::done(good(&wiki, 30_000, 81_000_000))),
            Some(good(&wiki, 30_000, 81_000_000)),
            14,
        ),
        data::card(
            &catalog,
            Some(data::done(good(&catalog, 80_000, 91_000))),
            Some(good(&catalog, 80_000, 91_000)),
            3,
        ),
    ];
    let recent = vec![
        data::done(good(&shop, 7_200, 254_000_000)),
        data::done(good(&wiki, 30_000, 81_000_000)),
        data::done(good(&catalog, 80_000, 91_000)),
        data::failed(&shop, 90_000),
        data::cancelled(&wiki, 100_000),
    ];
    let page = overview::OverviewPage {
        databases: cards.clone(),
        running: Vec::new(),
        recent: recent.clone(),
        damaged: Vec::new(),
        stats,
        generate: data::generate(&[&shop, &wiki, &catalog]),
    };
    put(pages, "overview-good", overview::page(&chrome, &page));
    put(pages, "overview-viewer", overview::page(&data::viewer(Some(Nav::Overview)), &page));

    let mut running = page.clone();
    running.running = vec![data::running(&shop), data::pending(&wiki)];
    running.databases[0].last = Some(running.running[0].clone());
    running.databases[1].last = Some(running.running[1].clone());
    put(pages, "overview-running", overview::page(&chrome, &running));

    let mut bad = page.clone();
    bad.databases[0].last = Some(data::failed(&shop, 3_600));
    bad.databases[1].last_good = Some(good(&wiki, 1_000_000, 81_000_000));
    bad.databases[1].last = bad.databases[1].last_good.clone().map(data::done);
    bad.databases[2] = data::card(&catalog, None, None, 0);
    let mut missing = good(&shop, 400_000, 1_000);
    missing.file_state = Some(FileState::Missing);
    bad.damaged = vec![missing];
    put(
        pages,
        "overview-bad",
        overview::page(
            &Chrome {
                notice: Some(Notice {
                    kind: NoticeKind::Done,
                    text: "The backup of shop was cancelled.".into(),
                }),
                ..chrome.clone()
            },
            &bad,
        ),
    );

    let first = overview::OverviewPage {
        databases: vec![data::card(&catalog, None, None, 0)],
        generate: data::generate(&[&catalog]),
        ..Default::default()
    };
    put(pages, "overview-first", overview::page(&chrome, &first));
    put(pages, "overview-first-viewer", overview::page(&data::viewer(Some(Nav::Overview)), &first));
    put(pages, "overview-none", overview::page(&chrome, &overview::OverviewPage::default()));
}

fn lists(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Backups));
    let shop = data::database("shop", Engine::Postgres);
    let wiki = data::database("wiki_of_the_northern_branch_office", Engine::Postgres);
    let mut items = vec![data::pending(&wiki), data::running(&shop), data::failed(&shop, 4_000)];
    let mut pinned = data::completed(&shop, 90_000, 254_118_221);
    pinned.pinned = true;
    pinned.description = "before the upgrade to 4.1, which changed every table and took the whole night to run through".into();
    pinned.labels = data::labels(&["upgrade", "keep for audit"]);
    items.push(data::done(pinned));
    items.push(data::cancelled(&shop, 100_000));
    for state in [FileState::Missing, FileState::Corrupt] {
        let mut backup = data::completed(&wiki, 200_000, 81_000_000);
        backup.file_state = Some(state);
        items.push(data::done(backup));
    }
    for day in 3..9 {
        items.push(data::done(data::completed(
            &shop,
            day * 86_400,
            250_000_000 - day as u64 * 977_000,
        )));
    }
    let page = backups::BackupsPage {
        items,
        total: 1204,
        per_page: 13,
        query: BackupQuery { page: 2, ..Default::default() },
        databases: vec!["shop".into(), wiki.slug.to_string()],
        generate: data::generate(&[&shop, &wiki]),
    };
    put(pages, "backups", backups::page(&chrome, &page));
    put(pages, "backups-viewer", backups::page(&data::viewer(Some(Nav::Backups)), &page));
    let none = backups::BackupsPage { items: Vec::new(), total: 0, ..page.clone() };
    put(
        pages,
        "backups-no-match",
        backups::page(
            &chrome,
            &backups::BackupsPage {
                query: BackupQuery {
                    q: "\"><script>alert(1)</script>".into(),
                    ..Default::default()
                },
                ..none.clone()
            },
        ),
    );
    put(
        pages,
        "backups-empty",
        backups::page(
            &chrome,
            &backups::BackupsPage {
                query: BackupQuery::default(),
                generate: data::generate(&[&shop]),
                ..none
            },
        ),
    );
    let mut form = data::generate(&[&shop, &wiki]);
    form.database = wiki.slug.to_string();
    form.description = "x".repeat(501);
    form.compression_level = "12".into();
    form.errors.add("description", "a description has at most 500 characters");
    form.errors.add("compression_level", "the compression level is a whole number from 1 to 9");
    put(pages, "backup-new", backup_new::page(&chrome, &data::generate(&[&shop, &wiki])));
    put(pages, "backup-new-errors", backup_new::page(&chrome, &form));
}

fn details(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Backups));
    let shop = data::database("shop", Engine::Postgres);
    let catalog = data::database("cofferdam", Engine::Sqlite);
    let show = |item| backup::page(&chrome, &data::backup_page(item));
    put(pages, "backup-pending", {
        let mut page = data::backup_page(data::pending(&shop));
        page.log.clear();
        page.log_more = false;
        backup::page(&chrome, &page)
    });
    put(pages, "backup-preparing", show(data::preparing(&shop)));
    put(pages, "backup-running", show(data::running(&shop)));
    let mut whole = data::backup_page(data::done(data::completed(&shop, 7_200, 254_118_221)));
    whole.item.backup.description = "before the upgrade to 4.2; it's the \"last\" one".into();
    whole.item.backup.labels = data::labels(&["upgrade", "audit"]);
    whole.item.backup.pinned = true;
    whole.tables = data::tables();
    put(pages, "backup-completed", backup::page(&chrome, &whole));
    put(pages, "backup-completed-viewer", backup::page(&data::viewer(Some(Nav::Backups)), &whole));
    let mut custom = whole.clone();
    custom.item.backup.format = Format::Custom;
    custom.item.backup.filename = Some("backup_shop_20261121_100916.dump".into());
    custom.label_errors.add("labels", "a label has 1 to 40 characters");
    custom.labels_typed = Some("x".repeat(50));
    put(pages, "backup-custom", backup::page(&chrome, &custom));
    let mut sqlite = data::backup_page(data::done(data::completed(&catalog, 600, 91_000)));
    sqlite.server_version = Some("SQLite 3.50.4".into());
    put(pages, "backup-sqlite", backup::page(&chrome, &sqlite));
    for (name, state) in
        [("backup-missing", FileState::Missing), ("backup-corrupt", FileState::Corrupt)]
    {
        let mut page = whole.clone();
        page.item.backup.file_state = Some(state);
        put(pages, name, backup::page(&chrome, &page));
    }
    put(pages, "backup-failed", show(data::failed(&shop, 3_600)));
    put(pages, "backup-cancelled", show(data::cancelled(&shop, 3_600)));
    let mut gone = data::backup_page(data::failed(&shop, 3_600));
    gone.database_known = false;
    put(pages, "backup-failed-gone", backup::page(&chrome, &gone));
    let log = |lines: Vec<LogLine>| backup_log::BackupLogPage {
        backup: whole.item.backup.clone(),
        lines,
    };
    put(pages, "backup-log", backup_log::page(&chrome, &log(data::log(40))));
    put(pages, "backup-log-empty", backup_log::page(&chrome, &log(Vec::new())));
    let delete = |last_good, refused: Option<&str>| {
        backup_delete::page(
            &chrome,
            &backup_delete::BackupDeletePage {
                backup: whole.item.backup.clone(),
                last_good,
                refused: refused.map(Into::into),
            },
        )
    };
    put(pages, "backup-delete", delete(false, None));
    put(pages, "backup-delete-last", delete(true, None));
    put(pages, "backup-delete-refused", delete(false, Some("It is pinned. Unpin it first.")));
}

fn database_pages(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Databases));
    let viewer = data::viewer(Some(Nav::Databases));
    let shop = data::database("shop", Engine::Postgres);
    let catalog = data::database("cofferdam", Engine::Sqlite);
    let good = data::completed(&shop, 7_200, 254_118_221);
    let cards = vec![
        data::card(&shop, Some(data::done(good.clone())), Some(good.clone()), 30),
        data::card(&catalog, None, None, 0),
    ];
    put(pages, "databases", databases::page(&chrome, &cards));
    put(pages, "databases-empty", databases::page(&chrome, &[]));
    put(pages, "databases-empty-viewer", databases::page(&viewer, &[]));
    let page = database::DatabasePage {
        card: cards[0].clone(),
        facts: [
            ("Host", "db.example"),
            ("Port", "5432"),
            ("Database", "shop"),
            ("Role", "backup"),
            ("TLS", "verify-full"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into(),
        check: Some(data::check(false)),
        recent: vec![data::running(&shop), data::done(good), data::failed(&shop, 90_000)],
        role_sql: Some(data::ROLE_SQL.into()),
        generate: data::generate(&[&shop]),
    };
    put(pages, "database", database::page(&chrome, &page));
    put(
        pages,
        "database-bad",
        database::page(
            &chrome,
            &database::DatabasePage { check: Some(data::check(true)), ..page.clone() },
        ),
    );
    let failure =
        Failure::new(FailureKind::Authentication, "the server refused the password of role backup")
            .hint("enter the password again under Edit")
            .detail("FATAL:  password authentication failed for user \"backup\"");
    put(
        pages,
        "database-unreachable",
        database::page(
            &chrome,
            &database::DatabasePage {
                check: Some(database::Check {
                    points: Vec::new(),
                    failure: Some(failure),
                    ..data::check(false)
                }),
                ..page.clone()
            },
        ),
    );
    put(pages, "database-viewer", database::page(&viewer, &page));
    put(
        pages,
        "database-new",
        database::page(
            &chrome,
            &database::DatabasePage {
                card: cards[1].clone(),
                facts: vec![("File".into(), catalog.summary.clone())],
                check: None,
                recent: Vec::new(),
                role_sql: None,
                generate: data::generate(&[&catalog]),
            },
        ),
    );
    put(
        pages,
        "database-form",
        database_form::page(&chrome, None, &database_form::DatabaseForm::default()),
    );
    put(
        pages,
        "database-form-sqlite",
        database_form::page(
            &chrome,
            None,
            &database_form::DatabaseForm {
                engine: Engine::Sqlite,
                path: "/srv/app/app.db".into(),
                ..Default::default()
            },
        ),
    );
    let mut form = database_form::DatabaseForm {
        name: "Shop".into(),
        host: "db.example".into(),
        port: "54x".into(),
        dbname: "shop".into(),
        user: "backup".into(),
        password_stored: true,
        ..Default::default()
    };
    form.errors.add("name", "a short name has only lower-case letters a–z, digits, _ and -");
    form.errors.add("port", "a port is a number from 1 to 65535");
    put(pages, "database-form-errors", database_form::page(&chrome, Some(&shop), &form));
    let delete = |refused: Option<&str>| {
        database_delete::page(
            &chrome,
            &database_delete::DatabaseDeletePage {
                database: shop.clone(),
                backups: 28,
                total_bytes: 7_000_000_000,
                refused: refused.map(Into::into),
            },
        )
    };
    put(pages, "database-delete", delete(None));
    put(
        pages,
        "database-delete-refused",
        delete(Some("A backup of it is running. Cancel it first.")),
    );
}

fn errors(pages: &mut Pages) {
    use error::ErrorPage;
    for (name, page) in [
        ("400", ErrorPage::BadRequest("The page number is not a number.".into())),
        ("403", ErrorPage::Forbidden),
        ("403-form", ErrorPage::FormExpired),
        ("404", ErrorPage::NotFound),
        ("405", ErrorPage::Method),
        ("409", ErrorPage::Conflict("This backup is still being made.".into())),
        ("413", ErrorPage::TooLarge),
        ("429", ErrorPage::TooMany(40)),
        ("500", ErrorPage::Internal("0199f2c4".into())),
        ("503", ErrorPage::Unavailable),
    ] {
        put(pages, &format!("error-{name}"), error::page(&data::chrome(None), &page));
    }
    put(pages, "error-nobody", error::page(&data::nobody(), &ErrorPage::NotFound));
}
