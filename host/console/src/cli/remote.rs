//! A console's API, as the command line uses it.

use std::time::Duration;

use anyhow::Context as _;
use cofferdam_model::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use ureq::{
    Agent, Body,
    http::{Request, Response},
};

use super::problem::Problem;

const NEW_TOKEN: &str = "POST /api/v1/auth/login gives one; put it into COFFERDAM_TOKEN";

/// A console and the token for it.
#[derive(Clone)]
pub struct Remote {
    base: String,
    token: Secret,
    agent: Agent,
}

impl Remote {
    /// A console at this address.
    pub fn new(server: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let Some(token) = token else {
            let text = format!("--server needs a token\nHINT: {NEW_TOKEN}");
            return Err(Problem::usage(&text).into());
        };
        if !server.starts_with("http://") && !server.starts_with("https://") {
            let text = "--server is not an address such as https://backup.example";
            return Err(Problem::usage(text).into());
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .build()
            .into();
        let base = format!("{}/api/v1", server.trim_end_matches('/'));
        Ok(Self { base, token: Secret::new(token), agent })
    }

    /// A query string of the fields that are set.
    pub fn query(query: &impl Serialize) -> anyhow::Result<String> {
        let Value::Object(fields) = serde_json::to_value(query)? else { return Ok(String::new()) };
        let pairs = fields.into_iter().filter_map(|(name, value)| {
            let text = match value {
                Value::Null => return None,
                Value::String(text) => text,
                other => other.to_string(),
            };
            Some(format!("{name}={}", segment(&text)))
        });
        Ok(pairs.collect::<Vec<_>>().join("&"))
    }

    /// `GET`, as JSON.
    pub async fn get<T: DeserializeOwned + Send + 'static>(&self, path: &str) -> anyhow::Result<T> {
        self.send("GET", path, None).await
    }

    /// Any method with a JSON body, as JSON.
    pub async fn send<T: DeserializeOwned + Send + 'static>(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<T> {
        let (remote, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || {
            let mut answer = remote.call(method, &path, body)?;
            answer.body_mut().read_json().context("the console's answer cannot be understood")
        })
        .await?
    }

    /// `POST` of a file, with JSON as the answer.
    pub async fn upload<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &str,
        kind: &'static str,
        bytes: Vec<u8>,
    ) -> anyhow::Result<T> {
        let (remote, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || {
            let mut answer = remote.call_with("POST", &path, kind, &bytes)?;
            answer.body_mut().read_json().context("the console's answer cannot be understood")
        })
        .await?
    }

    /// `POST` without a body, whatever the answer says.
    pub async fn post(&self, path: &str) -> anyhow::Result<()> {
        let (remote, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || remote.call("POST", &path, None).map(|_| ())).await?
    }

    /// `DELETE`
    pub async fn delete(&self, path: &str) -> anyhow::Result<()> {
        let (remote, path) = (self.clone(), path.to_owned());
        tokio::task::spawn_blocking(move || remote.call("DELETE", &path, None).map(|_| ())).await?
    }

    /// `GET`, as it comes.
    pub fn open(&self, path: &str) -> anyhow::Result<Response<Body>> {
        self.call("GET", path, None)
    }

    fn call(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Response<Body>> {
        let body = body.map_or_else(String::new, |value| value.to_string());
        self.call_with(method, path, "application/json", body.as_bytes())
    }

    fn call_with(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> anyhow::Result<Response<Body>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token.expose()))
            .header("content-type", kind);
        let answer = self
            .agent
            .run(request.body(body)?)
            .with_context(|| format!("{} cannot be reached", self.base))?;
        if answer.status().is_success() { Ok(answer) } else { Err(problem(answer)) }
    }
}

/// A part of a path or a query, encoded.
pub fn segment(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The console's own words.
fn problem(mut answer: Response<Body>) -> anyhow::Error {
    let status = answer.status().as_u16();
    let document = answer.body_mut().read_json::<Value>().unwrap_or_default();
    let mut problem = Problem::of_answer(status, &document);
    if status == 401 {
        // A token was sent, so `sign in first` would not tell what is wrong.
        "the token is not valid or has expired".clone_into(&mut problem.detail);
        problem.hint = Some(NEW_TOKEN.to_owned());
    }
    problem.into()
}
