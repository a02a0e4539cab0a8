//! The list and the form for one more.

use cofferdam_model::{Engine, FileState};
use cofferdam_views::{
    BackupQuery, Nav,
    pages::{backup_new, backups},
};

use super::{Pages, put};
use crate::data;

pub(super) fn lists(pages: &mut Pages) {
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
    for day in 3_u32..9 {
        items.push(data::done(data::completed(
            &shop,
            i64::from(day) * 86_400,
            250_000_000 - u64::from(day) * 977_000,
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
