//! Mail through the console's relay, for components that were granted it.

use std::{future::Future, pin::Pin};

use crate::{
    Denied,
    bindings::imported::{
        mail::{Host, Message},
        types::{Failure, TemporaryFailure},
    },
    state::State,
    text::clean,
};

/// One mail. The host has checked that nothing in it can become a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Addresses, 1 to 50.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// The text for every reader.
    pub text: String,
    /// The same for readers that show HTML.
    pub html: Option<String>,
}

/// Why a relay did not take a mail. The text is for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It may take it later.
    #[error("{0}")]
    Temporary(String),
    /// It will not take it.
    #[error("{0}")]
    Permanent(String),
}

/// The console's relay.
pub trait Mailer: Send + Sync {
    /// Hands the mail to the relay, and waits until it has taken it. Sets the
    /// sender, the date and the message's id.
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>>;
}

pub(crate) const RECIPIENTS: usize = 50;
const ADDRESS: usize = 254;
pub(crate) const SUBJECT: usize = 500;
pub(crate) const BODY: usize = 1 << 20;

fn check(message: Message) -> Result<Mail, String> {
    let address = |text: &String| {
        let middle = text.rsplit_once('@').is_some_and(|(l, r)| !l.is_empty() && !r.is_empty());
        middle
            && text.len() <= ADDRESS
            && !text.chars().any(|c| c.is_control() || " ,;<>\"".contains(c))
    };
    if message.to.is_empty() || message.to.len() > RECIPIENTS {
        return Err(format!("a mail has 1 to {RECIPIENTS} recipients, not {}", message.to.len()));
    }
    if let Some(wrong) = message.to.iter().find(|text| !address(text)) {
        return Err(format!("{:?} is not a mail address", clean(wrong, ADDRESS, false)));
    }
    if message.subject.len() > SUBJECT || message.subject.chars().any(char::is_control) {
        return Err(format!("a mail's subject is one line of at most {SUBJECT} bytes"));
    }
    let long = |text: &String| text.len() > BODY;
    if long(&message.text) || message.html.as_ref().is_some_and(long) {
        return Err(format!("a mail's text has at most {BODY} bytes"));
    }
    let Message { to, subject, text, html } = message;
    Ok(Mail { to, subject, text, html })
}

/// Its bytes, as far as the component has made them.
fn size(mail: &Mail) -> u64 {
    let html = mail.html.as_ref().map_or(0, String::len);
    let to: usize = mail.to.iter().map(String::len).sum();
    (to + mail.subject.len() + mail.text.len() + html) as u64
}

impl Host for State {
    async fn send(&mut self, message: Message) -> wasmtime::Result<Result<(), Failure>> {
        if !self.mail_granted {
            self.observer.denied(&Denied::Mail);
            return Ok(Err(Failure::Denied(Denied::Mail.to_string())));
        }
        let most = self.meter.limits().mails;
        if self.mails == most {
            let denied = Denied::Mails(most);
            self.observer.denied(&denied);
            return Ok(Err(Failure::Denied(denied.to_string())));
        }
        let Some(mailer) = self.mailer.clone() else {
            let text = "the console has no mail relay in its settings";
            return Ok(Err(Failure::Permanent(text.to_owned())));
        };
        let mail = match check(message) {
            Ok(mail) => mail,
            Err(text) => return Ok(Err(Failure::Permanent(text))),
        };
        // Also one that the relay refuses has been sent there.
        self.mails += 1;
        self.meter.sending(size(&mail))?;
        Ok(mailer.send(mail).await.map_err(|error| match error {
            MailError::Temporary(message) => {
                Failure::Temporary(TemporaryFailure { message, retry_after: None })
            }
            MailError::Permanent(message) => Failure::Permanent(message),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(to: &[&str], subject: &str) -> Message {
        let to = to.iter().map(|&to| to.to_owned()).collect();
        Message { to, subject: subject.to_owned(), text: "x".to_owned(), html: None }
    }

    #[test]
    fn nothing_in_a_mail_becomes_a_header_or_another_recipient() {
        assert!(check(message(&["ops@example.org"], "All is well")).is_ok());
        for to in ["a@b\r\nBcc: c@d", "a@b,c@d", "a <b@c>", "nobody", "@b", "a@"] {
            assert!(check(message(&[to], "x")).is_err(), "{to}");
        }
        assert!(check(message(&["a@b"], "x\r\nBcc: c@d")).is_err());
        assert!(check(message(&[], "x")).is_err());
        assert!(check(message(&["a@b"; 51], "x")).is_err());
    }
}
