//! The SMTP relay that plugins with the grant `mail` send through. Its name
//! and password stay here.

use std::{future::Future, pin::Pin, time::Duration};

use anyhow::Context as _;
use cofferdam_runtime::{Mail, MailError, Mailer};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use rustls::pki_types::CertificateDer;

use crate::config::{MailTls, Relay};

/// A relay that has not taken a mail within this time is silent: less than the
/// minute that a plugin has to tell of something.
const PATIENCE: Duration = Duration::from_secs(45);

/// See the module.
pub struct SmtpRelay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpRelay {
    /// The relay of the settings, whose certificate may also come from one of these
    /// authorities. Nothing is connected to yet.
    pub fn new(relay: &Relay, roots: &[CertificateDer<'static>]) -> anyhow::Result<Self> {
        let tls = || {
            let mut tls = TlsParameters::builder(relay.host.clone());
            for root in roots {
                tls = tls.add_root_certificate(Certificate::from_der(root.to_vec())?);
            }
            tls.build().context("the mail relay's TLS")
        };
        let tls = match relay.tls {
            MailTls::None => Tls::None,
            MailTls::Starttls => Tls::Required(tls()?),
            MailTls::Tls => Tls::Wrapper(tls()?),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&relay.host)
            .port(relay.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = &relay.login {
            let login = Credentials::new(user.clone(), password.expose().to_owned());
            transport = transport.credentials(login);
        }
        let from = relay.from.parse().context("the mail relay's sender")?;
        Ok(Self { transport: transport.build(), from })
    }

    async fn hand_over(&self, mail: Mail) -> Result<(), MailError> {
        let message =
            self.message(mail).map_err(|error| MailError::Permanent(error.to_string()))?;
        // The library's own limit is for connecting; this is for everything.
        match tokio::time::timeout(PATIENCE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => {
                Err(MailError::Permanent(format!("the mail relay refused it: {error}")))
            }
            Ok(Err(error)) => Err(MailError::Temporary(format!("the mail relay: {error}"))),
            Err(_) => Err(MailError::Temporary("the mail relay does not answer".to_owned())),
        }
    }

    fn message(&self, mail: Mail) -> anyhow::Result<Message> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(None)
            .date_now()
            .subject(mail.subject);
        for to in mail.to {
            message =
                message.to(to.parse().with_context(|| format!("{to:?} is not an address"))?);
        }
        Ok(match mail.html {
            Some(html) => message.multipart(MultiPart::alternative_plain_html(mail.text, html))?,
            None => {
                message.header(lettre::message::header::ContentType::TEXT_PLAIN).body(mail.text)?
            }
        })
    }
}

impl Mailer for SmtpRelay {
    fn send(&self, mail: Mail) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(self.hand_over(mail))
    }
}
