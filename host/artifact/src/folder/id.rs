//! What a folder is known by.

use std::{fmt, str::FromStr};

use cofferdam_model::ParseIdError;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The identifier in a folder's marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FolderId(Uuid);

impl FolderId {
    /// A new identifier.
    #[must_use]
    #[allow(clippy::new_without_default)] // Every call gives another value.
    pub fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for FolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for FolderId {
    type Err = ParseIdError;
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError)
    }
}
