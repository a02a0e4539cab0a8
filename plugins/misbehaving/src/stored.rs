//! Untrue answers about what is stored.

use cofferdam_plugin::{
    Backup, Receipt, Result,
    artifact::{self, Range},
    folder::Folder,
    sink,
};

use crate::{Settings, act, resources::length};

/// What the modes that are about storing do; nothing for the other modes.
pub(crate) fn store(settings: &Settings, backup: &Backup) -> Option<Result<Receipt>> {
    let size = artifact::size();
    let receipt = |location: String, bytes_stored| Receipt { location, bytes_stored, note: None };
    let at = |bytes_stored| receipt("somewhere".to_owned(), bytes_stored);
    Some(match settings.mode.as_str() {
        "claims-more" => {
            honest(backup).map(|receipt| Receipt { bytes_stored: size + 1, ..receipt })
        }
        "claims-fewer" => {
            honest(backup).map(|receipt| Receipt { bytes_stored: size / 2, ..receipt })
        }
        "reads-nothing" => Ok(at(size)),
        "reads-half" => read(Range { offset: 0, length: size / 2 }).map(|()| at(size)),
        "reads-end" => read(Range { offset: size / 2, length: size - size / 2 }).map(|()| at(size)),
        "opens-only" => Range::whole().open().map(|_| at(size)),
        "reads-outside" => read(Range { offset: size, length: size + 1 }).map(|()| at(size)),
        "receipt-huge" => {
            read(Range::whole()).map(|()| receipt("x".repeat(length(settings)), size))
        }
        "note-huge" => honest(backup)
            .map(|receipt| Receipt { note: Some("x".repeat(length(settings))), ..receipt }),
        "receipt-long" => read(Range::whole()).map(|()| receipt("x".repeat(5_000), size)),
        "receipt-empty" => read(Range::whole()).map(|()| receipt(String::new(), size)),
        "receipt-odd" => read(Range::whole()).map(|()| Receipt {
            note: Some("\u{1b}[31m<script>alert(1)</script>\r\n\0".into()),
            ..receipt("a\r\n<b>\u{202e}".to_owned(), size)
        }),
        _ => return None,
    })
}

/// Reads a part of the file and drops it.
fn read(range: Range) -> Result<()> {
    let input = range.open()?;
    let mut rest = range.length;
    while rest > 0 {
        let piece = input.read_up_to(usize::try_from(rest.min(1 << 20)).unwrap_or(1 << 20))?;
        if piece.is_empty() {
            break;
        }
        rest = rest.saturating_sub(piece.len() as u64);
    }
    Ok(())
}

/// Stores it in the granted folder, as it should be; without a folder it only
/// reads it.
pub(crate) fn honest(backup: &Backup) -> Result<Receipt> {
    let range = Range::whole();
    match Folder::granted() {
        Ok(folder) => {
            let file = folder.create(&backup.filename)?;
            file.output().splice(&range.open()?, range.length)?;
            file.finish()?;
        }
        Err(_) => read(range)?,
    }
    Ok(Receipt { location: backup.filename.clone(), bytes_stored: range.length, note: None })
}

pub(crate) fn open(
    settings: &Settings,
    location: &str,
    offset: u64,
    length: Option<u64>,
) -> Result<()> {
    match settings.mode.as_str() {
        "sink-none" => Ok(()),
        "sink-twice" => {
            sink::begin(None)?;
            sink::begin(None).map(|_| ())
        }
        "sink-endless" => {
            let output = sink::begin(Some(1))?;
            let piece = vec![0_u8; 1 << 20];
            loop {
                output.write(&piece)?;
            }
        }
        "sink-short" => sink::begin(Some(1_000))?.write(b"short"),
        "" => {
            let folder = Folder::granted()?;
            let size = folder.look(location)?.map_or(0, |facts| facts.size);
            let rest = size.saturating_sub(offset);
            let output = sink::begin(Some(size))?;
            output.splice(&folder.read(location, offset)?, length.unwrap_or(rest).min(rest))?;
            output.flush()
        }
        _ => act(settings).map(|_| ()),
    }
}
