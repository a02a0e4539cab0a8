//! Copies backups into a granted folder, and says which have had their time.

mod mark;
mod policy;
mod settings;
mod shelf;

use cofferdam_plugin::{
    Backup, Candidate, Description, Expired, Grant, Page, Plugin, Receipt, Result, Retention,
    Storage, folder::Folder, time::Timestamp,
};

use settings::Settings;
use shelf::Shelf;

/// The plugin.
#[derive(Debug)]
pub struct LocalRetention;

cofferdam_plugin::storage_with_retention!(LocalRetention);

impl Plugin for LocalRetention {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            id: "local-retention",
            name: "Folder with retention",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Keeps a copy of each backup in a folder of this machine, and decides how \
                      long backups are kept: by age, by number, or by generations.",
            author: "Cofferdam",
            homepage: None,
            settings: settings::schema(),
            grants: &[Grant::Folder],
        }
    }

    fn check(settings: Settings) -> Result<String> {
        let policy = settings.policy()?;
        let shelf = Shelf::new(Folder::granted()?);
        shelf.try_out()?;
        // Somebody who expects copies there sees that the disk is not mounted.
        let empty = if !shelf.is_marked()? && shelf.is_empty(&settings.path)? {
            ". The folder holds no copies yet"
        } else {
            ""
        };
        Ok(format!("The folder may be written to. {policy}{empty}"))
    }
}

impl Storage for LocalRetention {
    fn store(settings: Settings, backup: &Backup) -> Result<Receipt> {
        Shelf::new(Folder::granted()?).store(&settings.path, backup)
    }

    fn open(_: Settings, location: &str, offset: u64, length: Option<u64>) -> Result<()> {
        Shelf::new(Folder::granted()?).open(location, offset, length)
    }

    fn remove(_: Settings, location: &str) -> Result<()> {
        Shelf::new(Folder::granted()?).remove(location)
    }

    fn list(settings: Settings, cursor: Option<&str>) -> Result<Page> {
        Shelf::new(Folder::granted()?).list(&settings.path, cursor)
    }
}

impl Retention for LocalRetention {
    fn select(
        settings: Settings,
        now: Timestamp,
        candidates: &[Candidate],
    ) -> Result<Vec<Expired>> {
        Ok(settings.policy()?.select(now, candidates))
    }
}
