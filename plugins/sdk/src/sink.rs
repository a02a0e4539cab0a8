//! Where [`Storage::open`](crate::Storage::open) puts what it fetches.

use crate::{Result, bindings::imports::cofferdam::plugin::sink, stream::Output};

/// The stream to write to, once per call. `total` is the size of the whole
/// stored file, whatever part of it was asked for, if it is known.
pub fn begin(total: Option<u64>) -> Result<Output> {
    sink::begin(total).map(Output)
}
