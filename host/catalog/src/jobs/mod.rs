//! The queue: jobs under leases. Here the jobs of backups; those of deliveries
//! are in `deliveries`, under the same rules.
//!
//! A job waits until a worker leases it, is held as long as the worker renews
//! the lease, and is gone when it is over. Every lease has a higher fence than
//! the one before; whatever comes with an older one is refused, so a worker
//! that slept past its lease changes nothing.
//!
//! Clocks: a lease stores when it was last renewed and when it expires, by its
//! holder's clock. It counts as expired when its end has passed, and also when
//! its last renewal lies further in the future than a whole lease: then the
//! clock was set back, and without this rule a dead worker's job would wait
//! for as long as the clock jumped. A clock that jumps forward makes living
//! leases look expired until their next renewal. So expiry alone takes
//! nothing: [`Tx::take_over`] takes a job only as it was when it was looked at
//! ([`Catalog::expired_jobs`]), and a caller who waits for one renewal between
//! the two never takes a living one, whatever the clocks do. Renewing works
//! as long as nobody took over, even late.

mod cancel;
mod hold;
mod read;

pub use cancel::Cancelled;
pub use hold::Renewed;
pub use read::Lease;
