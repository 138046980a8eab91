//! Every migration taken back and applied again, on a copy.

mod copy;
mod scratch;

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio_postgres::Client;

use self::copy::Sums;
use self::scratch::Scratch;
use crate::migrate::ceremony::CeremonyOptions;
use crate::migrate::{Down, Migrator};
use crate::ops::lock::RunLock;
use crate::ops::{OpsError, Pace};

/// What a drill did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Drill {
    /// The scratch schema, which was dropped.
    pub schema: String,
    /// Tenants whose rows were copied.
    pub tenants: u64,
    /// Tenants there are. If there are more than were copied, the drill was on a sample.
    pub of_tenants: u64,
    /// Rows copied.
    pub rows: u64,
    /// How long copying took.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub copied_in: Duration,
    /// How long it took to take every step down with an export.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub down_in: Duration,
    /// How long it took to bring the tables back.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub up_in: Duration,
    /// How long it took to bring the rows back.
    #[serde(serialize_with = "crate::serde_seconds::serialize")]
    pub restored_in: Duration,
    /// Rows brought back.
    pub restored: u64,
    /// What was not as it should be: the copy's tables whose rows differ, checks that failed.
    pub wrong: Vec<String>,
}

impl Drill {
    /// Whether every row came back as it was, and the copy verified and was clean.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
}

/// Runs the drill on a scratch copy, which is dropped afterwards in every case.
pub(super) async fn drill(
    migrator: &Migrator,
    client: &mut Client,
    options: &CeremonyOptions,
) -> Result<Drill, OpsError> {
    let scratch = Scratch::of(migrator, client, options).await?;
    let pace = Pace::new();
    RunLock::Table(&scratch.lock)
        .while_locked(client, pace.patience(), async |client| {
            scratch.sweep(client).await?;
            let done = rehearse(migrator, &scratch, client, options, &pace).await;
            let swept = scratch.sweep(client).await;
            // What went wrong first says more.
            let done = done?;
            swept.map(|()| done)
        })
        .await
}

async fn rehearse(
    migrator: &Migrator,
    scratch: &Scratch,
    client: &mut Client,
    options: &CeremonyOptions,
    pace: &Pace,
) -> Result<Drill, OpsError> {
    let there = migrator.clone().in_schema(scratch.schema.clone()).create_schema(false);
    let mut drill = Drill { schema: scratch.schema.to_string(), ..Drill::default() };
    scratch.create(client).await?;
    there.up(client).await?;
    let started = Instant::now();
    let before = copy::copy(migrator, &scratch.schema, client, options.rows, &mut drill).await?;
    drill.copied_in = started.elapsed();
    look(&there, client, &mut drill, "the copy").await?;

    let started = Instant::now();
    let files = down(&there, scratch, client).await?;
    drill.down_in = started.elapsed();
    let started = Instant::now();
    there.up(client).await?;
    drill.up_in = started.elapsed();
    let started = Instant::now();
    for file in files.iter().rev() {
        drill.restored += there.restore(client, file, pace).await?.restored;
    }
    drill.restored_in = started.elapsed();

    compare(&before, &copy::sums(&scratch.schema, client).await?, &mut drill);
    look(&there, client, &mut drill, "the copy that came back").await?;
    Ok(drill)
}

/// All the way, a file a step.
async fn down(there: &Migrator, scratch: &Scratch, client: &mut Client) -> Result<Vec<PathBuf>, OpsError> {
    let mut files = Vec::new();
    loop {
        let file = scratch.file(files.len());
        match there.down(client, Down::new().export(&file)).await? {
            Some(_) => files.push(file),
            None => return Ok(files),
        }
    }
}

fn compare(before: &Sums, after: &Sums, drill: &mut Drill) {
    for (table, sum) in before {
        if after.get(table) != Some(sum) {
            drill.wrong.push(format!("the rows of {table} did not come back as they were"));
        }
    }
}

async fn look(there: &Migrator, client: &mut Client, drill: &mut Drill, what: &str) -> Result<(), OpsError> {
    let verification = there.verify(client).await?;
    if !verification.is_ok() {
        drill.wrong.push(format!("{what}: {verification}"));
    }
    let audit = there.audit(client).await?;
    if !audit.is_clean() {
        drill.wrong.push(format!("{what}: {audit}"));
    }
    Ok(())
}

impl fmt::Display for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, tenants, of_tenants, rows, restored, .. } = self;
        let sample = if tenants < of_tenants { ", a sample" } else { "" };
        writeln!(
            f,
            "{rows} rows of {tenants} of {of_tenants} tenants{sample}, copied to {schema} in {:.1?}",
            self.copied_in
        )?;
        writeln!(f, "down with exports in {:.1?}, up in {:.1?}", self.down_in, self.up_in)?;
        writeln!(f, "{restored} rows restored in {:.1?}", self.restored_in)?;
        if self.passed() {
            return writeln!(f, "every row came back as it was");
        }
        self.wrong.iter().try_for_each(|wrong| writeln!(f, "wrong: {wrong}"))
    }
}
