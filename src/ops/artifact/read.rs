//! Reading an artifact. The whole file is checked before the first row is returned.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::ops::artifact::header::{FORMAT, VERSION};
use crate::ops::artifact::write::{End, hex};
use crate::ops::artifact::{ArtifactError, Header, Record};

/// A checked artifact, at its next row.
#[derive(Debug)]
pub(crate) struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    header: Header,
    rows: u64,
    left: u64,
}

/// What every version's first line has.
#[derive(Deserialize)]
struct Probe {
    format: String,
    version: u32,
}

impl Reader {
    /// Opens and checks the file. It is read twice in all, one line in memory.
    pub(crate) fn open(path: &Path) -> Result<Self, ArtifactError> {
        let file = File::open(path).map_err(ArtifactError::io(path))?;
        let mut lines = Lines { path, file: BufReader::new(file) };
        let (header, first) = lines.header()?;
        let rows = lines.check(&first)?;
        let mut reader = Self { path: path.to_owned(), file: lines.file, header, rows, left: rows };
        reader.rewind()?;
        Ok(reader)
    }

    pub(crate) const fn header(&self) -> &Header {
        &self.header
    }

    /// How many rows it holds.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Back to the first row.
    pub(crate) fn rewind(&mut self) -> Result<(), ArtifactError> {
        self.file.seek(SeekFrom::Start(0)).map_err(ArtifactError::io(&self.path))?;
        self.left = self.rows;
        let mut lines = Lines { path: &self.path, file: &mut self.file };
        lines.next().map(|_| ())
    }

    /// The next rows, at most `limit`, all of one table; none at the end.
    pub(crate) fn batch(&mut self, limit: usize) -> Result<Vec<Record>, ArtifactError> {
        let mut batch: Vec<Record> = Vec::new();
        while batch.len() < limit && self.left > 0 {
            let place = self.file.stream_position().map_err(ArtifactError::io(&self.path))?;
            let record = self.record()?;
            if batch.first().is_some_and(|first| first.table != record.table) {
                self.file.seek(SeekFrom::Start(place)).map_err(ArtifactError::io(&self.path))?;
                break;
            }
            self.left -= 1;
            batch.push(record);
        }
        Ok(batch)
    }

    fn record(&mut self) -> Result<Record, ArtifactError> {
        let line = Lines { path: &self.path, file: &mut self.file }.next()?;
        let record = Record::from_line(&line, &self.header);
        record.ok_or_else(|| ArtifactError::Damaged { path: self.path.clone() })
    }
}

struct Lines<'a, F> {
    path: &'a Path,
    file: F,
}

impl<F: BufRead> Lines<'_, F> {
    /// The next line with its end; empty at the end of the file. A line without an end was cut off.
    fn next(&mut self) -> Result<Vec<u8>, ArtifactError> {
        let mut line = Vec::new();
        self.file.read_until(b'\n', &mut line).map_err(ArtifactError::io(self.path))?;
        if line.last().is_none_or(|byte| *byte == b'\n') { Ok(line) } else { Err(self.truncated()) }
    }

    fn header(&mut self) -> Result<(Header, Vec<u8>), ArtifactError> {
        let line = self.next()?;
        if line.is_empty() {
            return Err(self.truncated());
        }
        let probe: Probe = serde_json::from_slice(&line).map_err(|_| self.damaged())?;
        if probe.format != FORMAT {
            return Err(self.damaged());
        }
        if probe.version > VERSION {
            return Err(ArtifactError::NewerVersion { found: probe.version, known: VERSION });
        }
        let header = serde_json::from_slice(&line).map_err(|_| self.damaged())?;
        Ok((header, line))
    }

    /// Counts the rows behind the header, and compares count and checksum with the last line.
    fn check(&mut self, first: &[u8]) -> Result<u64, ArtifactError> {
        let mut digest = Sha256::new_with_prefix(first);
        let (mut rows, mut last) = (0, self.next()?);
        loop {
            let line = self.next()?;
            if line.is_empty() {
                break;
            }
            rows += 1;
            digest.update(&last);
            last = line;
        }
        if !last.starts_with(br#"{"rows""#) {
            return Err(self.truncated());
        }
        let end = End { rows, sha256: hex(&digest.finalize()) };
        // Compared byte by byte, so that no edit passes, not even one that means the same.
        let expected = serde_json::to_vec(&end).map_err(|_| self.damaged())?;
        if last.strip_suffix(b"\n") == Some(&expected) { Ok(rows) } else { Err(self.damaged()) }
    }

    fn truncated(&self) -> ArtifactError {
        ArtifactError::Truncated { path: self.path.to_owned() }
    }

    fn damaged(&self) -> ArtifactError {
        ArtifactError::Damaged { path: self.path.to_owned() }
    }
}
