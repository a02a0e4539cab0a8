//! A mail relay that keeps to itself what it takes.

use std::{
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

use cofferdam_runtime::{Mail, MailError, Mailer};

/// See the module.
#[derive(Debug, Default)]
pub struct Relay {
    away: AtomicBool,
    taken: AtomicUsize,
}

impl Relay {
    /// From now on it cannot be reached, or can be again.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Relaxed);
    }

    /// How many mails it has taken.
    pub fn taken(&self) -> usize {
        self.taken.load(Relaxed)
    }
}

impl Mailer for Relay {
    fn send(
        &self,
        _mail: Mail,
    ) -> Pin<Box<dyn Future<Output = Result<(), MailError>> + Send + '_>> {
        Box::pin(async {
            if self.away.load(Relaxed) {
                return Err(MailError::Temporary("the mail relay refuses connections".to_owned()));
            }
            self.taken.fetch_add(1, Relaxed);
            Ok(())
        })
    }
}
