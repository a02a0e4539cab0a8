//! Mail through the console's own relay. Needs the grant `mail`.

pub use crate::bindings::imports::cofferdam::plugin::mail::Message;
use crate::{Result, bindings::imports::cofferdam::plugin::mail};

/// Gives it to the relay. Success means that the relay has taken it.
pub fn send(message: &Message) -> Result<()> {
    mail::send(message)
}
