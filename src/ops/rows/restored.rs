//! What a restore did.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uuid::Uuid;

use crate::ops::RowKey;
use crate::ops::artifact::Reader;
use crate::ops::rows::{SAMPLES, Step};

/// What a [restore](crate::rollout::Guard::restore) did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Restored {
    /// The artifact.
    pub artifact: PathBuf,
    /// Its id.
    pub artifact_id: Uuid,
    /// The rows in it.
    pub rows: u64,
    /// Rows unmarked or put back by this call.
    pub restored: u64,
    /// Rows that were not marked any more, or existed with the same content.
    pub already: u64,
    /// Rows that exist with another content than the artifact has: not written over.
    pub differing: u64,
    /// Marked rows that others have deleted since: not put back, because it was not the quarantine that took them.
    pub gone: u64,
    /// Some of the rows that differ.
    pub samples: Vec<RowKey>,
}

impl Restored {
    pub(super) fn new(path: &Path, reader: &Reader) -> Self {
        Self {
            artifact: path.to_owned(),
            artifact_id: reader.header().id,
            rows: reader.rows(),
            restored: 0,
            already: 0,
            differing: 0,
            gone: 0,
            samples: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, step: Step) {
        self.restored += step.done;
        self.already += step.already;
        self.gone += step.gone;
        self.differing += step.differing.len() as u64;
        let room = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(step.differing.into_iter().take(room));
    }
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rows, restored, already, differing, gone, artifact, .. } = self;
        write!(
            f,
            "{restored} of {rows} rows restored from {}, {already} done before, {differing} differ, {gone} gone",
            artifact.display()
        )
    }
}
