//! The folder that an administrator has granted. Needs the grant `folder`.
//!
//! Paths are relative to it and may have several parts: `shop/2026/a.sql.gz`.
//! Links are not followed. (`std::fs` sees the same folder as `/data`; this
//! module is quicker, because bytes go through it without entering the
//! component's memory.)

use crate::{
    Failure, Result,
    bindings::imports::wasi::filesystem::{
        preopens,
        types::{
            Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags,
            PathFlags,
        },
    },
    log,
    stream::{Input, Output},
    time::Timestamp,
};

/// The granted folder.
#[derive(Debug)]
pub struct Folder(Descriptor);

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// In bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Option<Timestamp>,
}

/// A file or a folder in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without the folder.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// A file that is being written.
#[derive(Debug)]
pub struct Writing {
    file: Descriptor,
    output: Output,
    path: String,
}

impl Folder {
    /// The folder, if one was granted.
    pub fn granted() -> Result<Self> {
        let mut folders = preopens::get_directories();
        if folders.is_empty() {
            return Err(Failure::denied("no folder has been granted"));
        }
        let place = folders.iter().position(|(_, name)| name == "/data").unwrap_or(0);
        Ok(Self(folders.swap_remove(place).0))
    }

    /// What is known of the file at a path; nothing where there is none.
    pub fn look(&self, path: &str) -> Result<Option<Facts>> {
        match self.0.stat_at(PathFlags::empty(), path) {
            Ok(stat) if stat.type_ == DescriptorType::RegularFile => Ok(Some(facts(&stat))),
            Ok(_) => Err(Failure::permanent(format!("{path} is no file"))),
            Err(ErrorCode::NoEntry) => Ok(None),
            Err(code) => Err(failure(code, path)),
        }
    }

    /// Makes the folders that `path` lies in, where they are missing, and
    /// keeps them from being lost with the power.
    pub fn make_parents(&self, path: &str) -> Result<()> {
        for (slash, _) in path.match_indices('/') {
            let folder = &path[..slash];
            match self.0.create_directory_at(folder) {
                Ok(()) => self.sync_parent(folder)?,
                Err(ErrorCode::Exist) => {}
                Err(code) => return Err(failure(code, folder)),
            }
        }
        Ok(())
    }

    /// Begins a file. One that is there already is left alone, and a failure.
    pub fn create(&self, path: &str) -> Result<Writing> {
        let file = self
            .0
            .open_at(
                PathFlags::empty(),
                path,
                OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
                DescriptorFlags::READ | DescriptorFlags::WRITE,
            )
            .map_err(|code| failure(code, path))?;
        let output = file.write_via_stream(0).map_err(|code| failure(code, path))?;
        Ok(Writing { file, output: Output(output), path: path.to_owned() })
    }

    /// A file's bytes from `offset` on.
    pub fn read(&self, path: &str, offset: u64) -> Result<Input> {
        let file = self.open(path, OpenFlags::empty(), DescriptorFlags::READ)?;
        file.read_via_stream(offset).map(Input).map_err(|code| failure(code, path))
    }

    /// Gives a file another name, in place of what has that name, and keeps
    /// that from being lost with the power.
    pub fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.0.rename_at(from, &self.0, to).map_err(|code| failure(code, to))?;
        self.sync_parent(to)
    }

    /// Removes a file. Returns whether it was there.
    pub fn remove(&self, path: &str) -> Result<bool> {
        match self.0.unlink_file_at(path) {
            Ok(()) => Ok(true),
            Err(ErrorCode::NoEntry | ErrorCode::NotDirectory) => Ok(false),
            Err(code) => Err(failure(code, path)),
        }
    }

    /// Removes a folder if it is empty. Returns whether it is gone.
    pub fn remove_empty(&self, path: &str) -> bool {
        self.0.remove_directory_at(path).is_ok()
    }

    /// What lies in a folder (`.` for the granted one itself), in no order.
    /// Links and devices are left out, and what has a name that is no text.
    pub fn names(&self, path: &str) -> Result<Vec<Name>> {
        let folder = self.open(path, OpenFlags::DIRECTORY, DescriptorFlags::READ)?;
        let entries = folder.read_directory().map_err(|code| failure(code, path))?;
        let mut names = Vec::new();
        loop {
            let entry = match entries.read_directory_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => return Ok(names),
                Err(ErrorCode::IllegalByteSequence) => {
                    log::warning(format_args!("left out a file in {path} whose name is no text"));
                    continue;
                }
                Err(code) => return Err(failure(code, path)),
            };
            let is_folder = match entry.type_ {
                DescriptorType::Directory => true,
                DescriptorType::RegularFile => false,
                _ => continue,
            };
            names.push(Name { name: entry.name, is_folder });
        }
    }

    /// Makes the names in the folder that `path` lies in outlive a loss of power.
    pub fn sync_parent(&self, path: &str) -> Result<()> {
        let parent = path.rfind('/').map_or(".", |slash| &path[..slash]);
        let folder = self.open(parent, OpenFlags::DIRECTORY, DescriptorFlags::READ)?;
        match folder.sync() {
            // Some network file systems cannot; then there is nothing to be done.
            Ok(()) | Err(ErrorCode::Unsupported | ErrorCode::Invalid) => Ok(()),
            Err(code) => Err(failure(code, parent)),
        }
    }

    fn open(&self, path: &str, how: OpenFlags, what: DescriptorFlags) -> Result<Descriptor> {
        self.0.open_at(PathFlags::empty(), path, how, what).map_err(|code| failure(code, path))
    }
}

impl Writing {
    /// Where its bytes go.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Ends the file: everything is on the disk when this returns. Returns its size.
    pub fn finish(self) -> Result<u64> {
        self.output.flush()?;
        self.file.sync().map_err(|code| failure(code, &self.path))?;
        let stat = self.file.stat().map_err(|code| failure(code, &self.path))?;
        Ok(stat.size)
    }
}

fn facts(stat: &DescriptorStat) -> Facts {
    let modified = stat.data_modification_timestamp.and_then(|moment| {
        let seconds = i64::try_from(moment.seconds).ok()?;
        Timestamp::new(seconds, i32::try_from(moment.nanoseconds).ok()?).ok()
    });
    Facts { size: stat.size, modified }
}

fn failure(code: ErrorCode, path: &str) -> Failure {
    match code {
        ErrorCode::NoEntry => Failure::not_found(format!("{path} is not there")),
        ErrorCode::Access | ErrorCode::NotPermitted => {
            Failure::denied(format!("{path} may not be touched"))
        }
        ErrorCode::ReadOnly => Failure::denied(format!("{path}: the folder can only be read")),
        ErrorCode::InsufficientSpace | ErrorCode::Quota => {
            Failure::temporary(format!("{path}: there is no room left"))
        }
        // Also what the console's runtime makes of a disk that was mounted to be read.
        ErrorCode::Io => Failure::temporary(format!("{path}: the disk fails, or can only be read")),
        ErrorCode::Loop => Failure::denied(format!("{path} is a link, and links are not followed")),
        ErrorCode::NameTooLong => Failure::permanent(format!("{path}: the name is too long")),
        ErrorCode::IsDirectory | ErrorCode::NotDirectory => {
            Failure::permanent(format!("{path}: a folder and a file have the same name"))
        }
        other => Failure::temporary(format!("{path}: {}", other.message())),
    }
}
