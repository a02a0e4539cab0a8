//! Storing and fetching, well and badly.

use crate::{
    bindings::{
        cofferdam::plugin::{
            artifact::{self, Algorithm},
            sink,
            types::{Backup, Failure, Receipt},
        },
        wasi::{
            http::{
                outgoing_handler::handle,
                types::{Method, OutgoingBody},
            },
            io::streams::{InputStream, StreamError},
        },
    },
    request::{answer, of_code, request},
    setting,
};

pub(crate) fn store(settings: &str, backup: &Backup) -> Result<Receipt, Failure> {
    let mut receipt = Receipt {
        location: backup.filename.clone(),
        bytes_stored: artifact::size(),
        note: Some("kept".to_owned()),
    };
    match setting(settings, "do") {
        "put" => put(setting(settings, "url"), "", &mut receipt)?,
        "put-trap" => put(setting(settings, "url"), "trap", &mut receipt)?,
        "put-chunked-trap" => put(setting(settings, "url"), "chunked", &mut receipt)?,
        "half" => {
            let _ = read(&artifact::open(0, Some(backup.size / 2))?);
        }
        "two-parts" => {
            let middle = backup.size / 2;
            let _ = read(&artifact::open(middle, None)?);
            let _ = read(&artifact::open(0, Some(middle))?);
        }
        "fewer" => {
            let _ = read(&artifact::open(0, None)?);
            receipt.bytes_stored -= 1;
        }
        "location" => {
            let _ = read(&artifact::open(0, None)?);
            receipt.location = "a\nb".to_owned();
        }
        "compare" => {
            let sum = artifact::digest(Algorithm::Sha256, 0, backup.size)?;
            receipt.note = Some(sum.iter().map(|byte| format!("{byte:02x}")).collect());
        }
        "parts" => receipt.note = Some(parts()?),
        "hash-and-hash" => loop {
            let _ = artifact::digest(Algorithm::Sha256, 0, backup.size / 2)?;
        },
        "again-and-again" => loop {
            let _ = read(&artifact::open(0, None)?);
        },
        "holes" => {
            for piece in 0..backup.size / 2 {
                let _ = read(&artifact::open(piece * 2, Some(1))?);
            }
        }
        "hash-a-byte" => loop {
            let _ = artifact::digest(Algorithm::Crc32, 0, 1)?;
        },
        "beyond" => {
            let _ = artifact::open(backup.size, Some(1))?;
        }
        "read" => {
            let count = read(&artifact::open(0, None)?);
            receipt.note = Some(count.to_string());
        }
        _ => {}
    }
    Ok(receipt)
}

/// Reads the file in parts of 1 MiB, each after its checksums. Returns the first
/// bytes of those.
fn parts() -> Result<String, Failure> {
    let mut sums = String::new();
    let (size, mut offset) = (artifact::size(), 0);
    while offset < size {
        let length = (size - offset).min(1 << 20);
        for algorithm in [Algorithm::Sha256, Algorithm::Md5] {
            let sum = artifact::digest(algorithm, offset, length)?;
            sums.extend(sum[..4].iter().map(|byte| format!("{byte:02x}")));
        }
        let _ = read(&artifact::open(offset, Some(length))?);
        offset += length;
    }
    Ok(sums)
}

fn read(stream: &InputStream) -> u64 {
    let mut count = 0;
    while let Ok(bytes) = stream.blocking_read(1 << 20) {
        count += bytes.len() as u64;
    }
    count
}

/// Uploads the file; `fault` is what goes wrong halfway.
fn put(url: &str, fault: &str, receipt: &mut Receipt) -> Result<(), Failure> {
    let size = artifact::size();
    let length = (fault != "chunked").then_some(size);
    let request = request(&Method::Put, url, length);
    let body = request.body().expect("once");
    let future = handle(request, None).map_err(|code| of_code(&code))?;
    let output = body.write().expect("once");
    let input = artifact::open(0, None)?;
    let mut sent = 0;
    loop {
        match output.blocking_splice(&input, 1 << 20) {
            Ok(count) => sent += count,
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(Failure::Permanent(error.to_debug_string()));
            }
        }
        assert!(fault.is_empty() || sent < size / 2, "halfway");
    }
    drop(output);
    // Refused halfway, it is not whole; why, the answer says.
    let _ = OutgoingBody::finish(body, None);
    let (status, text) = answer(&future).map_err(|code| of_code(&code))?;
    receipt.note = Some(format!("{status} {text}"));
    if status == 200 { Ok(()) } else { Err(Failure::Permanent(format!("{status} {text}"))) }
}

pub(crate) fn open(settings: &str, offset: u64, length: Option<u64>) -> Result<(), Failure> {
    const TOTAL: u64 = 3_000_000;
    let wanted = length.unwrap_or(TOTAL - offset).min(TOTAL - offset);
    let count = match setting(settings, "do") {
        "short" => wanted - 1,
        "long" => wanted + 1,
        _ => wanted,
    };
    let output = sink::begin(Some(TOTAL))?;
    let mut left = count;
    while left > 0 {
        let part = left.min(4096);
        let bytes = vec![b'x'; usize::try_from(part).expect("fits")];
        if let Err(error) = output.blocking_write_and_flush(&bytes) {
            return Err(Failure::Permanent(format!("{error:?}")));
        }
        left -= part;
    }
    Ok(())
}
