//! A ceremony: a whole rollout in one call, every step in its order, each checked before the next, with a report.
//!
//! ```text
//! preflight ─► plan ─► up ─► verify ─► audit ─► up again: nothing to do ─► drill on a scratch copy ─► report
//! ```
//!
//! It stops at the first thing that is not as it should be, and says what. The drill takes a copy of the rows down with an
//! export and back up again, and compares; the tables in use are only read.

mod drill;
mod report;

pub use drill::Drill;
pub use report::{Ceremony, CeremonyStep};

use std::path::PathBuf;

use serde::Serialize;
use tokio_postgres::Client;

use self::report::Steps;
use crate::migrate::Migrator;

/// The options of a ceremony.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CeremonyOptions {
    folder: PathBuf,
    rows: u64,
}

impl Default for CeremonyOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl CeremonyOptions {
    /// Exports go to the system's folder for temporary files, and are gone afterwards; the drill copies at most a million
    /// rows.
    pub fn new() -> Self {
        Self { folder: std::env::temp_dir(), rows: 1_000_000 }
    }

    /// Where the drill writes its exports: they hold personal data for as long as it runs.
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), ..self }
    }

    /// How many rows the drill copies at most: whole tenants, the smallest first, but one at least.
    pub fn rows(self, rows: u64) -> Self {
        Self { rows, ..self }
    }
}

impl Migrator {
    /// Runs the ceremony. Failures are in the report, errors of the server too: its last step is where it stopped.
    ///
    /// The scratch copy is a schema of its own, `<schema>_drill`, dropped at the end on every path. What a killed run, or
    /// a dropped future, left of it is swept by the next ceremony, and so are its files.
    ///
    /// # Transactions
    /// Those of [`up`](Self::up) on the schema itself; everything else is read from it, the rows for the drill from one
    /// snapshot, which keeps vacuum from removing rows that died since.
    pub async fn ceremony(&self, client: &mut Client, options: &CeremonyOptions) -> Ceremony {
        let mut steps = Steps::new(self.schema.to_string());
        // Each step says itself whether to go on; the first that fails ends it.
        let _ = self.hold(client, options, &mut steps).await;
        steps.done()
    }

    async fn hold(&self, client: &mut Client, options: &CeremonyOptions, steps: &mut Steps) -> Option<()> {
        let start = steps.begin("preflight");
        let preflight = steps.expect(start, self.preflight(client).await)?;
        steps.end(start, preflight.is_clean(), &preflight, preflight.to_string())?;

        let start = steps.begin("plan");
        let plan = steps.expect(start, self.plan(client).await)?;
        steps.end(start, true, &plan, plan.to_string())?;

        let start = steps.begin("up");
        let applied = steps.expect(start, self.up(client).await)?;
        let names: Vec<String> =
            applied.iter().map(|step| format!("{} {}", step.version, step.name)).collect();
        steps.end(start, true, &applied, format!("applied: {}", or_nothing(&names)))?;

        self.look(client, steps).await?;

        let start = steps.begin("up again");
        let again = steps.expect(start, self.up(client).await)?;
        steps.end(
            start,
            again.is_empty(),
            &again,
            format!("applied {} migrations, expected none", again.len()),
        )?;

        let start = steps.begin("drill");
        let drill = steps.expect(start, drill::drill(self, client, options).await)?;
        steps.end(start, drill.passed(), &drill, drill.to_string())
    }

    /// Definitions and rows.
    async fn look(&self, client: &mut Client, steps: &mut Steps) -> Option<()> {
        let start = steps.begin("verify");
        let verification = steps.expect(start, self.verify(client).await)?;
        steps.end(start, verification.is_ok(), &verification, verification.to_string())?;

        let start = steps.begin("audit");
        let audit = steps.expect(start, self.audit(client).await)?;
        let found = audit.checks.iter().filter(|check| check.rows > 0 || check.is_damage());
        let found: Vec<_> = found.collect();
        #[derive(Serialize)]
        struct Found<'a, T> {
            checks: usize,
            found: &'a [T],
        }
        let detail = Found { checks: audit.checks.len(), found: &found };
        steps.end(start, audit.is_clean(), &detail, audit.to_string())
    }
}

fn or_nothing(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
