//! A larger pipe lets the dump tool run ahead while a block is being worked on.

use std::{io, os::fd::AsFd};

/// What Linux allows without privileges by default.
const WANTED: usize = 1 << 20;

/// Asks for a pipe of 1 MiB (usual are 64 KiB) and returns the size it then
/// has. A refusal, say because the user's share of pipe memory is spent, leaves
/// the pipe as it was and is no error.
pub fn enlarge_pipe(pipe: impl AsFd) -> io::Result<usize> {
    let pipe = pipe.as_fd();
    match rustix::pipe::fcntl_setpipe_size(pipe, WANTED) {
        Ok(size) => Ok(size),
        Err(_) => Ok(rustix::pipe::fcntl_getpipe_size(pipe)?),
    }
}
