//! What happened, for people and for machines.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::ops::OpsError;

/// The report of [`Migrator::ceremony`](crate::migrate::Migrator::ceremony): JSON by `serde`, Markdown by `Display`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Ceremony {
    /// The schema.
    pub schema: String,
    /// The library's version.
    pub library: &'static str,
    /// The steps that were taken, in order. The last one is where it stopped, if it did.
    pub steps: Vec<CeremonyStep>,
    /// How long all of it took.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub duration: Duration,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CeremonyStep {
    /// `preflight`, `plan`, `up`, `verify`, `audit`, `up again` or `drill`.
    pub name: &'static str,
    /// Whether all was as it should be.
    pub passed: bool,
    /// How long it took.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub duration: Duration,
    /// What it found, as a page.
    pub page: String,
    /// What it found, as data.
    pub detail: Value,
}

impl Ceremony {
    /// Whether every step was taken and passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.stopped().is_none() && self.steps.last().is_some_and(|step| step.name == "drill")
    }

    /// The step at which it stopped.
    #[must_use]
    pub fn stopped(&self) -> Option<&CeremonyStep> {
        self.steps.iter().find(|step| !step.passed)
    }
}

/// Steps as they are taken.
pub(super) struct Steps {
    started: Instant,
    schema: String,
    steps: Vec<CeremonyStep>,
}

/// A step that began.
#[derive(Clone, Copy)]
pub(super) struct Start {
    name: &'static str,
    at: Instant,
}

impl Steps {
    pub(super) fn new(schema: String) -> Self {
        Self { started: Instant::now(), schema, steps: Vec::new() }
    }

    pub(super) fn begin(&self, name: &'static str) -> Start {
        Start { name, at: Instant::now() }
    }

    /// An error ends the ceremony.
    pub(super) fn expect<T>(&mut self, start: Start, result: Result<T, OpsError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.end(start, false, &(), format!("failed: {error}\n"));
                None
            }
        }
    }

    /// `None` if the ceremony ends here.
    pub(super) fn end(
        &mut self,
        Start { name, at }: Start,
        passed: bool,
        detail: &impl Serialize,
        page: String,
    ) -> Option<()> {
        // Cannot fail: the reports are plain structures with text keys.
        let detail = serde_json::to_value(detail).unwrap_or_default();
        self.steps.push(CeremonyStep { name, passed, duration: at.elapsed(), page, detail });
        passed.then_some(())
    }

    pub(super) fn done(self) -> Ceremony {
        let Self { started, schema, steps } = self;
        Ceremony { schema, library: env!("CARGO_PKG_VERSION"), steps, duration: started.elapsed() }
    }
}

/// Markdown.
impl fmt::Display for Ceremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, library, steps, duration } = self;
        writeln!(f, "# Rollout of slotkeeper {library} in schema {schema}\n")?;
        match self.stopped() {
            Some(step) => writeln!(f, "**Stopped at {}** after {duration:.1?}.\n", step.name)?,
            None => writeln!(f, "All steps passed in {duration:.1?}.\n")?,
        }
        writeln!(f, "| step | result | took |\n|---|---|---|")?;
        for step in steps {
            let result = if step.passed { "passed" } else { "**stopped**" };
            writeln!(f, "| {} | {result} | {:.1?} |", step.name, step.duration)?;
        }
        for step in steps {
            writeln!(f, "\n## {}\n\n```text\n{}\n```", step.name, step.page.trim_end())?;
        }
        Ok(())
    }
}
