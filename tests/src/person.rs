//! Somebody with a browser, seen from the wire: a cookie, forms, no scripts.

use std::{fmt::Write as _, sync::Mutex};

use crate::{
    Api, Console, Reply,
    console::{ADMIN, PASSWORD},
};

/// A person's browser: it keeps the cookie that the console gives and sends
/// each form with the token of its page.
#[derive(Debug)]
pub struct Person {
    client: Api,
    cookie: Mutex<Option<String>>,
}

/// The type of a posted form.
pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

impl Person {
    /// Nobody yet.
    #[must_use]
    pub fn stranger(console: &Console) -> Self {
        Self { client: console.anonymous(), cookie: Mutex::new(None) }
    }

    /// The administrator of [`Console::builder`].
    #[must_use]
    #[track_caller]
    pub fn administrator(console: &Console) -> Self {
        Self::sign_in(console, ADMIN, PASSWORD)
    }

    /// Signs in through the page.
    ///
    /// # Panics
    /// When the name and password do not fit.
    #[must_use]
    #[track_caller]
    pub fn sign_in(console: &Console, name: &str, password: &str) -> Self {
        let person = Self::stranger(console);
        person.try_sign_in(name, password).expect(303);
        person
    }

    /// Posts the sign-in form.
    #[track_caller]
    pub fn try_sign_in(&self, name: &str, password: &str) -> Reply {
        self.form("/login", &[("username", name), ("password", password)])
    }

    /// The cookie as `name=value`.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.cookie.lock().ok()?.clone()
    }

    /// Another cookie, or none.
    pub fn set_cookie(&self, cookie: Option<&str>) {
        if let Ok(mut own) = self.cookie.lock() {
            *own = cookie.map(str::to_owned);
        }
    }

    /// Opens a page.
    #[track_caller]
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None)
    }

    /// The token of this session's forms.
    ///
    /// # Panics
    /// When the account page has none.
    #[must_use]
    #[track_caller]
    pub fn token(&self) -> String {
        let page = self.get("/account").expect(200).text();
        token_in(&page).unwrap_or_else(|| panic!("no form token: {page}"))
    }

    /// Sends a form with its token.
    #[track_caller]
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = self.token();
        self.form(path, &[&[("csrf", token.as_str())], fields].concat())
    }

    /// Sends exactly these fields.
    #[track_caller]
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send("POST", path, &[FORM], Some(encode(fields).as_bytes()))
    }

    /// Any request with the cookie.
    #[track_caller]
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Reply {
        let cookie = self.cookie();
        let mut all = headers.to_vec();
        if let Some(cookie) = &cookie {
            all.push(("Cookie", cookie));
        }
        let reply = self.client.send(method, path, &all, body);
        for value in reply.headers.get_all("set-cookie") {
            let value = value.to_str().unwrap_or_default();
            let pair = value.split(';').next().unwrap_or_default();
            // A value of nothing takes the cookie away.
            self.set_cookie((!pair.ends_with('=')).then_some(pair));
        }
        reply
    }
}

/// The token in a page's forms.
#[must_use]
pub fn token_in(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Fields as a browser sends them.
#[must_use]
pub fn encode(fields: &[(&str, &str)]) -> String {
    let each: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    each.join("&")
}

/// Everything but letters and digits as `%XX`.
#[must_use]
pub fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
