//! Databases.

use cofferdam_model::{Engine, Failure, FailureKind};
use cofferdam_views::{
    Nav,
    pages::{database, database_delete, database_form, databases},
};

use super::{Pages, put};
use crate::data;

pub(super) fn database_pages(pages: &mut Pages) {
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
                    role_sql: None,
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
                generate: data::generate(&[&catalog]),
            },
        ),
    );
}

pub(super) fn forms(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Databases));
    let shop = data::database("shop", Engine::Postgres);
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
