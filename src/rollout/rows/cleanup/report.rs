//! What a quarantine or a dedupe did, or would do.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uuid::Uuid;

use crate::ops::RowKey;
use crate::ops::artifact::Reader;
use crate::ops::rows::{SAMPLES, Step};
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup::find::Found;
use crate::rollout::rows::cleanup::tally::{CleanedRule, Tally};

/// What a [quarantine](Guard::quarantine) or a [dedupe](Guard::dedupe) did, or would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CleanupReport {
    /// The table, with its schema.
    pub table: String,
    /// Whether rows were only counted.
    pub dry_run: bool,
    /// Whether it carried out an artifact that existed already.
    pub resumed: bool,
    /// The artifact; none if there was nothing to do, or nothing was to be done.
    pub artifact: Option<PathBuf>,
    /// Its id, also in its first line.
    pub artifact_id: Option<Uuid>,
    /// The rows found, by the first rule each breaks.
    pub rules: Vec<CleanedRule>,
    /// All rows found.
    pub found: u64,
    /// Rows marked or removed by this call.
    pub done: u64,
    /// Rows that were marked or removed already.
    pub already: u64,
    /// Rows left alone: they changed since they were found, or (of rows to be removed) no longer break their rule.
    pub changed_since: u64,
    /// Rows that other sessions deleted since they were found. Of a dedupe these count as `already`.
    pub gone: u64,
    /// Rows that compete only with rows that may be removed themselves. Run again, with another path, until there are none.
    pub deferred: u64,
    /// Some of the rows that changed.
    pub changed: Vec<RowKey>,
}

impl CleanupReport {
    /// Whether rows still break a rule: those a dry run found, and those this run left alone or deferred.
    #[must_use]
    pub const fn remains(&self) -> bool {
        self.dry_run && self.found > 0 || self.changed_since > 0 || self.deferred > 0
    }
}

impl CleanupReport {
    fn new(guard: &Guard, deferred: u64) -> Self {
        Self {
            table: guard.table.to_string(),
            dry_run: false,
            resumed: false,
            artifact: None,
            artifact_id: None,
            rules: Vec::new(),
            found: 0,
            done: 0,
            already: 0,
            changed_since: 0,
            gone: 0,
            deferred,
            changed: Vec::new(),
        }
    }

    /// Nothing was done.
    pub(super) fn only_found(guard: &Guard, found: &Found, dry_run: bool) -> Self {
        let mut report = Self { dry_run, ..Self::new(guard, found.deferred) };
        report.count(guard, Tally::found(found));
        report
    }

    pub(super) fn of(guard: &Guard, path: &Path, reader: &Reader, resumed: bool, deferred: u64) -> Self {
        let (artifact, artifact_id) = (Some(path.to_owned()), Some(reader.header().id));
        Self { artifact, artifact_id, resumed, ..Self::new(guard, deferred) }
    }

    pub(super) fn count(&mut self, guard: &Guard, tally: Tally) {
        self.rules = tally.into_rules(guard);
        self.found = self.rules.iter().map(|rule| rule.rows).sum();
    }

    pub(super) fn add(&mut self, step: Step) {
        self.done += step.done;
        self.already += step.already;
        self.gone += step.gone;
        self.changed_since += step.differing.len() as u64;
        let room = SAMPLES.saturating_sub(self.changed.len());
        self.changed.extend(step.differing.into_iter().take(room));
    }
}

impl fmt::Display for CleanupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, found, done, already, changed_since, gone, deferred, .. } = self;
        let how = match (self.dry_run, self.resumed) {
            (true, _) => " (dry run)",
            (false, true) => " (the artifact was there: carried out, nothing new was looked for)",
            (false, false) => "",
        };
        writeln!(f, "{table}{how}: {found} rows found, {done} done, {already} done before")?;
        for rule in &self.rules {
            writeln!(f, "  {} ({}): {} rows", rule.rule, rule.reason, rule.rows)?;
        }
        if changed_since + gone + deferred > 0 {
            writeln!(f, "  left: {changed_since} changed since, {gone} gone, {deferred} deferred")?;
        }
        match &self.artifact {
            Some(path) => writeln!(f, "  artifact: {}", path.display()),
            None => Ok(()),
        }
    }
}
