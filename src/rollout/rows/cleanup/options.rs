//! The options of a quarantine or a dedupe.

use std::path::PathBuf;

use crate::ops::{Ident, Pace};

/// How a [quarantine](crate::rollout::Guard::quarantine) or a [dedupe](crate::rollout::Guard::dedupe) runs: dry unless
/// [`apply`](Self::apply) names a file.
///
/// ```
/// use slotkeeper::rollout::{Pace, Cleanup};
///
/// let look = Cleanup::dry_run();
/// let canary = Cleanup::dry_run().tenant("7f3c…").apply("/var/backups/visits-canary.jsonl");
/// let all = Cleanup::dry_run().apply("/var/backups/visits.jsonl").pace(Pace::new().batch(200));
/// # let _ = (look, canary, all);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Cleanup {
    pub(super) path: Option<PathBuf>,
    pub(super) tenant: Option<String>,
    pub(super) pace: Pace,
}

impl Cleanup {
    /// Finds and counts, changes nothing, writes no file.
    pub fn dry_run() -> Self {
        Self::default()
    }

    /// Writes the rows to an artifact of this name, then changes them. If the artifact exists already, it is carried out
    /// to its end instead: this resumes a run that was interrupted.
    ///
    /// The artifact is a file of JSON lines with the rows whole, so it holds whatever personal data they hold; on Unix
    /// only its owner may read it. It is on disk before the first change, its end has a checksum of all before, and it
    /// goes back only into the database it came from: a dump restored elsewhere is another database, a physical copy
    /// cannot be distinguished from the original. The calling thread is blocked while the file is written or read.
    pub fn apply(self, path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// One tenant's rows only: the canary. The value as text, in any form its column's type reads.
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// The same options for one of several tables, with an artifact of its own.
    pub(crate) fn for_table(&self, table: &Ident) -> Self {
        let path = self.path.as_ref().map(|path| {
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            name.push(".");
            name.push(table.as_str());
            if let Some(extension) = path.extension() {
                name.push(".");
                name.push(extension);
            }
            path.with_file_name(name)
        });
        Self { path, ..self.clone() }
    }

    /// How many rows a transaction changes, and how long it waits and tries.
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }
}
