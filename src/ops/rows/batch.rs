//! An artifact carried out: a batch of its rows at a time, each in a transaction of its own.

use std::time::Duration;

use tokio_postgres::Client;

use crate::ops::artifact::{Reader, Record, Row};
use crate::ops::rows::{RowLock, RowTable, text_form};
use crate::ops::transaction::{AS_OF_NOW, Transaction};
use crate::ops::{DriverResult, Ident, OpsError, Pace, RowKey, session};

/// How many keys a report names.
pub(crate) const SAMPLES: usize = 20;

/// What is done with a batch of an artifact's rows in one transaction.
pub(crate) trait Batch {
    /// The column that marks rows; it may have come or gone since the artifact was written.
    fn shadow(&self) -> Option<&Ident>;

    /// Changes the rows of one batch. It is called within [`text_form`], and leaves it before it changes a row.
    async fn apply(
        &self,
        tx: &Transaction<'_>,
        table: &RowTable,
        records: &[Record],
        outside: &text_form::Outside,
    ) -> Result<Step, OpsError>;
}

/// What was done with a batch.
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

/// Applies a batch to all of `records`, which are of one table. Rows that other sessions hold are tried again later.
pub(crate) async fn in_batches(
    client: &mut Client,
    pace: &Pace,
    batch: &impl Batch,
    reader: &Reader,
    mut records: Vec<Record>,
) -> Result<Step, OpsError> {
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
    Err(OpsError::Contended { attempts: pace.attempts })
}

async fn attempt_once(
    client: &mut Client,
    pace: &Pace,
    batch: &impl Batch,
    reader: &Reader,
    records: &[Record],
) -> Result<Step, OpsError> {
    let Some(first) = records.first() else { return Ok(Step::default()) };
    let tx = session::begin_in(client, AS_OF_NOW, pace.lock_timeout, "").await?;
    let outside = text_form::enter(&tx).await?;
    let section = reader.header().tables[first.table].clone();
    let table = RowTable::of(&tx, section, batch.shadow()).await?;
    let step = batch.apply(&tx, &table, records, &outside).await?;
    tx.commit().await.driver()?;
    Ok(step)
}

/// The pause after an attempt: short at first, because most rows are held for a moment only.
fn pause(pace: &Pace, attempt: u32) -> Duration {
    pace.pause.min(Duration::from_millis(10) * (1 << attempt.min(10)))
}

/// The rows of a batch as they are now.
pub(crate) struct Inspected {
    /// Of each row that was free, and is locked now: its place in the batch, its values, and whether it is marked.
    pub(crate) found: Vec<(usize, Row, bool)>,
    /// Places of rows that another session holds.
    pub(crate) held: Vec<usize>,
    /// How many rows are not in the table.
    pub(crate) absent: u64,
}

impl Inspected {
    /// Locks the rows of `records` that are free, and finds out of the others whether they are held or absent.
    pub(crate) async fn read(
        tx: &Transaction<'_>,
        table: &RowTable,
        records: &[Record],
        lock: RowLock,
    ) -> Result<Self, OpsError> {
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
            let there = table.find(tx, &keys, RowLock::None).await?;
            held = there.into_iter().map(|current| places[current.at]).collect();
        }
        let absent = (places.len() - held.len()) as u64;
        let found = found.into_iter().map(|current| (current.at, current.row, current.marked)).collect();
        Ok(Self { found, held, absent })
    }
}
