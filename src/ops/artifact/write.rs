//! Writing an artifact.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ops::artifact::{ArtifactError, Header, Record};

/// An artifact that is being written. Dropped unfinished, it leaves no file.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None` once the file has its name.
    part: Option<PathBuf>,
    path: PathBuf,
    file: BufWriter<File>,
    header: Header,
    digest: Sha256,
    rows: u64,
}

/// An artifact that is whole and on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
    pub(crate) sha256: String,
}

/// The last line.
#[derive(Debug, Serialize)]
pub(super) struct End {
    pub(super) rows: u64,
    pub(super) sha256: String,
}

impl Writer {
    /// Starts `<path>.part`. What a killed run left under that name is replaced; `path` itself must not be there.
    pub(crate) fn create(path: &Path, header: Header) -> Result<Self, ArtifactError> {
        if path.symlink_metadata().is_ok() {
            return Err(ArtifactError::Exists { path: path.to_owned() });
        }
        let part = part_of(path);
        match fs::remove_file(&part) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(ArtifactError::io(&part)(error));
            }
            _ => {}
        }
        let file = private().open(&part).map_err(ArtifactError::io(&part))?;
        let (path, file, digest) = (path.to_owned(), BufWriter::new(file), Sha256::new());
        let mut writer = Self { part: Some(part), path, file, header, digest, rows: 0 };
        let line = serde_json::to_vec(&writer.header).map_err(|_| writer.defect())?;
        writer.line(line)?;
        Ok(writer)
    }

    /// Which artifact it is.
    pub(crate) const fn id(&self) -> Uuid {
        self.header.id
    }

    /// Appends a row.
    pub(crate) fn row(&mut self, record: &Record) -> Result<(), ArtifactError> {
        let line = record.to_line(&self.header).map_err(|_| self.defect())?;
        self.rows += 1;
        self.line(line)
    }

    /// Ends the file, waits until it is on disk, and gives it its name.
    pub(crate) fn finish(mut self) -> Result<Written, ArtifactError> {
        let sha256 = hex(&self.digest.finalize_reset());
        let end = End { rows: self.rows, sha256 };
        let line = serde_json::to_vec(&end).map_err(|_| self.defect())?;
        self.line(line)?;
        self.file.flush().map_err(ArtifactError::io(&self.path))?;
        self.file.get_ref().sync_all().map_err(ArtifactError::io(&self.path))?;
        if let Some(part) = &self.part {
            // A link, because it refuses a name that is taken, where a rename would replace it.
            fs::hard_link(part, &self.path).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => ArtifactError::Exists { path: self.path.clone() },
                _ => ArtifactError::io(&self.path)(error),
            })?;
            fs::remove_file(part).map_err(ArtifactError::io(part))?;
            self.part = None;
        }
        sync_folder(&self.path)?;
        Ok(Written { path: self.path.clone(), rows: end.rows, sha256: end.sha256 })
    }

    fn line(&mut self, mut line: Vec<u8>) -> Result<(), ArtifactError> {
        line.push(b'\n');
        self.digest.update(&line);
        self.file.write_all(&line).map_err(ArtifactError::io(&self.path))
    }

    /// Text and numbers always are JSON.
    fn defect(&self) -> ArtifactError {
        ArtifactError::Damaged { path: self.path.clone() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // What cannot be removed is replaced by the next run.
            let _ = fs::remove_file(part);
        }
    }
}

/// The name of an artifact that is not whole yet.
pub(crate) fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// A new file, the owner's only.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Until its folder is on disk too, a file may lose its name in a crash.
fn sync_folder(path: &Path) -> Result<(), ArtifactError> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(ArtifactError::io(folder))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
