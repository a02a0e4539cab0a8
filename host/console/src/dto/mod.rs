//! The JSON of the API, which is also what `--json` prints. Field names are a
//! contract: they are only ever added to.

mod backup;
mod backup_calls;
mod database;
mod destination;
mod plugin;
mod retention;
mod session;
mod status;

pub use backup::{Backup, BackupPage};
pub use backup_calls::{BackupLog, BackupQuery, BackupState, Labels, LogEntry, NewBackup, Pin};
pub use database::{AddedDatabase, ConnectionView, Database, DatabaseInput, DatabaseList};
pub use destination::{
    Attempt, Delivery, DeliveryDetail, DeliveryList, Destination, DestinationCheck,
    DestinationInput, DestinationList, LastCheck, SettingError,
};
pub use plugin::{Approval, Plugin, PluginAbout, PluginImport, PluginList, PluginState};
pub use retention::{DatabaseRetention, ExpiredCopy, Retention, RetentionWish};
pub use session::{LoginAnswer, LoginRequest};
pub use status::{Stats, Status};
