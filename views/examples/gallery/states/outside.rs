//! Plugins and destinations.

use cofferdam_model::DeliveryStatus;
use cofferdam_views::{
    FieldErrors, Nav,
    pages::{
        destination, destination_delete, destination_form, destination_new, destination_retention,
        destinations, plugin, plugin_revoke, plugins,
    },
    schema::Tick,
};
use serde_json::json;

use super::{Pages, put};
use crate::{
    data,
    outside::{self, about, card, choice, plugin as item, plugin_page, s3},
};

pub(super) fn plugin_pages(pages: &mut Pages) {
    use plugins::PluginState::{Approved, Changed, Gone, Reading, Refused, Waiting};
    let chrome = data::chrome(Some(Nav::Plugins));
    let list = |plugins| plugins::PluginsPage {
        folder: "/var/lib/cofferdam/plugins".into(),
        folder_problem: None,
        plugins,
        errors: FieldErrors::new(),
    };
    put(pages, "plugins", plugins::page(&chrome, &list(outside::plugins())));
    put(pages, "plugins-empty", plugins::page(&chrome, &list(Vec::new())));
    let mut failed = list(outside::plugins());
    failed.errors.add("component", "this file is no WebAssembly component");
    put(pages, "plugins-upload-failed", plugins::page(&chrome, &failed));

    let mut unreadable = list(outside::plugins());
    unreadable.folder_problem = Some("the plugin folder /var/lib/cofferdam/plugins cannot be read: Permission denied\nHINT: let the account that the console runs under read it, or name another folder in the setting plugin_dir".into());
    put(pages, "plugins-folder-unreadable", plugins::page(&chrome, &unreadable));

    let waiting = plugin_page(item(0, s3(), Waiting));
    put(pages, "plugin-waiting", plugin::page(&chrome, &waiting));
    let mut wrong = waiting.clone();
    wrong.form.hosts = "s3.example".into();
    wrong.form.errors.add("hosts", "a port is needed behind the host: s3.example:443");
    put(pages, "plugin-errors", plugin::page(&chrome, &wrong));
    let mut approved = plugin_page(item(2, s3(), Approved));
    approved.destinations = vec![(outside::destination("offsite").id, "offsite".into())];
    approved.problems = vec![outside::problem()];
    put(pages, "plugin-approved", plugin::page(&chrome, &approved));
    let mut changed = plugin_page(item(1, s3(), Changed));
    changed.form = plugin::ApproveForm::of(&outside::grants());
    changed.before = Some(plugin::Before {
        hashes: Some(("2d".repeat(32), "7f".repeat(32))),
        changes: vec![
            "version 1.2.0 instead of 1.1.0".into(),
            "imports now: wasi:http/outgoing-handler@0.2.0".into(),
        ],
        grants: outside::grants(),
    });
    put(pages, "plugin-changed", plugin::page(&chrome, &changed));
    let mut all = about("Everything", "Asks for all that there is.");
    all.asks = plugins::Asks { network: true, folder: true, mail: true };
    put(pages, "plugin-asks-all", plugin::page(&chrome, &plugin_page(item(3, all, Waiting))));
    let mut none = about("Calculator", "Says which backups may go.");
    none.asks = plugins::Asks::default();
    let mut none = plugin_page(item(4, none, Waiting));
    none.imports.clear();
    put(pages, "plugin-asks-nothing", plugin::page(&chrome, &none));
    for (name, state) in [
        ("plugin-gone", Gone),
        ("plugin-reading", Reading),
        ("plugin-refused", Refused("This is a core module, not a component.".into())),
    ] {
        let mut page = plugin_page(item(5, s3(), state));
        if name != "plugin-gone" {
            page.item.about = None;
        }
        put(pages, name, plugin::page(&chrome, &page));
    }
    let revoke =
        plugin_revoke::PluginRevokePage { item: approved.item, destinations: 2, refused: None };
    put(pages, "plugin-revoke", plugin_revoke::page(&chrome, &revoke));
}

pub(super) fn destination_pages(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Destinations));
    let mut off = card("old-bucket", DeliveryStatus::Completed);
    off.destination.enabled = false;
    let mut blocked = card("webdav", DeliveryStatus::Blocked);
    blocked.blocked = Some("Its plugin WebDAV has changed and waits for approval.".into());
    let mut fresh = card("nas", DeliveryStatus::Completed);
    (fresh.last, fresh.good, fresh.all) = (None, 0, 0);
    fresh.history.clear();
    let cards = vec![
        card("offsite", DeliveryStatus::Completed),
        card("second-bucket", DeliveryStatus::Failed),
        blocked.clone(),
        fresh.clone(),
        off.clone(),
    ];
    put(pages, "destinations", destinations::page(&chrome, &cards));
    put(pages, "destinations-empty", destinations::page(&chrome, &[]));

    let page = destination::DestinationPage {
        held: None,
        card: cards[0].clone(),
        component: Some(outside::hash(2)),
        settings: outside::schema().summary(settings().as_object().expect("an object")),
        secrets: vec!["Secret key".into()],
        databases: Some(vec!["shop".into(), "crm".into()]),
        tested: None,
        left: vec![outside::left_behind()],
        recent: outside::items(),
    };
    put(pages, "destination", destination::page(&chrome, &page));
    for (name, result) in [
        ("destination-tested", Ok("The bucket company-backups is there and may be written to")),
        ("destination-test-failed", Err("s3.eu-central.example:443 has not been allowed")),
    ] {
        let tested = destination::Tested {
            at: data::ago(2),
            millis: 340,
            hint: result.is_err().then(|| "allow it on the plugin's page".into()),
            result: result.map(Into::into).map_err(Into::into),
            log: data::log(3),
        };
        let page = destination::DestinationPage { tested: Some(tested), ..page.clone() };
        put(pages, name, destination::page(&chrome, &page));
    }
    for (name, card) in
        [("destination-off", off), ("destination-blocked", blocked), ("destination-fresh", fresh)]
    {
        let recent = if card.last.is_none() { Vec::new() } else { page.recent.clone() };
        let left = Vec::new();
        let page = destination::DestinationPage { card, left, recent, ..page.clone() };
        put(pages, name, destination::page(&chrome, &page));
    }
    retention(pages, &cards[0].destination);
    let delete = destination_delete::DestinationDeletePage {
        card: cards[0].clone(),
        waiting: 3,
        refused: None,
    };
    put(pages, "destination-delete", destination_delete::page(&chrome, &delete));
}

/// What would go: something, nothing, and what stands in the way.
fn retention(pages: &mut Pages, of: &cofferdam_model::Destination) {
    use destination_retention::{RetentionItem, RetentionOf, RetentionPage, page};
    let chrome = data::chrome(Some(Nav::Destinations));
    let item = |day: i64, reason: &str| RetentionItem {
        backup: cofferdam_model::BackupId::new(),
        filename: format!("backup_shop_202611{day:02}_020000.sql.gz"),
        created_at: data::ago(86_400 * (21 - day)),
        size_bytes: 254_118_221,
        reason: reason.into(),
    };
    let shop = RetentionOf {
        database: "shop".into(),
        copies: 31,
        goes: vec![item(3, "older than 14 days"), item(2, "older than 14 days")],
        stays: vec![item(1, "it is the last good one")],
        held: None,
    };
    let held = RetentionOf {
        database: "crm".into(),
        goes: Vec::new(),
        stays: Vec::new(),
        held: Some("what is stored there could not be listed: it refused the connection".into()),
        ..shop.clone()
    };
    for (name, databases, refused) in [
        ("retention", vec![held, shop], None),
        ("retention-nothing", Vec::new(), None),
        ("retention-refused", Vec::new(), Some("This destination keeps no copies.".to_owned())),
    ] {
        let data = RetentionPage { destination: of.clone(), databases, refused };
        put(pages, name, page(&chrome, &data));
    }
}

fn settings() -> serde_json::Value {
    json!({
        "endpoint": "https://s3.eu-central.example", "bucket": "company-backups",
        "path": "backups/{database}/{yyyy}/{mm}/{filename}", "access_key": "AKIDEXAMPLE",
        "class": "GLACIER", "lock": true, "lock_for": "30d", "labels": ["eu", "nightly"],
        "checks": ["SHA-256"], "headers": { "x-team": "ops" },
    })
}

pub(super) fn destination_forms(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Destinations));
    let plugins: Vec<_> =
        outside::plugins().into_iter().filter_map(|it| it.about).map(choice).collect();
    put(pages, "destination-choose", destination_new::page(&chrome, &plugins));
    put(pages, "destination-choose-none", destination_new::page(&chrome, &[]));
    let tick = |label: &str| Tick { text: label.into(), label: label.into(), on: false };
    let schema = outside::schema();
    let blank = destination_form::DestinationForm {
        plugin: choice(s3()),
        name: String::new(),
        settings: schema.blank(),
        databases: vec![tick("shop"), tick("crm"), tick("cofferdam")],
        events: Vec::new(),
        concurrency: "1".into(),
        keep_going: false,
        grant: false,
        grant_private: false,
        tried: None,
        errors: FieldErrors::new(),
    };
    put(pages, "destination-form", destination_form::page(&chrome, None, &blank));
    let offsite = outside::destination("offsite");
    let mut edit = blank.clone();
    edit.name = "offsite".into();
    edit.settings =
        schema.filled(settings().as_object().expect("an object"), &["secret_key", "session"]);
    put(pages, "destination-form-edit", destination_form::page(&chrome, Some(&offsite), &edit));
    let typed =
        [("s.endpoint", "not a host"), ("s.bucket", "ab"), ("s.lock", "true"), ("s.headers", "{x")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()));
    let mut wrong = blank.clone();
    wrong.settings = schema.posted(&typed, &[]).form;
    wrong.settings.whole = vec!["the bucket cannot be reached".into()];
    wrong.name = "Off Site".into();
    wrong.errors.add("name", "a short name has only lower-case letters a–z, digits, _ and -");
    put(pages, "destination-form-errors", destination_form::page(&chrome, None, &wrong));
    let mut chat = blank;
    chat.plugin = choice(outside::plugins().remove(0).about.expect("a plugin"));
    chat.events = vec![tick("A backup failed"), tick("A delivery failed or waits")];
    chat.settings = cofferdam_views::schema::Schema::read(&json!({ "properties": {
        "a b": { "type": "string", "title": "Odd names" }, "ä": { "type": "boolean" },
    } }))
    .blank();
    put(pages, "destination-form-notifier", destination_form::page(&chrome, None, &chat));
}
