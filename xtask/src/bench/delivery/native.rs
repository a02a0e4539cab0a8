//! The least that a sender has to do: read a block, write a block.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};

use super::Sample;
use crate::bench::{memory::cpu_seconds, pipeline::Measured};

/// What it reads and writes at a time.
const BLOCK: usize = 1 << 20;

/// PUTs the file to a URL of this machine, and waits for the answer.
pub(super) fn put(sample: &Sample, url: &str) -> Result<Measured> {
    let rest = url.strip_prefix("http://").context("an address without TLS")?;
    let (authority, path) = rest.split_once('/').context("a path")?;
    let before = cpu_seconds(std::process::id())?;
    let start = Instant::now();
    let mut file = File::open(&sample.path)?;
    let mut stream = TcpStream::connect(authority)?;
    write!(
        stream,
        "PUT /{path} HTTP/1.1\r\nhost: {authority}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        sample.bytes
    )?;
    let mut block = vec![0; BLOCK];
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            break;
        }
        stream.write_all(&block[..count])?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let wall = start.elapsed().as_secs_f64();
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let cpu = cpu_seconds(std::process::id())? - before;
    Ok(Measured { wall, cpu, bytes: sample.bytes })
}
