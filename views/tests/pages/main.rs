//! What holds for every page in every state of the gallery.

#[path = "../../examples/gallery/data.rs"]
mod data;
#[path = "../../examples/gallery/outside.rs"]
mod outside;
#[path = "../../examples/gallery/states/mod.rs"]
mod states;

mod inert;

use std::collections::HashSet;

use cofferdam_model::{BackupStatus, Engine, Failure, FailureKind};
use cofferdam_views::{Notice, NoticeKind, content_security_policy, pages};

/// The opening tags of a page, as written.
pub(crate) fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let mut quoted = false;
        let end = rest
            .char_indices()
            .find(|(_, c)| {
                quoted ^= *c == '"';
                *c == '>' && !quoted
            })
            .map_or(rest.len(), |(index, _)| index + 1);
        if !rest.starts_with("</") && !rest.starts_with("<!") {
            tags.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    tags
}

/// The value of an attribute, still escaped.
pub(crate) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split_once('"').map(|(value, _)| value)
}

fn each(check: impl Fn(&str, &str)) {
    let pages = states::all();
    assert!(pages.len() > 50);
    for (name, page) in pages {
        check(&name, &page.into_string());
    }
}

#[test]
fn every_page_has_one_h1_one_main_and_a_title() {
    each(|name, html| {
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(html.contains(" · Cofferdam</title>"), "{name}");
        assert!(html.contains("href=\"#main\""), "{name}");
    });
}

#[test]
fn no_identifier_stands_twice_on_a_page_and_every_reference_has_its_target() {
    each(|name, html| {
        let tags = tags(html);
        let ids: Vec<&str> = tags.iter().filter_map(|tag| attribute(tag, "id")).collect();
        let known: HashSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), known.len(), "{name}: {ids:?}");
        for tag in &tags {
            for reference in ["for", "aria-describedby"] {
                for id in attribute(tag, reference).unwrap_or_default().split_whitespace() {
                    assert!(known.contains(id), "{name}: {tag}");
                }
            }
            if let Some(id) = attribute(tag, "href").and_then(|href| href.strip_prefix('#')) {
                assert!(known.contains(id), "{name}: {tag}");
            }
        }
    });
}

#[test]
fn every_field_has_a_label() {
    each(|name, html| {
        let tags = tags(html);
        let labelled: HashSet<&str> = tags
            .iter()
            .filter(|tag| tag.starts_with("<label"))
            .filter_map(|tag| attribute(tag, "for"))
            .collect();
        for tag in &tags {
            let field = ["<input", "<select", "<textarea"].iter().any(|it| tag.starts_with(it));
            let silent = tag.contains("type=\"hidden\"")
                || tag.contains(" hidden")
                || tag.contains("type=\"radio\"");
            if field && !silent {
                let id = attribute(tag, "id").unwrap_or_default();
                assert!(labelled.contains(id), "{name}: {tag}");
            }
        }
    });
}

#[test]
fn nothing_on_a_page_needs_more_than_the_policy_allows() {
    each(|name, html| {
        for tag in tags(html) {
            assert!(!tag.contains(" style=") && !tag.starts_with("<style"), "{name}: {tag}");
            assert!(!tag.contains("javascript:") && !tag.contains(" hx-on"), "{name}: {tag}");
            // Names of attributes are what stands outside of the quotes.
            let outside: String = tag.split('"').step_by(2).collect();
            assert!(!outside.split(' ').any(|part| part.starts_with("on")), "{name}: {tag}");
            if tag.starts_with("<script") {
                assert!(tag.contains(" src=") && tag.contains(" nonce="), "{name}: {tag}");
            }
            // hx-csp strips whatever does not carry the nonce; a filter in brackets would be evaluated.
            if tag.contains(" hx-") {
                assert_eq!(attribute(tag, "hx-nonce"), Some(data::NONCE), "{name}: {tag}");
                assert!(
                    !attribute(tag, "hx-trigger").unwrap_or_default().contains('['),
                    "{name}: {tag}"
                );
            }
        }
    });
    let policy = content_security_policy("abc");
    assert!(policy.starts_with("default-src 'none'; script-src 'nonce-abc'"));
    assert!(!policy.contains("unsafe"));
}

#[test]
fn every_form_that_changes_something_carries_the_token() {
    each(|name, html| {
        for form in html.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            if form.contains("method=\"post\"") {
                assert!(form.contains("name=\"csrf\" value=\"c3JmLXRva2Vu\""), "{name}: {form}");
            } else {
                assert!(
                    form.contains("method=\"get\"") && !form.contains("csrf"),
                    "{name}: {form}"
                );
            }
        }
    });
}

#[test]
fn a_viewer_is_offered_nothing_that_would_be_refused() {
    for (name, page) in states::all() {
        if name.ends_with("viewer") {
            let html = page.into_string();
            for tag in tags(&html) {
                let action =
                    attribute(tag, "action").or(attribute(tag, "href")).unwrap_or_default();
                let allowed = tag.starts_with("<form")
                    && (action == "/logout"
                        || action == "/backups" && tag.contains("role=\"search\""));
                assert!(!tag.starts_with("<form") || allowed, "{name}: {tag}");
                assert!(
                    !action.ends_with("/download")
                        && !action.ends_with("/delete")
                        && !action.ends_with("/edit")
                        && !action.ends_with("/new"),
                    "{name}: {tag}"
                );
            }
        }
    }
}

#[test]
fn a_form_with_errors_keeps_what_was_typed_and_says_it_beside_the_field() {
    let (_, page) = states::all()
        .into_iter()
        .find(|(name, _)| name == "database-form-errors")
        .expect("a state");
    let html = page.into_string();
    let port = tags(&html)
        .into_iter()
        .find(|tag| attribute(tag, "name") == Some("port"))
        .expect("a field")
        .to_owned();
    assert_eq!(attribute(&port, "value"), Some("54x"));
    assert_eq!(attribute(&port, "aria-invalid"), Some("true"));
    assert_eq!(attribute(&port, "aria-describedby"), Some("database-port-error"));
    assert!(
        html.contains(
            "<a href=\"#database-port\"><bdi>A port is a number from 1 to 65535.</bdi></a>"
        )
    );
    assert!(html.contains("role=\"alert\" tabindex=\"-1\" autofocus"));
}

#[test]
fn a_password_is_never_written_into_a_page() {
    each(|name, html| {
        for tag in tags(html) {
            if tag.contains("type=\"password\"") {
                assert_eq!(attribute(tag, "value"), None, "{name}: {tag}");
            }
        }
    });
}

#[test]
fn progress_is_told_in_words_in_the_bar_and_in_the_title() {
    let shop = data::database("shop", Engine::Postgres);
    let html = pages::backups::row(&data::chrome(None), &data::running(&shop)).into_string();
    for part in [
        "Dumping",
        "12 of 31 tables",
        "46 %",
        "83 MB/s",
        "about 20 s left",
        "data-title=\"46 % · shop\"",
        "value=\"46.3\" max=\"100\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let preparing = pages::backups::row(&data::chrome(None), &data::preparing(&shop)).into_string();
    assert!(preparing.contains("data-title=\"Running · shop\""));
    assert!(preparing.contains("<progress class=\"bar\" aria-label="));
}

#[test]
fn the_restore_commands_fit_the_file() {
    let shop = data::database("shop", Engine::Postgres);
    let file = data::database("app", Engine::Sqlite);
    let of = |backup| {
        pages::backup::page(&data::chrome(None), &data::backup_page(data::done(backup)))
            .into_string()
    };
    assert!(
        of(data::completed(&shop, 60, 9)).contains(".sql.gz | psql -X -v ON_ERROR_STOP=1 -d newdb")
    );
    assert!(of(data::completed(&file, 60, 9)).contains(".sql.gz | sqlite3 -bail new.db"));
    let mut custom = data::completed(&shop, 60, 9);
    custom.format = cofferdam_model::Format::Custom;
    custom.filename = Some("backup_shop_20261121_100916.dump".into());
    assert!(of(custom.clone()).contains(
        "pg_restore --exit-on-error --no-owner -d newdb backup_shop_20261121_100916.dump"
    ));
    let (roles, replaces) = ("GRANTs are not restored", "begins with DROP … IF EXISTS");
    let html = of(data::completed(&shop, 60, 9));
    assert!(html.contains(roles) && html.contains(replaces));
    let html = of(custom);
    assert!(html.contains(roles) && !html.contains(replaces));
    let html = of(data::completed(&file, 60, 9));
    assert!(!html.contains(roles) && !html.contains(replaces));
    let mut missing = data::completed(&shop, 60, 9);
    missing.file_state = Some(cofferdam_model::FileState::Missing);
    let html = of(missing);
    assert!(!html.contains("gunzip") && !html.contains("/download\""));
}

#[test]
fn an_error_summary_names_each_field() {
    let shop = data::database("shop", Engine::Postgres);
    let mut form = data::generate(&[&shop]);
    form.errors.add("compression_level", "this is needed");
    form.errors.add("format", "plain or custom");
    let html = pages::backup_new::page(&data::chrome(None), &form).into_string();
    assert!(html.contains(">Compression level is needed.</bdi></a>"), "{html}");
    assert!(html.contains(">Format: plain or custom.</bdi></a>"), "{html}");
    assert!(html.contains("<bdi>This is needed.</bdi>"), "beside the field its label stands");
}

#[test]
fn sql_in_a_hint_has_no_full_stop() {
    let shop = data::database("shop", Engine::Postgres);
    let mut item = data::failed(&shop, 60);
    let failure = item.backup.failure.take().expect("a failure");
    item.backup.failure = Some(failure.hint("GRANT SELECT ON t TO backup;"));
    let html = pages::backup::page(&data::chrome(None), &data::backup_page(item)).into_string();
    assert!(html.contains("GRANT SELECT ON t TO backup;<"), "{html}");
}

#[test]
fn a_run_that_was_cut_off_is_told_once() {
    let shop = data::database("shop", Engine::Postgres);
    let mut item = data::failed(&shop, 60);
    let text = "the console was stopped or killed while the backup ran; nothing of it was kept";
    item.backup.failure = Some(Failure::new(FailureKind::Interrupted, text));
    let html = pages::backup::page(&data::chrome(None), &data::backup_page(item)).into_string();
    assert!(html.contains("The console was stopped or killed while the backup ran"));
    assert!(!html.contains("The console stopped while"), "{html}");
}

#[test]
fn sessions_beyond_five_are_folded_and_browsers_have_names() {
    let (_, page) =
        states::all().into_iter().find(|(name, _)| name == "account-many").expect("a state");
    let html = page.into_string();
    let (shown, folded) =
        html.split_once("<details class=\"fold sessions-rest\">").expect("a fold");
    let count = |html: &str| html.matches("Firefox on Linux").count();
    // One of the first says nothing of itself.
    assert_eq!((count(shown), count(folded)), (4, 4));
    assert!(folded.contains("4 more"), "{folded}");
}

#[test]
fn what_needs_somebody_is_five_entries_and_a_count() {
    let databases: Vec<_> =
        (0..9).map(|index| data::database(&format!("db{index}"), Engine::Postgres)).collect();
    let page = pages::overview::OverviewPage {
        databases: databases
            .iter()
            .map(|it| data::card(it, Some(data::failed(it, 60)), None, 0))
            .collect(),
        ..Default::default()
    };
    let html = pages::overview::page(&data::chrome(None), &page).into_string();
    assert_eq!(html.matches("<li class=\"need\">").count(), 5);
    assert!(html.contains("<a href=\"/databases\">4 more databases</a>"), "{html}");
    assert!(html.contains("9 of 9 databases need you"));
}

#[test]
fn every_status_and_notice_has_an_icon_beside_its_word() {
    let shop = data::database("shop", Engine::Postgres);
    for status in BackupStatus::ALL {
        let backup = data::without_file(data::completed(&shop, 5, 1), *status);
        let html = pages::backups::row(&data::chrome(None), &data::done(backup)).into_string();
        assert!(html.contains("<span class=\"badge badge-") && html.contains("</svg>"), "{html}");
        assert!(html.contains(cofferdam_views::text::status(*status)));
    }
    let mut chrome = data::chrome(None);
    chrome.notice = Some(Notice { kind: NoticeKind::Failed, text: "It was not done.".into() });
    let html = pages::error::page(&chrome, &pages::error::ErrorPage::NotFound).into_string();
    assert!(html.contains("role=\"alert\"><svg"));
}
