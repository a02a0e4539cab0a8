//! Identifiers. Each kind is its own type, so that a backup's can never be
//! passed where a database's is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not an identifier")]
pub struct ParseIdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier: UUIDv7, so that later ones sort after earlier ones.
            #[must_use]
            #[allow(clippy::new_without_default)] // Every call gives another value.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The plain UUID.
            #[must_use]
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                // `Uuid` accepts braces and URNs as well; one spelling is enough for addresses.
                if text.len() != 36 {
                    return Err(ParseIdError);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError)
            }
        }
    };
}

id!(
    /// One run, its record and its file.
    BackupId
);
id!(
    /// A connection that can be backed up.
    DatabaseId
);
id!(
    /// A unit of work under a lease.
    JobId
);
id!(
    /// A person who signs in.
    UserId
);
id!(
    /// A signed-in browser. Not the secret in its cookie.
    SessionId
);
id!(
    /// A bearer token. Not the secret itself.
    TokenId
);
id!(
    /// An entry of the audit log.
    AuditId
);
id!(
    /// A configured instance of a plugin.
    DestinationId
);
id!(
    /// One backup going to one destination, with its attempts.
    DeliveryId
);
