//! Everything that service functions need, opened once.

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use chrono::Utc;
use cofferdam_artifact::{Claim, Folder, FolderError, FolderId};
use cofferdam_backup::Clients;
use cofferdam_catalog::{Catalog, Digest};
use cofferdam_model::{DatabaseId, Failure, FailureKind, Secret, Timestamp};
use cofferdam_runtime::Mailer;

use crate::{
    config::{Config, MasterKey},
    http::Throttle,
    hub::Hub,
    mail::SmtpRelay,
    password::Passwords,
    plugins::Plugins,
    service::{Repeats, databases::Checked, retention::Holds},
    vault::Vault,
};

/// Keys of the catalog's settings.
pub mod keys {
    /// The identifier in the backup folder's marker file.
    pub const FOLDER: &str = "folder_id";
    /// When the environment was taken over.
    pub const IMPORTED: &str = "imported_at";
    /// A known text, sealed: proves that the master key is the right one.
    pub const KEY_PROOF: &str = "master_key_proof";
}

const PROOF: &str = "cofferdam";
const IN_USE: &str =
    "stop that console, or give this one a backup folder of its own (the setting backup_dir)";
/// A disk that takes longer than this to show the folder counts as gone.
pub const FOLDER_LIMIT: Duration = Duration::from_secs(10);
/// So long a change waits while another program holds the catalog. Whoever
/// asked over HTTP is still there then, and is told to try again.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// The parts that page, API, command line and worker share.
pub struct App {
    /// The settings.
    pub config: Config,
    /// The records.
    pub catalog: Catalog,
    /// Secrets at rest.
    pub vault: Vault,
    /// Hashing.
    pub passwords: Passwords,
    /// The brake on sign-ins.
    pub throttle: Throttle,
    /// The brake on audit entries about refusals.
    pub denials: Repeats,
    /// The brake on audit entries about parts of files, held while one is written.
    pub parts: tokio::sync::Mutex<Repeats>,
    /// Held while a sidecar is brought in step with its record.
    pub sidecars: Arc<tokio::sync::Mutex<()>>,
    /// What goes on right now.
    pub hub: Hub,
    /// The components that are there.
    pub plugins: Plugins,
    /// The relay for mail, where the settings name one.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// What automatic runs of retention have held back.
    pub holds: Holds,
    /// Keeps others' consoles out of the backup folder.
    claim: Arc<FolderClaim>,
    /// What the last look at each database found, until the console stops.
    pub checks: Mutex<HashMap<DatabaseId, Checked>>,
}

impl App {
    /// Opens catalog and vault, and makes the data folder at the first start.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        make_folders(&config)?;
        refuse_emptied(&config)?;
        let catalog = Catalog::open(&config.catalog.to_string_lossy())
            .await
            .map_err(|error| not_opened(&config.catalog, &error))?
            .with_busy_limit(BUSY_LIMIT);
        let vault = open_vault(&config, &catalog).await?;
        Ok(Self {
            catalog,
            vault,
            passwords: Passwords::default(),
            throttle: Throttle::default(),
            denials: Repeats::of_refusals(),
            parts: tokio::sync::Mutex::new(Repeats::of_parts()),
            sidecars: Arc::default(),
            hub: Hub::default(),
            holds: Holds::default(),
            claim: Arc::new(FolderClaim::new(&config.catalog)),
            checks: Mutex::default(),
            plugins: Plugins::open(&config),
            mailer: mailer(&config)?,
            config,
        })
    }

    /// The present moment, as the catalog keeps it.
    #[allow(clippy::unused_self)] // Whoever asks for the time has an `App`; a test may give it another clock.
    pub fn now(&self) -> Timestamp {
        let now = Utc::now();
        chrono::DateTime::from_timestamp_millis(now.timestamp_millis()).unwrap_or(now)
    }

    /// PostgreSQL's programs, as they are installed now: what a hint told
    /// somebody to install counts at once. Blocks for some milliseconds.
    pub fn clients(&self) -> Clients {
        Clients::discover(self.config.postgres_bin_dir.as_deref())
    }

    /// Makes the backup folder, or takes over one that is there and that
    /// nobody uses; gives what its marker says.
    pub fn make_folder(&self) -> anyhow::Result<FolderId> {
        let (folder, id) = Folder::create(&self.config.backup_dir)?;
        self.claim.hold(&folder).map_err(|error| match error {
            FolderError::InUse(_) => anyhow::anyhow!("{error}\nHINT: {IN_USE}"),
            other => other.into(),
        })?;
        Ok(id)
    }

    /// The backup folder. Opened anew each time, because a disk may be
    /// unmounted under a running console; a folder without our marker is
    /// refused, and nothing is written to it or deleted from it. So is one
    /// that a program with another catalog uses; its kind of failure is
    /// [`FailureKind::Settings`].
    pub async fn folder(&self) -> Result<Folder, Failure> {
        let id = self.catalog.setting(keys::FOLDER).await.map_err(|error| {
            Failure::new(FailureKind::Internal, "the catalog cannot be read")
                .detail(error.to_string())
        })?;
        let id = id.and_then(|text| text.parse::<FolderId>().ok());
        let id = id.ok_or_else(|| {
            Failure::new(FailureKind::Internal, "the backup folder was never set up")
        })?;
        let path = self.config.backup_dir.clone();
        let unusable = |reason: String| {
            let message = format!("the backup folder cannot be used: {reason}");
            Failure::new(FailureKind::Storage, message)
                .hint("mount the disk that holds it, or correct the setting backup_dir")
        };
        let claim = self.claim.clone();
        let open = move || {
            let folder = Folder::open(&path, id)?;
            claim.hold(&folder)?;
            Ok(folder)
        };
        // A disk that does not answer must not stop everything else.
        match tokio::time::timeout(FOLDER_LIMIT, tokio::task::spawn_blocking(open)).await {
            Ok(Ok(Err(error @ FolderError::InUse(_)))) => {
                Err(Failure::new(FailureKind::Settings, error.to_string()).hint(IN_USE))
            }
            Ok(Ok(opened)) => opened.map_err(|error| unusable(error.to_string())),
            Ok(Err(panic)) => Err(unusable(panic.to_string())),
            Err(_) => Err(unusable("its disk does not answer".to_owned())),
        }
    }
}

fn mailer(config: &Config) -> anyhow::Result<Option<Arc<dyn Mailer>>> {
    let Some(relay) = &config.mail else { return Ok(None) };
    Ok(Some(Arc::new(SmtpRelay::new(relay, &config.plugin_authorities)?)))
}

/// The claim on the backup folder, made with its first use and again when
/// another folder stands there.
struct FolderClaim {
    owner: String,
    held: Mutex<Option<Claim>>,
}

impl FolderClaim {
    /// In the name of this very file: a copy of a catalog is another one.
    fn new(catalog: &Path) -> Self {
        let machine = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let file = fs::metadata(catalog).map(|it| (it.dev(), it.ino())).unwrap_or_default();
        let owner = Digest::of(format!("{machine} {file:?}")).to_hex();
        Self { owner, held: Mutex::default() }
    }

    fn hold(&self, folder: &Folder) -> Result<(), FolderError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if !held.as_ref().is_some_and(|claim| claim.is_of(folder)) {
            *held = folder.claim(&self.owner)?;
        }
        Ok(())
    }
}

/// Does something in the backup folder off the async threads. A disk that does
/// not answer ends the wait, so that only what needs it stops.
pub async fn at_folder<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::time::timeout(limit, tokio::task::spawn_blocking(work))
        .await
        .context("the backup folder's disk does not answer")??
}

fn not_opened(path: &Path, error: &cofferdam_catalog::Error) -> anyhow::Error {
    let hint = match error {
        cofferdam_catalog::Error::Damaged(_) => {
            "\nHINT: put a copy of it back, or move it away together with its -wal and -shm files; \
             the next start then makes a new one and takes the backups in the folder back, \
             but users and databases have to be entered again"
        }
        _ => "",
    };
    anyhow::anyhow!("the catalog {} cannot be opened: {error}{hint}", path.display())
}

/// The folders that every start needs, for this user only.
pub fn make_folders(config: &Config) -> anyhow::Result<()> {
    make_private(&config.data_dir)?;
    make_private(&config.plugin_dir)?;
    config.catalog.parent().map_or(Ok(()), make_private)
}

fn make_private(folder: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))
}

/// A catalog is never empty once there is a master key of ours: the file was
/// cut by a disk or a hand. Filling it anew would offer the set-up to whoever
/// comes first.
fn refuse_emptied(config: &Config) -> anyhow::Result<()> {
    let empty = fs::metadata(&config.catalog).is_ok_and(|it| it.len() == 0);
    if empty && matches!(&config.master_key, MasterKey::Own(key) if key.exists()) {
        bail!(
            "the catalog {} is empty, although it was in use before\n\
             HINT: put it back from a backup of the data folder, or remove it to begin anew from the backup folder",
            config.catalog.display()
        );
    }
    Ok(())
}

/// Opens the vault and proves the key against the catalog; the first key of
/// all leaves its proof there.
async fn open_vault(config: &Config, catalog: &Catalog) -> anyhow::Result<Vault> {
    let proof = catalog.setting(keys::KEY_PROOF).await?;
    let vault = Vault::open(&config.master_key, proof.is_none())?;
    let proof = match proof {
        Some(proof) => proof,
        None => first_proof(catalog, &vault).await?,
    };
    let sealed = hex::decode(&proof).unwrap_or_default();
    let known = vault.unseal(keys::KEY_PROOF, &sealed);
    if !known.is_ok_and(|text| text.expose() == PROOF) {
        bail!(
            "the master key is not the one this catalog was made with\n\
             HINT: restore the right key; with another one, stored passwords cannot be read"
        );
    }
    Ok(vault)
}

/// Writes the proof, unless another first start was quicker: then its proof counts.
async fn first_proof(catalog: &Catalog, vault: &Vault) -> anyhow::Result<String> {
    let mut tx = catalog.begin().await?;
    if let Some(proof) = tx.setting(keys::KEY_PROOF).await? {
        return Ok(proof);
    }
    let proof = hex::encode(vault.seal(keys::KEY_PROOF, &Secret::new(PROOF)));
    tx.set_setting(keys::KEY_PROOF, &proof).await?;
    tx.commit().await?;
    Ok(proof)
}
