//! The changes, a transaction a batch.

use std::time::Duration;

use tokio_postgres::Client;

use crate::ops::artifact::{Action, Lock, Reader, Record, Row, RowTable, text_form};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, MigrateError, Pace, RowKey};
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup::{AS_OF_NOW, begin, recheck, referencing};

/// What is done with a batch of an artifact's rows in one transaction.
pub(crate) trait Batch {
    /// The column that marks rows; it may have come or gone since the artifact was written.
    fn shadow(&self) -> Option<&Ident>;

    /// Does it. Called within [`text_form`], which it leaves before it changes a row.
    async fn once(
        &self,
        tx: &Transaction<'_>,
        table: &RowTable,
        records: &[Record],
        outside: &text_form::Outside,
    ) -> Result<Step, MigrateError>;
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) done: u64,
    pub(crate) already: u64,
    /// Rows that are not as in the artifact and were left alone.
    pub(crate) differing: Vec<RowKey>,
    pub(crate) gone: u64,
    /// Rows that another session holds, by their place in the batch.
    pub(crate) held: Vec<usize>,
}

impl Step {
    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.already += other.already;
        self.gone += other.gone;
        self.differing.extend(other.differing);
        self.held = other.held;
    }
}

/// Does it with all of `records`, which are of one table; rows that others hold are come back to.
pub(crate) async fn in_batches(
    client: &mut Client,
    pace: &Pace,
    batch: &impl Batch,
    reader: &Reader,
    mut records: Vec<Record>,
) -> Result<Step, MigrateError> {
    let mut total = Step::default();
    for attempt in 1..=pace.attempts {
        match attempt_once(client, pace, batch, reader, &records).await {
            Ok(step) => {
                total.add(step);
                if total.held.is_empty() {
                    return Ok(total);
                }
                let mut at = 0..;
                records.retain(|_| at.next().is_some_and(|at: usize| total.held.contains(&at)));
            }
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pause(pace, attempt)).await;
    }
    Err(MigrateError::Contended { attempts: pace.attempts })
}

async fn attempt_once(
    client: &mut Client,
    pace: &Pace,
    batch: &impl Batch,
    reader: &Reader,
    records: &[Record],
) -> Result<Step, MigrateError> {
    let Some(first) = records.first() else { return Ok(Step::default()) };
    let tx = begin(client, pace, AS_OF_NOW).await?;
    let outside = text_form::enter(&tx).await?;
    let section = reader.header().tables[first.table].clone();
    let table = RowTable::of(&tx, section, batch.shadow()).await?;
    let step = batch.once(&tx, &table, records, &outside).await?;
    tx.commit().await.driver()?;
    Ok(step)
}

/// Most rows are held for a moment only, so it begins with short pauses.
fn pause(pace: &Pace, attempt: u32) -> Duration {
    pace.pause.min(Duration::from_millis(10) * (1 << attempt.min(10)))
}

/// Marks or removes rows that are still as in the artifact.
pub(super) struct Clear<'a> {
    pub(super) guard: &'a Guard,
    pub(super) action: Action,
}

impl Batch for Clear<'_> {
    fn shadow(&self) -> Option<&Ident> {
        Some(&self.guard.shadow)
    }

    async fn once(
        &self,
        tx: &Transaction<'_>,
        table: &RowTable,
        records: &[Record],
        outside: &text_form::Outside,
    ) -> Result<Step, MigrateError> {
        let lock = match self.action {
            Action::Shadow => Lock::Mark,
            Action::Remove => Lock::Remove,
        };
        let (mut step, mut ready) = (Step::default(), Vec::new());
        let looked = look(tx, table, records, lock).await?;
        for (at, row, marked) in looked.found {
            let record = &records[at];
            if self.action == Action::Shadow && marked {
                step.already += 1;
            } else if table.same(&row, &record.row) {
                ready.push(record);
            } else {
                step.differing.push(record.key.clone());
            }
        }
        match self.action {
            Action::Shadow => step.gone = looked.absent,
            // A missing row was deleted by its owner, or by this run before it was interrupted: both count as done.
            Action::Remove => step.already = looked.absent,
        }
        step.held = looked.held;
        let ready = match self.action {
            Action::Shadow => ready.into_iter().map(|record| &record.key).collect(),
            Action::Remove => {
                let (leave, stay) = recheck::split(tx, self.guard, table, ready).await?;
                step.differing.extend(stay.into_iter().cloned());
                referencing::refuse(tx, table, &leave).await?;
                leave
            }
        };
        text_form::leave(tx, outside).await?;
        step.done = match self.action {
            Action::Shadow => table.mark_rows(tx, &ready, true, self.guard.shadowed_at.as_ref()).await?,
            Action::Remove => table.remove_rows(tx, &ready).await?,
        };
        // A trigger of the host's may keep a row as it is.
        if step.done != ready.len() as u64 {
            return Err(MigrateError::RowsKept { table: table.name.to_string() });
        }
        Ok(step)
    }
}

/// What is there of a batch.
pub(crate) struct Looked {
    /// Place in the batch, the row now, and whether it is marked. Locked.
    pub(crate) found: Vec<(usize, Row, bool)>,
    pub(crate) held: Vec<usize>,
    pub(crate) absent: u64,
}

/// Locks what is free of `records`, and tells what is held from what is not there.
pub(crate) async fn look(
    tx: &Transaction<'_>,
    table: &RowTable,
    records: &[Record],
    lock: Lock,
) -> Result<Looked, MigrateError> {
    let keys: Vec<&RowKey> = records.iter().map(|record| &record.key).collect();
    let found = table.find(tx, &keys, lock).await?;
    let mut missing: Vec<bool> = vec![true; records.len()];
    for current in &found {
        missing[current.at] = false;
    }
    let places: Vec<usize> = (0..records.len()).filter(|at| missing[*at]).collect();
    let mut held = Vec::new();
    if !places.is_empty() {
        let keys: Vec<&RowKey> = places.iter().map(|at| &records[*at].key).collect();
        let there = table.find(tx, &keys, Lock::None).await?;
        held = there.into_iter().map(|current| places[current.at]).collect();
    }
    let absent = (places.len() - held.len()) as u64;
    let found = found.into_iter().map(|current| (current.at, current.row, current.marked)).collect();
    Ok(Looked { found, held, absent })
}
