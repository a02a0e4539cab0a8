//! Deliveries: what is to go to a destination, and what became of it.
//!
//! A delivery is queued in the transaction that makes its cause true: a copy
//! with the completion of its backup, a removal with the deletion, a
//! notification with the event. It waits in the queue (`jobs`) under the same
//! leases and fences as backups do; a failed attempt puts it back with a
//! moment before which it is not tried again.

mod attempt;
mod change;
mod copies;
mod hold;
mod queue;
mod read;

pub use attempt::{AttemptEnd, Next};
pub use copies::StoredCopy;
pub use hold::{DeliveryLease, Places};
pub(crate) use queue::{REMOVED, SWITCHED_OFF};
