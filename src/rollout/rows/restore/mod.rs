//! The way back: rows as an artifact has them.

mod report;

use std::path::Path;

use tokio_postgres::Client;

pub use self::report::Restored;

use crate::ops::artifact::{Action, ArtifactError, Lock, Purpose, Reader, Record, RowTable, text_form};
use crate::ops::lock::RunLock;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, MigrateError, Pace, RowKey};
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup::{AS_OF_NOW, Batch, Step, begin, in_batches, look};

impl Guard {
    /// Takes back what the run that wrote the artifact did: marked rows count again, removed rows are there again, with
    /// their primary keys and every stored value.
    ///
    /// The constraints in force decide: a row that breaks one is refused, so take the guard down first where need be. A
    /// marked row is unmarked whatever the host has changed in it since.
    ///
    /// # Errors
    /// Before anything is changed: [`Artifact`](MigrateError::Artifact) if the file is damaged, cut off, of another
    /// database, table or shape, or no quarantine's or dedupe's; [`RolloutRunning`](MigrateError::RolloutRunning) if
    /// another run works on the table. Later, with some batches done: [`RowRefused`](MigrateError::RowRefused), which
    /// names the constraint; [`RowsKept`](MigrateError::RowsKept); [`Contended`](MigrateError::Contended);
    /// [`PermissionDenied`](MigrateError::PermissionDenied); and what the connection reports. The same call goes on from
    /// there.
    ///
    /// # Transactions
    /// One for each batch. Dropping the future leaves whole batches.
    ///
    /// It holds an advisory lock of the session: no pooler in transaction mode. Dropping the future leaves that lock with the
    /// connection: close it.
    pub async fn restore(
        &self,
        client: &mut Client,
        path: impl AsRef<Path> + Send + Sync,
        pace: &Pace,
    ) -> Result<Restored, MigrateError> {
        let mut reader = Reader::open(path.as_ref())?;
        reader.header().expect_table(&self.table)?;
        if !matches!(reader.header().purpose, Purpose::Quarantine | Purpose::Dedupe) {
            return Err(ArtifactError::OtherPurpose.into());
        }
        RunLock::Table(&self.table).for_session(client, pace.patience()).await?;
        let done = put_back(client, &mut reader, path.as_ref(), Some(self), pace).await;
        RunLock::Table(&self.table).release(client, done).await
    }
}

/// Puts the rows of any artifact back, table after table in its order (parents first); `guard` is the one
/// whose run wrote it, and says which column marks. The caller keeps other rollouts away.
pub(crate) async fn put_back(
    client: &mut Client,
    reader: &mut Reader,
    path: &Path,
    guard: Option<&Guard>,
    pace: &Pace,
) -> Result<Restored, MigrateError> {
    let back = Back { guard, action: reader.header().purpose.action() };
    expect_fit(client, reader, back.shadow(), pace).await?;
    let mut report = Restored::new(path, reader);
    reader.rewind()?;
    loop {
        let records = reader.batch(pace.batch as usize)?;
        if records.is_empty() {
            return Ok(report);
        }
        report.add(in_batches(client, pace, &back, reader, records).await?);
    }
}

/// Every table must be there, as it was, in the database the rows came from.
async fn expect_fit(
    client: &mut Client,
    reader: &Reader,
    shadow: Option<&Ident>,
    pace: &Pace,
) -> Result<(), MigrateError> {
    let tx = begin(client, pace, AS_OF_NOW).await?;
    reader.header().expect_database(&tx).await?;
    let _ = text_form::enter(&tx).await?;
    for section in &reader.header().tables {
        RowTable::of(&tx, section.clone(), shadow).await?;
    }
    Ok(())
}

/// Unmarks or inserts rows.
struct Back<'a> {
    guard: Option<&'a Guard>,
    action: Action,
}

impl Batch for Back<'_> {
    fn shadow(&self) -> Option<&Ident> {
        self.guard.map(|guard| &guard.shadow)
    }

    async fn once(
        &self,
        tx: &Transaction<'_>,
        table: &RowTable,
        records: &[Record],
        outside: &text_form::Outside,
    ) -> Result<Step, MigrateError> {
        match self.action {
            Action::Shadow => {
                let since = self.guard.and_then(|guard| guard.shadowed_at.as_ref());
                unmark(tx, table, records, outside, since).await
            }
            Action::Remove => insert(tx, table, records, outside).await,
        }
    }
}

async fn unmark(
    tx: &Transaction<'_>,
    table: &RowTable,
    records: &[Record],
    outside: &text_form::Outside,
    since: Option<&Ident>,
) -> Result<Step, MigrateError> {
    let looked = look(tx, table, records, Lock::Mark).await?;
    let marked = |found: &&(usize, _, bool)| found.2;
    let keys: Vec<&RowKey> = looked.found.iter().filter(marked).map(|(at, ..)| &records[*at].key).collect();
    let already = (looked.found.len() - keys.len()) as u64;
    text_form::leave(tx, outside).await?;
    let done = table.mark_rows(tx, &keys, false, since).await?;
    let step = Step { done, already, held: looked.held, gone: looked.absent, differing: Vec::new() };
    expect_all(table, done, keys.len()).map(|()| step)
}

async fn insert(
    tx: &Transaction<'_>,
    table: &RowTable,
    records: &[Record],
    outside: &text_form::Outside,
) -> Result<Step, MigrateError> {
    let looked = look(tx, table, records, Lock::None).await?;
    let mut step = Step::default();
    let mut missing = vec![true; records.len()];
    for (at, row, _) in looked.found {
        missing[at] = false;
        if table.same(&row, &records[at].row) {
            step.already += 1;
        } else {
            step.differing.push(records[at].key.clone());
        }
    }
    let rows: Vec<_> =
        records.iter().zip(missing).filter(|(_, missing)| *missing).map(|(r, _)| &r.row).collect();
    text_form::leave(tx, outside).await?;
    tx.batch_execute(text_form::FOR_READING_BACK).await.driver()?;
    if !rows.is_empty() {
        step.done = table.insert_rows(tx, &rows).await?;
    }
    expect_all(table, step.done, rows.len()).map(|()| step)
}

/// A trigger of the host's may keep a row as it is.
fn expect_all(table: &RowTable, done: u64, meant: usize) -> Result<(), MigrateError> {
    if done == meant as u64 { Ok(()) } else { Err(MigrateError::RowsKept { table: table.name.to_string() }) }
}
