//! The mail relay's settings.

use std::fs;

use cofferdam_model::Secret;
use lettre::message::Mailbox;

use super::{MailTls, Relay, layers::refuse_open_file, understand::Reading};

/// The relay, if one is named.
pub(super) fn relay(it: &mut Reading<'_>) -> Option<Relay> {
    let host = it.value("mail_host", |host| {
        let host = host.trim();
        let fit = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if !host.is_empty() && host.chars().all(fit) {
            Ok(host.to_owned())
        } else {
            Err("is not a host name or an address".to_owned())
        }
    });
    let tls = it.value("mail_tls", |word| match word.trim() {
        "none" => Ok(MailTls::None),
        "starttls" => Ok(MailTls::Starttls),
        "tls" => Ok(MailTls::Tls),
        _ => Err("is none of tls, starttls, none".to_owned()),
    });
    let tls = tls.unwrap_or(MailTls::Starttls);
    let port = it.number("mail_port", 1..=65_535).unwrap_or(match tls {
        MailTls::None => 25,
        MailTls::Starttls => 587,
        MailTls::Tls => 465,
    });
    let user = it.value("mail_user", |user| Ok(user.to_owned()));
    let password = password(it);
    let from = it.value("mail_from", |from| {
        let wrong = |_| "is not an address such as backup@example.org".to_owned();
        from.trim().parse::<Mailbox>().map_err(wrong).map(|it| it.to_string())
    });
    let host = host?;
    if user.is_some() && password.is_none() {
        it.refuse("mail_user", "needs mail_password or mail_password_file as well");
    }
    if user.is_some() && tls == MailTls::None && !is_here(&host) {
        it.refuse("mail_tls", "none would send the password in clear over the network");
    }
    if it.get("mail_from").is_none() {
        it.refuse("mail_host", "needs mail_from (COFFERDAM_MAIL_FROM) as well, which is missing");
    }
    Some(Relay { host, port, tls, login: user.zip(password), from: from? })
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

fn password(it: &mut Reading<'_>) -> Option<Secret> {
    if let Some(given) = it.get("mail_password") {
        return Some(given.clone());
    }
    let path = it.path("mail_password_file")?;
    it.value("mail_password_file", |_| {
        refuse_open_file(&path).map_err(|error| format!("cannot be used: {error}"))?;
        let text = fs::read_to_string(&path).map_err(|error| format!("cannot be read: {error}"))?;
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    })
}
