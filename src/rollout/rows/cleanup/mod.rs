//! Marking or removing rows that break a rule: what quarantine and dedupe have in common.
//!
//! ```text
//! find (one snapshot) ──► artifact, on disk ──► batches: lock free rows, compare with the artifact, change, commit
//! ```
//!
//! Nothing is changed before the artifact is on disk, so the file always lists what has been done or is still to do. A run
//! whose artifact exists already carries it out instead of searching again, and skips rows that are done.

mod apply;
mod find;
mod options;
mod recheck;
mod report;
mod rights;
mod rivals;
mod tally;

use std::path::Path;

use tokio_postgres::Client;

pub use self::options::Cleanup;
pub use self::report::CleanupReport;
pub use self::tally::{CleanedRule, TenantRows};

use self::apply::Clear;
use self::find::Found;
use self::tally::Tally;
use crate::ops::artifact::{Action, ArtifactError, Header, Purpose, Reader, Writer, part_of};
use crate::ops::lock::RunLock;
use crate::ops::rows::{RowTable, in_batches, text_form};
use crate::ops::transaction::{AS_OF_NOW, ONE_SNAPSHOT, Transaction};
use crate::ops::{OpsError, session};
use crate::rollout::guard::Guard;
use crate::rollout::tenant;

/// Runs a quarantine or a dedupe, as `purpose` says.
pub(super) async fn run(
    guard: &Guard,
    client: &mut Client,
    options: &Cleanup,
    purpose: Purpose,
) -> Result<CleanupReport, OpsError> {
    let mut options = options.clone();
    if let Some(tenant) = &options.tenant {
        options.tenant = Some(tenant::canonical(client, guard, tenant).await?);
    }
    let options = &options;
    let Some(path) = &options.path else {
        let tx = session::begin_in(client, ONE_SNAPSHOT, options.pace.lock_timeout, "").await?;
        let (_, found) = find::find(tx, guard, purpose, options.tenant.as_deref()).await?;
        return Ok(CleanupReport::only_found(guard, &found, true));
    };
    RunLock::Table(&guard.table).for_session(client, options.pace.patience()).await?;
    let done = apply_all(guard, client, options, purpose, path).await;
    RunLock::Table(&guard.table).release(client, done).await
}

async fn apply_all(
    guard: &Guard,
    client: &mut Client,
    options: &Cleanup,
    purpose: Purpose,
    path: &Path,
) -> Result<CleanupReport, OpsError> {
    rights::expect(client, guard, &options.pace, purpose.action()).await?;
    let resumed = path.symlink_metadata().is_ok();
    let mut deferred = 0;
    if !resumed {
        let tx = session::begin_in(client, ONE_SNAPSHOT, options.pace.lock_timeout, "").await?;
        let (mut tx, found) = find::find(tx, guard, purpose, options.tenant.as_deref()).await?;
        deferred = found.deferred;
        if found.leaving.is_empty() {
            return Ok(CleanupReport::only_found(guard, &found, false));
        }
        write(&mut tx, guard, options, purpose, path, &found).await?;
    }
    let mut reader = Reader::open(path)?;
    expect_same_run(client, guard, options, purpose, &reader).await?;
    if resumed {
        // A run killed between naming the file and removing its partial name left both.
        let _ = std::fs::remove_file(part_of(path));
    }
    if purpose.action() == Action::Shadow {
        guard.mark_column().ensure(client, &options.pace).await?;
    }
    let mut report = CleanupReport::of(guard, path, &reader, resumed, deferred);
    let mut tally = Tally::default();
    let clear = Clear { guard, action: purpose.action() };
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

/// Writes the rows that were found to the artifact, whole, as the snapshot that found them sees them.
async fn write(
    tx: &mut Transaction<'_>,
    guard: &Guard,
    options: &Cleanup,
    purpose: Purpose,
    path: &Path,
    found: &Found,
) -> Result<(), OpsError> {
    // The settings end with the transaction.
    let _ = text_form::enter(tx).await?;
    let table = RowTable::current(tx, &guard.table, Some(&guard.shadow)).await?;
    let header = Header::new(tx, purpose, options.tenant.clone(), vec![table.section.clone()]).await?;
    let mut writer = Writer::create(path, header)?;
    for (cause, offenders) in &found.leaving {
        for part in offenders.chunks(options.pace.batch as usize) {
            for record in find::records(tx, &table, cause, part, purpose.action()).await? {
                writer.row(&record)?;
            }
        }
    }
    writer.finish()?;
    Ok(())
}

/// Refuses an artifact that another kind of run wrote, or one for other tenants or of another database.
async fn expect_same_run(
    client: &mut Client,
    guard: &Guard,
    options: &Cleanup,
    purpose: Purpose,
    reader: &Reader,
) -> Result<(), OpsError> {
    let header = reader.header();
    let section = header.expect_table(&guard.table)?.clone();
    if header.purpose != purpose || header.tenant != options.tenant {
        return Err(ArtifactError::OtherPurpose.into());
    }
    let tx = session::begin_in(client, AS_OF_NOW, options.pace.lock_timeout, "").await?;
    header.expect_database(&tx).await?;
    let _ = text_form::enter(&tx).await?;
    RowTable::of(&tx, section, Some(&guard.shadow)).await?;
    Ok(())
}
