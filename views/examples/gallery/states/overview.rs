//! The overview.

use cofferdam_model::{Engine, FileState};
use cofferdam_views::{Chrome, Nav, Notice, NoticeKind, pages::overview};

use super::{Pages, put};
use crate::data;

pub(super) fn overviews(pages: &mut Pages) {
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
        own_catalog: None,
        generate: data::generate(&[&shop, &wiki, &catalog]),
    };
    put(pages, "overview-good", overview::page(&chrome, &page));
    put(pages, "overview-viewer", overview::page(&data::viewer(Some(Nav::Overview)), &page));

    let mut running = page.clone();
    running.running = vec![data::running(&shop), data::pending(&wiki)];
    running.recent.insert(0, running.running[0].clone());
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
        own_catalog: Some(catalog.id),
        ..Default::default()
    };
    put(pages, "overview-first", overview::page(&chrome, &first));
    put(pages, "overview-first-viewer", overview::page(&data::viewer(Some(Nav::Overview)), &first));
    put(pages, "overview-none", overview::page(&chrome, &overview::OverviewPage::default()));
}
