//! Whether the folder is the one that the copies are in. Where a disk is not
//! mounted, there is an empty folder in its place, and what is written to it
//! lies hidden as soon as the disk is back.
//!
//! The first copy leaves a mark in the folder. Without it nothing is stored once
//! there are copies, and nothing is taken for removed.

use cofferdam_plugin::{Backup, Failure, Result, Template, log};
use serde::Deserialize;

use crate::shelf::Shelf;

/// The file that marks the folder.
pub(crate) const MARK: &str = ".cofferdam-destination";

/// For whoever finds it.
const TEXT: &str = "Cofferdam keeps copies of backups in this folder.\n\
    Where this file is missing, it takes the folder for one whose disk is not mounted.\n";

/// What of a backup's document says whether the console knows of copies here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    destination: Destination,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destination {
    has_copies: bool,
}

/// Whether the console knows of copies at this destination. One that does not
/// say so does not.
fn has_copies(document: &str) -> bool {
    serde_json::from_str::<Document>(document).is_ok_and(|it| it.destination.has_copies)
}

impl Shelf {
    pub(crate) fn is_marked(&self) -> Result<bool> {
        Ok(self.folder.look(MARK)?.is_some())
    }

    /// Whether there is no copy in the folder, of this path's kind.
    pub(crate) fn is_empty(&self, template: &Template) -> Result<bool> {
        Ok(self.list(template, None)?.entries.is_empty())
    }

    /// Makes sure that copies may be put here, before anything is written.
    pub(crate) fn mark(&self, template: &Template, backup: &Backup) -> Result<()> {
        if self.is_marked()? {
            return Ok(());
        }
        if has_copies(&backup.document) && self.is_empty(template)? {
            return Err(Failure::temporary(format!(
                "the folder holds none of the copies that were stored, and no {MARK}: its disk is \
                 not mounted, or it is another folder\n\
                 HINT: mount the disk; if copies are to go to this empty folder from now on, make \
                 the file {MARK} in it"
            )));
        }
        match self.write_mark() {
            Ok(()) => Ok(()),
            // Another delivery was quicker.
            Err(_) if self.is_marked()? => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn write_mark(&self) -> Result<()> {
        let file = self.folder.create(MARK)?;
        file.output().write(TEXT.as_bytes())?;
        file.finish()?;
        self.folder.sync_parent(MARK)?;
        log::info(format_args!("marked the folder with {MARK}"));
        Ok(())
    }

    /// That a file is not there means that it was removed, unless this is another folder.
    pub(crate) fn is_gone(&self, path: &str) -> Result<()> {
        if self.is_marked()? {
            return Ok(());
        }
        Err(Failure::temporary(format!(
            "{path} is not there, and neither is {MARK}: the folder's disk is not mounted, or it \
             is another folder\n\
             HINT: mount the disk; if the copy is gone for good, make the file {MARK} in the folder"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_console_that_says_so_knows_of_copies() {
        assert!(has_copies(r#"{"id":"x","destination":{"name":"shelf","has_copies":true}}"#));
        for document in
            ["", "{}", "[]", r#"{"destination":null}"#, r#"{"destination":{"has_copies":false}}"#]
        {
            assert!(!has_copies(document), "{document}");
        }
    }
}
