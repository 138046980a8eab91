//! Getting rows out of the way of a rule: what quarantine and dedupe have in common.
//!
//! ```text
//! find (one snapshot) ──► artifact, on disk ──► batches: lock free rows, compare with the artifact, change, commit
//! ```
//!
//! Nothing is changed before the artifact is on disk, so at every moment the file says what has been done or is still to
//! do. A run that finds its artifact there carries it out instead of looking again; what is done already it passes over.

mod apply;
mod begin;
mod children;
mod find;
mod report;
mod survivors;

use std::path::{Path, PathBuf};

use tokio_postgres::{Client, IsolationLevel};

pub use self::report::{Cleared, ClearedRule, TenantRows};

use self::apply::Clear;
use self::find::Found;
use self::report::Tally;
use super::artifact::{Action, ArtifactError, Header, Purpose, Reader, RowTable, Writer, part_of, text_form};
use super::guard::Guard;
use super::ident::Ident;
use super::pace::Pace;
use super::{lock, shadow};
use crate::migrate::MigrateError;

pub(crate) use self::apply::{Batch, Step, in_batches, look};
pub(crate) use self::begin::begin;

/// How a [quarantine](Guard::quarantine) or a [dedupe](Guard::dedupe) is to run: dry unless told to apply.
///
/// ```
/// use slotkeeper::rollout::{Pace, Quarantine};
///
/// let look = Quarantine::dry_run();
/// let canary = Quarantine::dry_run().tenant("7f3c…").apply("/var/backups/visits-canary.jsonl");
/// let all = Quarantine::dry_run().apply("/var/backups/visits.jsonl").pace(Pace::new().batch(200));
/// # let _ = (look, canary, all);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Clearing {
    path: Option<PathBuf>,
    tenant: Option<String>,
    pace: Pace,
}

impl Clearing {
    /// Finds and counts, changes nothing, writes no file.
    pub fn dry_run() -> Self {
        Self::default()
    }

    /// Writes the rows to an artifact of this name, then changes them. If an artifact is there already, it is carried
    /// out to its end instead: that is how a run that was cut short is taken up again.
    pub fn apply(self, path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// One tenant's rows only: the canary. The value as text, as PostgreSQL prints it.
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// The same for one of several tables, with an artifact of its own.
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

/// Runs a clearing for `purpose`.
pub(super) async fn run(
    guard: &Guard,
    client: &mut Client,
    options: &Clearing,
    purpose: Purpose,
) -> Result<Cleared, MigrateError> {
    if options.tenant.is_some() && guard.tenant.is_none() {
        return Err(MigrateError::NoTenant { table: guard.table.to_string() });
    }
    let Some(path) = &options.path else {
        let tx = begin(client, &options.pace, IsolationLevel::RepeatableRead).await?;
        let (_, found) = find::find(tx, guard, purpose, options.tenant.as_deref()).await?;
        return Ok(Cleared::only_found(guard, &found, true));
    };
    lock::session(client, &guard.table, options.pace.patience()).await?;
    let done = apply_all(guard, client, options, purpose, path).await;
    unlock(client, guard, done).await
}

/// Gives the table's lock back, whatever came of the work: what went wrong first says more. Not an async closure's
/// business, because a future that borrows through one cannot be spawned.
pub(crate) async fn unlock<T>(
    client: &Client,
    guard: &Guard,
    done: Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    let released = lock::release(client, &guard.table).await;
    let done = done?;
    released.map(|()| done)
}

async fn apply_all(
    guard: &Guard,
    client: &mut Client,
    options: &Clearing,
    purpose: Purpose,
    path: &Path,
) -> Result<Cleared, MigrateError> {
    begin::expect_rights(client, guard, &options.pace, purpose.action()).await?;
    let resumed = path.symlink_metadata().is_ok();
    let mut deferred = 0;
    if !resumed {
        let tx = begin(client, &options.pace, IsolationLevel::RepeatableRead).await?;
        let (mut tx, found) = find::find(tx, guard, purpose, options.tenant.as_deref()).await?;
        deferred = found.deferred;
        if found.leaving.is_empty() {
            return Ok(Cleared::only_found(guard, &found, false));
        }
        write(&mut tx, guard, options, purpose, path, &found).await?;
    }
    let mut reader = Reader::open(path)?;
    if resumed {
        expect_same_run(client, guard, options, purpose, &reader).await?;
        // A run killed between giving the file its name and taking the other away left both.
        let _ = std::fs::remove_file(part_of(path));
    }
    if purpose.action() == Action::Shadow {
        shadow::ensure(client, guard, &options.pace).await?;
    }
    let mut report = Cleared::of(guard, path, &reader, resumed, deferred);
    let mut tally = Tally::default();
    let clear = Clear { shadow: guard.shadow.clone(), action: purpose.action() };
    loop {
        let records = reader.batch(options.pace.batch as usize)?;
        if records.is_empty() {
            report.count(guard, tally);
            return Ok(report);
        }
        tally.records(guard, &reader, &records);
        report.add(in_batches(client, &options.pace, &clear, &reader, records).await?);
    }
}

/// The rows found, whole, in the snapshot in which they were found.
async fn write(
    tx: &mut tokio_postgres::Transaction<'_>,
    guard: &Guard,
    options: &Clearing,
    purpose: Purpose,
    path: &Path,
    found: &Found,
) -> Result<(), MigrateError> {
    // Left with the transaction.
    let _ = text_form::enter(tx).await?;
    let table = RowTable::current(tx, &guard.table, Some(&guard.shadow)).await?;
    let header = Header::new(tx, purpose, options.tenant.clone(), vec![table.section.clone()]).await?;
    let mut writer = Writer::create(path, header)?;
    for part in found.leaving.chunks(options.pace.batch as usize) {
        for record in find::records(tx, &table, part, purpose.action()).await? {
            writer.row(&record)?;
        }
    }
    writer.finish()?;
    Ok(())
}

/// An artifact is carried out by the kind of run that wrote it, for the same tenants, in the same database.
async fn expect_same_run(
    client: &mut Client,
    guard: &Guard,
    options: &Clearing,
    purpose: Purpose,
    reader: &Reader,
) -> Result<(), MigrateError> {
    let header = reader.header();
    let section = header.expect_table(&guard.table)?.clone();
    if header.purpose != purpose || header.tenant != options.tenant {
        return Err(ArtifactError::OtherPurpose.into());
    }
    let tx = begin(client, &options.pace, IsolationLevel::ReadCommitted).await?;
    header.expect_database(&tx).await?;
    let _ = text_form::enter(&tx).await?;
    RowTable::of(&tx, section, Some(&guard.shadow)).await?;
    Ok(())
}
