//! The rows of an artifact put back into their tables.

use std::path::Path;

use tokio_postgres::Client;

use crate::ops::artifact::{Action, Reader, Record};
use crate::ops::rows::{Batch, Inspected, Mark, Restored, RowLock, RowTable, Step, in_batches, text_form};
use crate::ops::transaction::{AS_OF_NOW, Transaction};
use crate::ops::{DriverResult, Ident, OpsError, Pace, RowKey, session};

/// Puts the rows of an artifact back, table after table in its order (parents first). `mark` says what marks
/// rows, of a guard's artifact. The caller holds the lock that keeps other runs away.
pub(crate) async fn put_back(
    client: &mut Client,
    reader: &mut Reader,
    path: &Path,
    mark: Option<Mark>,
    pace: &Pace,
) -> Result<Restored, OpsError> {
    let back = PutBack { mark, action: reader.header().purpose.action() };
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

/// Refuses an artifact of another database, or of a table that is missing or has changed its shape.
async fn expect_fit(
    client: &mut Client,
    reader: &Reader,
    shadow: Option<&Ident>,
    pace: &Pace,
) -> Result<(), OpsError> {
    let tx = session::begin_in(client, AS_OF_NOW, pace.lock_timeout, "").await?;
    reader.header().expect_database(&tx).await?;
    let _ = text_form::enter(&tx).await?;
    for section in &reader.header().tables {
        RowTable::of(&tx, section.clone(), shadow).await?;
    }
    Ok(())
}

/// Unmarks or inserts rows.
struct PutBack {
    mark: Option<Mark>,
    action: Action,
}

impl Batch for PutBack {
    fn shadow(&self) -> Option<&Ident> {
        self.mark.as_ref().map(|mark| &mark.column)
    }

    async fn apply(
        &self,
        tx: &Transaction<'_>,
        table: &RowTable,
        records: &[Record],
        outside: &text_form::Outside,
    ) -> Result<Step, OpsError> {
        match self.action {
            Action::Shadow => {
                let since = self.mark.as_ref().and_then(|mark| mark.since.as_ref());
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
) -> Result<Step, OpsError> {
    let inspected = Inspected::read(tx, table, records, RowLock::Mark).await?;
    let marked = |found: &&(usize, _, bool)| found.2;
    let keys: Vec<&RowKey> =
        inspected.found.iter().filter(marked).map(|(at, ..)| &records[*at].key).collect();
    let already = (inspected.found.len() - keys.len()) as u64;
    text_form::leave(tx, outside).await?;
    let done = table.mark_rows(tx, &keys, false, since).await?;
    let step = Step { done, already, held: inspected.held, gone: inspected.absent, differing: Vec::new() };
    table.expect_changed(done, keys.len()).map(|()| step)
}

async fn insert(
    tx: &Transaction<'_>,
    table: &RowTable,
    records: &[Record],
    outside: &text_form::Outside,
) -> Result<Step, OpsError> {
    let inspected = Inspected::read(tx, table, records, RowLock::None).await?;
    let mut step = Step::default();
    let mut missing = vec![true; records.len()];
    for (at, row, _) in inspected.found {
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
    table.expect_changed(step.done, rows.len()).map(|()| step)
}
