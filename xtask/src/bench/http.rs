//! As much of an HTTP client as a benchmark on this machine needs: one
//! request per connection, JSON both ways.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Where the console is, and how it knows us.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    address: String,
    token: Option<String>,
}

impl Client {
    /// Signs in at `host:port`.
    pub(crate) fn sign_in(address: &str, username: &str, password: &str) -> Result<Self> {
        let mut client = Self { address: address.to_owned(), token: None };
        let body = serde_json::json!({ "username": username, "password": password });
        let answer = client.post("/api/v1/auth/login", &body)?;
        let token = answer["access_token"].as_str().context("the answer has no access_token")?;
        client.token = Some(token.to_owned());
        Ok(client)
    }

    /// Reads.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, "")
    }

    /// Asks for something.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, &body.to_string())
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let token = self.token.iter().map(|token| format!("Authorization: Bearer {token}\r\n"));
        let content = if method == "POST" { "Content-Type: application/json\r\n" } else { "" };
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{}{content}Content-Length: {}\r\n\r\n{body}",
            self.address,
            token.collect::<String>(),
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        // HTTP/1.0: the answer ends with its connection.
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("not an HTTP answer")?;
        let status = head.split(' ').nth(1).unwrap_or_default();
        ensure!(status.starts_with('2'), "{method} {path}: {status}: {body}");
        serde_json::from_str(body).with_context(|| format!("{method} {path}: not JSON: {body}"))
    }
}
