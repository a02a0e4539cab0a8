//! The component under test with everything that it is called with.

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix_web::web::Bytes;
use cofferdam_model::{Grants, HostGrant};
use cofferdam_runtime::{
    BackupFacts, Call, CallError, Candidate, Event, Expired, Failure, Fetched, Limits, Outcome,
    Page, Plugin, Receipt, Usage,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::mpsc::Sender;

use super::{
    Wishes,
    content::Content,
    facts,
    heard::Heard,
    relay::Relay,
    report::{Fault, Finding, Source, broken, not_applicable},
    settings,
};
use crate::service::{
    Error,
    destinations::{places, settings as schema},
};

/// A call that moves no file ends after so long, as in the console.
const ANSWER: Duration = Duration::from_secs(30);
/// An author waits for no more than this without a byte of the file passing.
const IDLE: Duration = Duration::from_mins(1);

/// See the module.
pub struct Stand {
    /// The component.
    pub plugin: Arc<Plugin>,
    /// Where the good settings came from.
    pub source: Source,
    /// Settings that bad ones are made from: the good ones, or at least some
    /// of the right shape.
    pub base: Value,
    /// What the settings name, and what the author wished.
    pub grants: Grants,
    /// What its author says that it has to refuse.
    pub bad: Vec<Value>,
    /// The size of the large file.
    pub size: u64,
    /// Takes its mails.
    pub relay: Arc<Relay>,
    /// Hears of all calls.
    pub heard: Arc<Heard>,
    /// Removed at the end.
    _folder: Option<TempDir>,
}

impl Stand {
    /// Puts the component up.
    ///
    /// # Errors
    /// Where the settings do not fit its schema.
    pub fn new(plugin: Arc<Plugin>, wishes: Wishes) -> Result<Self, Error> {
        let about = plugin.description();
        let schema = &about.settings_schema;
        let mut own = None;
        let mut grants = Grants { hosts: wishes.hosts, folder: None, mail: about.grants.mail };
        if about.grants.folder {
            let named = wishes.settings.as_ref().map(|it| places::folders(schema, it));
            let named = named.into_iter().flatten().map(|(_, folder)| folder).next();
            let folder = match wishes.folder.or(named) {
                Some(folder) => folder,
                None => own_folder(&mut own)?,
            };
            let absolute = folder.canonicalize().map_err(|error| {
                Error::BadRequest(format!(
                    "the folder {} cannot be used: {error}",
                    folder.display()
                ))
            })?;
            grants.folder = Some(absolute);
        }
        let (source, base) = if let Some(mut given) = wishes.settings {
            settings::name_folder(schema, &mut given, grants.folder.as_deref());
            schema::complete(schema, &mut given);
            let wrong = schema::wrong(schema, &given);
            if !wrong.is_empty() {
                return Err(Error::Invalid(wrong));
            }
            (Source::Given, given)
        } else {
            let made = settings::made(schema, grants.folder.as_deref());
            let fits = schema::wrong(schema, &made).is_empty();
            // Nobody has said which host may be reached.
            let works = fits && !about.grants.network;
            (if works { Source::Made } else { Source::None }, made)
        };
        for named in places::hosts(schema, &base).0 {
            if let Ok(host) = named.host.parse() {
                grants.hosts.push(HostGrant { host, port: named.port, private: wishes.private });
            }
        }
        Ok(Self {
            source,
            base,
            grants,
            bad: wishes.bad_settings,
            size: wishes.size,
            relay: Arc::default(),
            heard: Arc::default(),
            _folder: own,
            plugin,
        })
    }

    /// The schema of its settings.
    pub fn schema(&self) -> &Value {
        &self.plugin.description().settings_schema
    }

    /// Settings that work, or the reason why there are none.
    pub fn good(&self) -> Result<&Value, Fault> {
        match self.source {
            Source::Given | Source::Made => Ok(&self.base),
            Source::None => not_applicable("no settings that work were given"),
        }
    }

    /// A call with these settings and everything that is granted.
    pub fn call(&self, settings: &Value) -> Call {
        Call {
            settings: settings.clone(),
            grants: self.grants.clone(),
            limits: Limits { idle: ANSWER, longest: ANSWER, ..Limits::default() },
            observer: self.heard.clone(),
            mailer: Some(self.relay.clone()),
        }
    }

    /// The same, for a call that moves a file.
    pub fn moving(&self, settings: &Value) -> Call {
        Call { limits: Limits { idle: IDLE, ..Limits::default() }, ..self.call(settings) }
    }

    fn noted<T>(&self, outcome: Outcome<T>) -> (Result<T, CallError>, Usage) {
        if let Err(error) = &outcome.result {
            self.heard.text("a failure", &error.to_string());
        }
        (outcome.result, outcome.usage)
    }

    /// `plugin.check`.
    pub async fn check(&self, call: Call) -> Result<String, CallError> {
        let said = self.noted(self.plugin.check(call).await).0?;
        self.heard.text("the answer of check", &said);
        Ok(said)
    }

    /// `storage.store`.
    pub async fn store(
        &self,
        call: Call,
        backup: &BackupFacts,
        content: Content,
    ) -> (Result<Receipt, CallError>, Usage) {
        let outcome = self.plugin.store(call, backup.clone(), Arc::new(content)).await;
        let (result, usage) = self.noted(outcome);
        if let Ok(receipt) = &result {
            self.heard.text("the location of a receipt", &receipt.location);
            self.heard.text("the note of a receipt", receipt.note.as_deref().unwrap_or_default());
        }
        (result, usage)
    }

    /// `storage.open`.
    pub async fn open(
        &self,
        call: Call,
        location: &str,
        offset: u64,
        length: Option<u64>,
        sink: Sender<Bytes>,
    ) -> Result<Fetched, CallError> {
        self.noted(self.plugin.open(call, location.to_owned(), offset, length, sink).await).0
    }

    /// `storage.remove`.
    pub async fn remove(&self, settings: &Value, location: &str) -> Result<(), CallError> {
        self.noted(self.plugin.remove(self.call(settings), location.to_owned()).await).0
    }

    /// `storage.list`.
    pub async fn list(&self, settings: &Value, cursor: Option<String>) -> Result<Page, CallError> {
        self.noted(self.plugin.list(self.call(settings), cursor).await).0
    }

    /// `notifier.notify`.
    pub async fn notify(&self, call: Call, event: Event) -> Result<String, CallError> {
        let said = self.noted(self.plugin.notify(call, event).await).0?;
        self.heard.text("the answer of notify", &said);
        Ok(said)
    }

    /// `retention.select`.
    pub async fn select(
        &self,
        settings: &Value,
        candidates: Vec<Candidate>,
    ) -> Result<Vec<Expired>, CallError> {
        let call = self.call(settings);
        let expired = self.noted(self.plugin.select(call, facts::moment(), candidates).await).0?;
        for one in &expired {
            self.heard.text("the reason of a policy", &one.reason);
        }
        Ok(expired)
    }

    /// Whether none of the texts so far holds a secret.
    pub fn secrets_kept(&self) -> Finding {
        let places = schema::marked(self.schema(), "secret");
        let secrets = places.iter().filter_map(|place| schema::get(&self.base, place)?.as_str());
        // A shorter one would be found in any text.
        let secrets: Vec<&str> = secrets.filter(|secret| secret.len() >= 6).collect();
        if secrets.is_empty() {
            return not_applicable("the settings hold no secret");
        }
        // The console takes out those that it finds: the component's text had one.
        match self.heard.holds(&[&secrets[..], &["[secret]"]].concat()) {
            Some(what) => broken(format!("{what} holds a secret")),
            None => Ok(format!("none is in its {} texts", self.heard.count())),
        }
    }
}

fn own_folder(own: &mut Option<TempDir>) -> Result<PathBuf, Error> {
    let folder = tempfile::tempdir().map_err(|error| Error::Internal(error.into()))?;
    let path = folder.path().to_owned();
    *own = Some(folder);
    Ok(path)
}

/// An answer that was not expected, as a sentence.
pub fn told(error: &CallError) -> String {
    match error {
        CallError::Failure(failure) => format!("it answered {}: {failure}", word(failure)),
        other => other.to_string(),
    }
}

/// The case of a failure, as the contract names it.
pub fn word(failure: &Failure) -> &'static str {
    match failure {
        Failure::InvalidConfig(_) => "invalid-config",
        Failure::Denied(_) => "denied",
        Failure::NotFound(_) => "not-found",
        Failure::Temporary { .. } => "temporary",
        Failure::Permanent(_) => "permanent",
    }
}
