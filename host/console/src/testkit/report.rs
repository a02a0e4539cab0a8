//! What the kit finds: one verdict per clause of the contract.

use std::fmt;

use serde::Serialize;

use super::rules::Rule;

/// How a component stands to a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does as the contract asks.
    Kept,
    /// It does not.
    Broken,
    /// The clause is about something that it does not do, or that could not be
    /// tried with what the kit was given.
    NotApplicable,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kept => "kept",
            Self::Broken => "BROKEN",
            Self::NotApplicable => "-",
        })
    }
}

/// Why a clause is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// See [`Verdict::Broken`].
    Broken(String),
    /// See [`Verdict::NotApplicable`].
    NotApplicable(String),
}

/// What was found about a clause, as a sentence.
pub type Finding = Result<String, Fault>;

/// The component does not do as the clause asks, and this is what it does.
pub fn broken<T>(text: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Broken(text.into()))
}

/// The clause cannot be tried, and this is why.
pub fn not_applicable<T>(text: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::NotApplicable(text.into()))
}

/// The verdict on one clause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// Its name: `storage.again`.
    #[serde(rename = "clause")]
    pub name: &'static str,
    /// How the component stands to it.
    pub verdict: Verdict,
    /// What was found, in a sentence.
    pub found: String,
    /// What the contract asks, in a sentence.
    pub asks: &'static str,
    /// How long finding it took.
    pub took_ms: u64,
}

impl Clause {
    /// The verdict that a finding is.
    pub fn new(rule: &Rule, finding: Finding, took_ms: u64) -> Self {
        let (verdict, found) = match finding {
            Ok(found) => (Verdict::Kept, found),
            Err(Fault::Broken(found)) => (Verdict::Broken, found),
            Err(Fault::NotApplicable(found)) => (Verdict::NotApplicable, found),
        };
        Self { name: rule.name, verdict, found, asks: rule.asks, took_ms }
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the component says it is; nothing where it could not be loaded.
    pub plugin: Option<About>,
    /// Where the settings came from that it was tried with.
    pub settings: Source,
    /// In the order in which they were tried.
    pub clauses: Vec<Clause>,
}

impl Report {
    /// How many clauses have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.clauses.iter().filter(|it| it.verdict == verdict).count()
    }
}

/// What the component says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct About {
    /// Its short name.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The SHA-256 of its file.
    pub sha256: String,
    /// What it exports.
    pub roles: Vec<&'static str>,
}

/// Where the settings came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The author gave them.
    Given,
    /// They were made from the schema.
    Made,
    /// There are none that could work.
    None,
}
