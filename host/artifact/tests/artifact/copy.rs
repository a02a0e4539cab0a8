//! The pipeline: what it counts, how it fails, how much memory it takes.

use std::{
    io::{self, Read, Write},
    process::Command,
    thread,
    time::Duration,
};

use cofferdam_artifact::{CopyError, Encoding, Meter, copy, digest};
use cofferdam_model::BackupId;

use crate::support::{folder, gzip, names, noise, packed_with, rows, sidecar, through};

const NAME: &str = "backup_shop_20260101_000000.sql.gz";

#[test]
fn size_and_digest_are_those_of_the_published_file() {
    let (place, folder) = folder();
    for (encoding, raw) in [
        (gzip(), rows(3 << 20)),
        (gzip(), Vec::new()),
        (Encoding::Stored, noise(5_000_000, 9)),
        (Encoding::Stored, Vec::new()),
    ] {
        let id = BackupId::new();
        let mut temp = folder.begin(id).unwrap();
        let meter = Meter::new();
        let copied = copy(&raw[..], &mut temp, encoding, false, &meter).unwrap();
        let published = temp.publish(NAME, |name| sidecar(id, name)).unwrap();
        let again = digest(folder.open_artifact(&published.filename).unwrap()).unwrap();
        assert_eq!((again.size_bytes, &again.sha256), (copied.size_bytes, &copied.sha256));
        assert_eq!(
            (meter.raw_bytes(), meter.written_bytes()),
            (raw.len() as u64, again.size_bytes)
        );
        let file = std::fs::read(place.path().join(&published.filename)).unwrap();
        let sum = String::from_utf8(through("sha256sum", &[], &file).unwrap()).unwrap();
        assert!(sum.starts_with(&copied.sha256));
        if encoding == Encoding::Stored {
            assert!(file == raw);
        }
    }
}

#[test]
fn a_source_that_fails_is_told_apart_from_a_disk_that_fails() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or(io::Error::from_raw_os_error(28))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let meter = Meter::new();
    for encoding in [gzip(), Encoding::Stored] {
        let source = rows(3 << 20);
        let read = copy(source.chain(Broken), &mut Vec::new(), encoding, false, &meter);
        assert!(matches!(read, Err(CopyError::Read(error)) if error.raw_os_error() == Some(5)));
        for room in [0, 1, 5] {
            // A source without end: the failure alone must stop the copy.
            let write = copy(io::repeat(7), &mut Full(room), encoding, false, &meter);
            assert!(
                matches!(write, Err(CopyError::Write(error)) if error.raw_os_error() == Some(28))
            );
        }
    }
}

trait Chain: Sized {
    fn chain<R: Read>(self, next: R) -> impl Read;
}

impl Chain for Vec<u8> {
    fn chain<R: Read>(self, next: R) -> impl Read {
        Read::chain(io::Cursor::new(self), next)
    }
}

#[test]
fn a_full_disk_fails_the_copy_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| Command::new("mount").args(arguments).status().unwrap();
    let path = place.path().to_str().unwrap();
    if !mount(&["-t", "tmpfs", "-o", "size=3m", "tmpfs", path]).success() {
        return; // Mounting needs privileges that not every machine gives.
    }
    let (folder, _) = cofferdam_artifact::Folder::create(place.path()).unwrap();
    assert!(folder.free_bytes().unwrap() <= 3 << 20);
    let mut temp = folder.begin(BackupId::new()).unwrap();
    let failed = copy(&noise(8 << 20, 1)[..], &mut temp, gzip(), false, &Meter::new());
    drop(temp);
    let left = names(place.path());
    drop(folder);
    assert!(Command::new("umount").arg(path).status().unwrap().success());
    assert!(
        matches!(failed, Err(CopyError::Write(error)) if error.kind() == io::ErrorKind::StorageFull)
    );
    assert_eq!(left, [""; 0]);
}

#[test]
fn the_meter_moves_while_the_copy_runs() {
    struct Stop<'a>(&'a [u8], std::sync::mpsc::Receiver<()>);
    impl Read for Stop<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                let _ = self.1.recv();
            }
            self.0.read(buffer)
        }
    }
    let mut raw =
        b"COPY done (a) FROM stdin;\n1\n\\.\nCOPY public.\"now\" (a) FROM stdin;\n".to_vec();
    raw.extend(rows(2 << 20));
    let meter = Meter::new();
    let (go_on, stopped) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let source = Stop(&raw, stopped);
        let copying = scope.spawn(|| copy(source, &mut io::sink(), gzip(), true, &meter));
        while meter.raw_bytes() < raw.len() as u64 || meter.written_bytes() == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        let (table, bytes) = meter.table().unwrap();
        assert_eq!((table.as_str(), bytes, meter.tables_done()), ("public.\"now\"", 2 << 20, 1));
        drop(go_on);
        let copied = copying.join().unwrap().unwrap();
        assert_eq!(meter.written_bytes(), copied.size_bytes);
        assert!(!copied.scan.unwrap().complete);
    });
}

#[test]
fn members_do_not_depend_on_the_number_of_threads() {
    let raw = rows(7 << 20);
    let with = |workers: usize| {
        let level = 1.try_into().unwrap();
        packed_with(&raw, Encoding::Gzip { level, workers: workers.try_into().unwrap() }).0
    };
    let one = with(1);
    assert!(one == with(2) && one == with(7));
}

/// A block over and over, so many bytes in all.
struct Source(Vec<u8>, u64);
impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.0.len()).min(usize::try_from(self.1).unwrap());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.1 -= count as u64;
        Ok(count)
    }
}

/// What the test below does in a process of its own, whose memory nobody else uses.
fn copy_a_gibibyte(kind: &str) {
    let block = if kind == "random" { noise(1 << 20, 5) } else { vec![0; 1 << 20] };
    let copied = copy(Source(block, 1 << 30), &mut io::sink(), gzip(), true, &Meter::new());
    assert_eq!(copied.unwrap().raw_bytes, 1 << 30);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak {} kB", peak.trim().trim_end_matches(" kB"));
}

#[test]
fn memory_stays_bounded_whatever_the_dumps_size() {
    // This very test is what the process of its own runs.
    if let Ok(kind) = std::env::var("COPY_KIND") {
        return copy_a_gibibyte(&kind);
    }
    for kind in ["zeros", "random"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "copy::memory_stays_bounded_whatever_the_dumps_size", "--nocapture"])
            .env("COPY_KIND", kind)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        let peak = text.lines().find_map(|line| line.split("peak ").nth(1)).unwrap();
        let peak: u64 = peak.trim_end_matches(" kB").parse().unwrap();
        println!("{kind}: {peak} kB");
        assert!(peak < 32 << 10, "{kind}: {peak} kB");
    }
}
