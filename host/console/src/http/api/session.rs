//! `POST /auth/login`

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};

use super::Body;
use crate::{
    app::App,
    dto::{LoginAnswer, LoginRequest},
    http::guard::Remote,
    service::{Door, Result, users},
};

/// Gives a bearer token for twelve hours. A change of the password ends it.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "auth", operation_id = "login", request_body = LoginRequest,
    responses(
        (status = 200, body = LoginAnswer),
        (status = 401, description = "The name or the password is wrong"),
        (status = 429, description = "Too many tries; see Retry-After"),
    ),
    security(()),
)]
pub async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<LoginRequest>,
) -> Result<HttpResponse> {
    let remote = request.extensions().get::<Remote>().map(|remote| remote.0);
    let Body(LoginRequest { username, password }) = body;
    let signed_in = users::sign_in(&app, Door::Api, &username, password, remote).await?;
    let (secret, expires_at) =
        users::issue_token(&app, &signed_in.actor, signed_in.verified).await?;
    Ok(HttpResponse::Ok().json(LoginAnswer {
        access_token: secret.expose().to_owned(),
        token_type: "Bearer".to_owned(),
        expires_at,
    }))
}
