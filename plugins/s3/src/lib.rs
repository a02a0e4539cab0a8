//! Keeps backups in any S3-compatible object store.

mod answer;
mod bucket;
mod fetch;
mod listing;
mod multipart;
mod object;
mod parts;
mod proof;
mod retry;
mod settings;
mod store;
mod xml;

use cofferdam_plugin::{Backup, Description, Grant, Page, Plugin, Receipt, Result, Storage};

use bucket::Bucket;
use settings::Settings;

/// The plugin.
#[derive(Debug)]
pub struct S3;

cofferdam_plugin::storage!(S3);

impl Plugin for S3 {
    type Settings = Settings;

    fn describe() -> Description {
        Description {
            id: "s3",
            name: "S3 object store",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Keeps backups in a bucket of Amazon S3 or any service that speaks its \
                      language: MinIO, Ceph, Garage, Cloudflare R2, Backblaze B2, Wasabi, Hetzner.",
            author: "Cofferdam",
            homepage: None,
            settings: settings::schema(),
            grants: &[Grant::Network],
        }
    }

    fn check(settings: Settings) -> Result<String> {
        settings.verify()?;
        store::try_out(&settings, &Bucket::new(&settings)?)
    }
}

impl Storage for S3 {
    fn store(settings: Settings, backup: &Backup) -> Result<Receipt> {
        settings.verify()?;
        store::store(&settings, &Bucket::new(&settings)?, backup)
    }

    fn open(settings: Settings, location: &str, offset: u64, length: Option<u64>) -> Result<()> {
        settings.verify()?;
        fetch::open(&Bucket::new(&settings)?, location, offset, length)
    }

    fn remove(settings: Settings, location: &str) -> Result<()> {
        settings.verify()?;
        fetch::remove(&Bucket::new(&settings)?, location)
    }

    fn list(settings: Settings, cursor: Option<&str>) -> Result<Page> {
        settings.verify()?;
        listing::list(&settings, &Bucket::new(&settings)?, cursor)
    }
}
