//! A real mail relay, aiosmtpd, which keeps what it takes.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpStream,
    process::{Child, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use serde_json::Value;
use xtask::process::{self, AtParentsEnd};

use crate::{Certificates, s3_server::python, wait_until};

/// How long it may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The name that a relay with a login asks for.
pub const USER: &str = "backup";
/// Its password.
pub const PASSWORD: &str = "canary-relay-password";

/// Takes mail and prints each as a line of JSON. `nobody@…` is refused for
/// good, `busy@…` for now.
const SCRIPT: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
port, certificate, key, user, password, wrapped = sys.argv[1:]
class Keep:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"): return "550 5.1.1 There is no such user"
        if address.startswith("busy@"): return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = lambda kind: (lambda part: part and part.get_content())(mail.get_body((kind,)))
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "type": mail.get_content_type(), "text": body("plain"), "html": body("html"),
            "tls": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "login": session.authenticated}), flush=True)
        return "250 OK"
def login(server, session, envelope, mechanism, data):
    fits = (data.login, data.password) == (user.encode(), password.encode())
    # Unhandled: it says no itself.
    return AuthResult(success=fits, handled=False)
context = None
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
def make():
    if not certificate: return SMTP(Keep())
    if wrapped: return SMTP(Keep(), authenticator=login, auth_required=True, auth_require_tls=False)
    return SMTP(Keep(), tls_context=context, require_starttls=True, authenticator=login, auth_required=True)
async def main():
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", int(port), ssl=context if wrapped else None)
    await server.serve_forever()
asyncio.run(main())
"#;

/// The relay. It ends with this value.
pub struct MailRelay {
    child: Child,
    port: u16,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl MailRelay {
    /// Without encryption and without a login.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn plain() -> Self {
        Self::start([""; 5].map(str::to_owned))
    }

    /// With STARTTLS, and a login by [`USER`] and [`PASSWORD`]; both are asked for.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn secure(certificates: &Certificates) -> Self {
        Self::with_login(certificates, "")
    }

    /// With TLS from the first byte, and the same login.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    #[track_caller]
    pub fn wrapped(certificates: &Certificates) -> Self {
        Self::with_login(certificates, "wrapped")
    }

    fn with_login(certificates: &Certificates, wrapped: &str) -> Self {
        let path = |name| certificates.path(name).display().to_string();
        let (certificate, key) = (path("console.crt"), path("console.key"));
        Self::start([certificate, key, USER.into(), PASSWORD.into(), wrapped.into()])
    }

    fn start(arguments: [String; 5]) -> Self {
        let port = process::free_port().expect("a port");
        let mut command = process::bound(python(), AtParentsEnd::Kill);
        command.args(["-c", SCRIPT, &port.to_string()]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = process::spawn(command).expect("`cargo xtask setup` installs it");
        let taken = Arc::<Mutex<Vec<Value>>>::default();
        let (output, kept) = (child.stdout.take().expect("its output"), Arc::clone(&taken));
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let mail = serde_json::from_str(&line).expect("JSON");
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
            }
        });
        wait_until("the relay", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { child, port, taken }
    }

    /// Its port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All mail that it has taken, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for the first mail with this subject.
    ///
    /// # Panics
    /// When none comes.
    #[must_use]
    #[track_caller]
    pub fn mail(&self, subject: &str) -> Value {
        let has = |mail: &Value| header(mail, "Subject").as_deref() == Some(subject);
        wait_until(subject, PATIENCE, || self.taken().into_iter().find(has))
    }
}

/// A header of a mail.
#[must_use]
pub fn header(mail: &Value, name: &str) -> Option<String> {
    let mut all = mail["headers"].as_array()?.iter();
    Some(all.find(|it| it[0] == name)?[1].as_str()?.to_owned())
}

impl Drop for MailRelay {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
