//! What hostile text can do to pages: nothing.

use cofferdam_model::{Engine, Failure, FailureKind, LogLevel, LogLine};
use cofferdam_views::{FieldErrors, Nav, pages};

use crate::{data, outside, tags};

const HOSTILE: &str = "\"><script>alert(1)</script><img src=x hx-get=/x onerror=alert(1)>' \u{202e}gpj.exe & javascript:x";

fn assert_inert(html: &str) {
    assert!(!html.contains("<script>alert") && !html.contains("<img"), "{html}");
    for tag in tags(html) {
        assert!(!tag.contains("hx-get=/x") || tag.contains("&lt;img"), "{tag}");
    }
    // A text that turns the direction around stays inside its own element or attribute.
    for (index, _) in html.match_indices('\u{202e}') {
        let before = &html[..index];
        let open = before.rfind('<').unwrap_or(0);
        let in_attribute = !before[open..].contains('>');
        let isolated = ["<bdi", "<code", "<strong", "<option", "<textarea"]
            .iter()
            .any(|tag| before[open..].starts_with(tag));
        assert!(in_attribute || isolated, "{}", &before[open..]);
    }
}

#[test]
fn hostile_text_in_records_is_inert() {
    let mut database = data::database("shop", Engine::Postgres);
    database.summary = HOSTILE.into();
    let mut item = data::failed(&database, 60);
    item.backup.description = HOSTILE.into();
    item.backup.created_by = HOSTILE.into();
    item.backup.failure =
        Some(Failure::new(FailureKind::Tool, HOSTILE).hint(HOSTILE).detail(HOSTILE));
    let mut page = data::backup_page(item.clone());
    page.log = vec![LogLine { at: data::now(), level: LogLevel::Error, text: HOSTILE.into() }];
    page.labels_typed = Some(HOSTILE.into());
    page.tables = data::tables();
    page.tables[0].name = HOSTILE.into();
    let chrome = data::chrome(Some(Nav::Backups));
    assert_inert(&pages::backup::page(&chrome, &page).into_string());
    assert_inert(&pages::backups::row(&chrome, &item).into_string());

    let mut running = data::running(&database);
    running.progress.as_mut().expect("progress").table = Some(HOSTILE.into());
    page.item = running;
    assert_inert(&pages::backup::live(&chrome, &page).into_string());

    let card = data::card(&database, Some(item), None, 3);
    assert_inert(&pages::databases::page(&chrome, &[card]).into_string());
}

#[test]
fn hostile_text_of_a_plugin_is_inert() {
    use cofferdam_views::{pages::plugins::PluginState, schema::Schema};
    use serde_json::json;

    let chrome = data::chrome(Some(Nav::Plugins));
    let mut about = outside::s3();
    for text in [&mut about.name, &mut about.version, &mut about.summary, &mut about.author] {
        *text = HOSTILE.into();
    }
    about.homepage = Some("javascript:alert(1)".into());
    let mut item = outside::plugin(1, about.clone(), PluginState::Changed);
    item.file = HOSTILE.into();
    item.problem = Some(outside::problem());
    item.problem.as_mut().expect("a problem").text = HOSTILE.into();
    let mut page = outside::plugin_page(item.clone());
    page.problems.extend(item.problem.clone());
    page.imports[0].name = HOSTILE.into();
    page.imports[0].words = HOSTILE.into();
    page.form.hosts = HOSTILE.into();
    let html = pages::plugin::page(&chrome, &page).into_string();
    assert_inert(&html);
    assert!(!html.contains("href=\"javascript:"));
    let refused =
        pages::plugins::PluginItem { state: PluginState::Refused(HOSTILE.into()), ..item.clone() };
    let list = pages::plugins::PluginsPage { plugins: vec![item, refused], ..Default::default() };
    assert_inert(&pages::plugins::page(&chrome, &list).into_string());

    let schema = Schema::read(&json!({ "properties": {
        HOSTILE: { "type": "string", "title": HOSTILE, "description": HOSTILE, "default": HOSTILE },
        "template": { "type": "string", "x-cofferdam": "template", "default": HOSTILE },
        "choice": { "enum": [HOSTILE], "default": HOSTILE },
        "some": { "type": "array", "title": HOSTILE, "items": { "enum": [HOSTILE] } },
        "json": { "type": "object", "default": { HOSTILE: HOSTILE } },
    } }));
    let form = pages::destination_form::DestinationForm {
        plugin: outside::choice(about),
        name: HOSTILE.into(),
        settings: schema.blank(),
        databases: Vec::new(),
        events: Vec::new(),
        concurrency: HOSTILE.into(),
        keep_going: false,
        grant: false,
        grant_private: false,
        tried: None,
        errors: FieldErrors::new(),
    };
    assert_inert(&pages::destination_form::page(&chrome, None, &form).into_string());
    let mut item = outside::item("offsite", cofferdam_model::DeliveryStatus::Failed);
    item.delivery.error = Some(HOSTILE.into());
    item.delivery.note = Some(HOSTILE.into());
    item.delivery.location = Some(HOSTILE.into());
    item.attempts[0].error = Some(HOSTILE.into());
    item.attempts[0].log[0].text = HOSTILE.into();
    let mut backup = data::backup_page(data::done(data::completed(
        &data::database("shop", Engine::Postgres),
        9,
        9,
    )));
    assert_inert(&pages::delivery::page(&chrome, &item).into_string());
    backup.deliveries = vec![item];
    assert_inert(&pages::backup::page(&chrome, &backup).into_string());
}

#[test]
fn hostile_text_in_forms_is_inert_and_kept() {
    let mut errors = FieldErrors::new();
    errors.add("username", HOSTILE);
    let login = pages::login::LoginPage {
        username: HOSTILE.into(),
        next: Some(HOSTILE.into()),
        errors,
        ..Default::default()
    };
    let html = pages::login::page(&data::nobody(), &login).into_string();
    let escaped = "value=\"&quot;&gt;&lt;script&gt;alert(1)";
    assert!(html.contains(escaped));
    assert!(!html.contains("<script>alert"));
    let mut list = pages::backups::BackupsPage { total: 1, ..Default::default() };
    list.query.q = HOSTILE.into();
    let html = pages::backups::page(&data::chrome(Some(Nav::Backups)), &list).into_string();
    assert!(html.contains(escaped));
    assert!(html.contains("hx-get=\"/backups?q=%22%3E%3Cscript%3E"));
    assert_inert(&html);
}
