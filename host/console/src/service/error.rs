//! What a service function answers when it does not do what was asked.

use std::borrow::Cow;

use cofferdam_model::Failure;

/// One field of a form or a JSON body that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name in forms and JSON; a setting of a destination as
    /// `settings.bucket`.
    pub field: Cow<'static, str>,
    /// What it should be, as a sentence without a full stop.
    pub message: String,
}

impl FieldError {
    /// This field, and what it should be.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// The kinds that page, API and command line answer differently.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the caller may not know of it.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Some fields are wrong.
    #[error("{}", list(.0))]
    Invalid(Vec<FieldError>),
    /// The state of things does not allow it now.
    #[error("{message}")]
    Conflict {
        /// Why.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The name or the password is wrong; which one is not said.
    #[error("the name or the password is wrong")]
    Credentials,
    /// Too many tries.
    #[error("too many sign-ins; try again in {0} seconds")]
    Throttled(u64),
    /// Nobody is signed in, or the token is not valid.
    #[error("sign in first")]
    SignedOut,
    /// Another site asked for a change.
    #[error("another site asked for this change; it was refused")]
    CrossSite,
    /// The form's token is not this session's.
    #[error("this form is too old")]
    FormExpired,
    /// The request cannot be understood.
    #[error("{0}")]
    BadRequest(String),
    /// More was sent than is taken.
    #[error("more was sent than is taken here")]
    TooLarge,
    /// The body came too slowly.
    #[error("the request's body did not come in time")]
    Slow,
    /// The address does not take this method.
    #[error("this address does not take this method")]
    Method,
    /// A Range that the file does not have.
    #[error("the file has no such range; it has {0} bytes")]
    Range(u64),
    /// The role may not do this.
    #[error("your role does not allow this")]
    Forbidden,
    /// Something that a run would also say: a server that cannot be reached, say.
    #[error("{0}")]
    Failed(Failure),
    /// The catalog is locked by somebody else, or resources are short: worth another try.
    #[error("the catalog is busy")]
    Busy,
    /// Everything else. The cause is for the log only.
    #[error("something went wrong inside the console")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// A conflict without advice.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into(), hint: None }
    }

    /// A form that could not be read.
    pub fn form(error: &actix_web::Error) -> Self {
        if error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE
        {
            Self::TooLarge
        } else {
            Self::BadRequest("the form cannot be read".to_owned())
        }
    }

    /// One wrong field.
    #[allow(clippy::needless_pass_by_value)] // Callers hand over what they have just made.
    pub fn field(field: &'static str, message: impl ToString) -> Self {
        Self::Invalid(vec![FieldError::new(field, message.to_string())])
    }

    /// What to do, where there is something.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Conflict { hint, .. } => hint.as_deref(),
            Self::Failed(failure) => failure.hint.as_deref(),
            Self::Busy => Some("try again in a moment"),
            _ => None,
        }
    }
}

fn list(fields: &[FieldError]) -> String {
    let each: Vec<_> = fields.iter().map(|it| format!("{}: {}", it.field, it.message)).collect();
    each.join("; ")
}

impl From<cofferdam_catalog::Error> for Error {
    fn from(error: cofferdam_catalog::Error) -> Self {
        use cofferdam_catalog::Error as Catalog;
        match error {
            Catalog::Busy => Self::Busy,
            Catalog::NotFound(what) => Self::NotFound(what),
            Catalog::Taken(what) => Self::field("name", format!("this {what} is already taken")),
            Catalog::Conflict(_) | Catalog::Tombstoned(_) | Catalog::KeyReused => {
                Self::conflict(error.to_string())
            }
            Catalog::Pinned(_) => Self::Conflict {
                message: "this backup is pinned".to_owned(),
                hint: Some("take the pin off first".to_owned()),
            },
            other => Self::Internal(other.into()),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(error.into())
    }
}

/// What service functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;
