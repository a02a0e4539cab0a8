//! One backup.

use cofferdam_model::{Engine, FileState, Format, LogLine};
use cofferdam_views::{
    Nav,
    pages::{backup, backup_delete, backup_log},
};

use super::{Pages, put};
use crate::data;

pub(super) fn details(pages: &mut Pages) {
    let chrome = data::chrome(Some(Nav::Backups));
    let shop = data::database("shop", Engine::Postgres);
    let catalog = data::database("cofferdam", Engine::Sqlite);
    let of = |item| backup::page(&chrome, &data::backup_page(item));
    put(pages, "backup-pending", {
        let mut page = data::backup_page(data::pending(&shop));
        page.log.clear();
        page.log_more = false;
        backup::page(&chrome, &page)
    });
    put(pages, "backup-preparing", of(data::preparing(&shop)));
    put(pages, "backup-running", of(data::running(&shop)));
    let mut whole = data::backup_page(data::done(data::completed(&shop, 7_200, 254_118_221)));
    whole.item.backup.description = "before the upgrade to 4.2; it's the \"last\" one".into();
    whole.item.backup.labels = data::labels(&["upgrade", "audit"]);
    whole.item.backup.pinned = true;
    whole.tables = data::tables();
    put(pages, "backup-completed", backup::page(&chrome, &whole));
    put(pages, "backup-completed-viewer", backup::page(&data::viewer(Some(Nav::Backups)), &whole));
    let mut delivered = whole.clone();
    delivered.deliveries = crate::outside::items();
    put(pages, "backup-deliveries", backup::page(&chrome, &delivered));
    put(
        pages,
        "backup-deliveries-viewer",
        backup::page(&data::viewer(Some(Nav::Backups)), &delivered),
    );
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
    put(pages, "backup-failed", of(data::failed(&shop, 3_600)));
    put(pages, "backup-cancelled", of(data::cancelled(&shop, 3_600)));
    let mut gone = data::backup_page(data::failed(&shop, 3_600));
    gone.database_known = false;
    put(pages, "backup-failed-gone", backup::page(&chrome, &gone));
    let log = |lines: Vec<LogLine>| backup_log::BackupLogPage {
        backup: whole.item.backup.clone(),
        lines,
    };
    put(pages, "backup-log", backup_log::page(&chrome, &log(data::log(40))));
    put(pages, "backup-log-empty", backup_log::page(&chrome, &log(Vec::new())));
    let delete = |only_good, refused: Option<&str>| {
        backup_delete::page(
            &chrome,
            &backup_delete::BackupDeletePage {
                copies: vec!["shelf".into(), "offsite".into()],
                backup: whole.item.backup.clone(),
                only_good,
                refused: refused.map(Into::into),
            },
        )
    };
    put(pages, "backup-delete", delete(false, None));
    put(pages, "backup-delete-last", delete(true, None));
    put(pages, "backup-delete-refused", delete(false, Some("It is pinned. Unpin it first.")));
}
