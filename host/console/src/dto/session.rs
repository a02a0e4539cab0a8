//! Signing in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Name and password.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The user's name.
    pub username: String,
    /// The password.
    #[schema(value_type = String)]
    pub password: cofferdam_model::Secret,
}

/// A bearer token.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct LoginAnswer {
    /// For `Authorization: Bearer …`.
    pub access_token: String,
    /// Always Bearer.
    pub token_type: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}
