//! What a cleanup does with a batch of its artifact's rows.

use crate::ops::artifact::{Action, Record};
use crate::ops::rows::{Batch, Inspected, RowLock, RowTable, Step, refuse_referenced, text_form};
use crate::ops::transaction::Transaction;
use crate::ops::{Ident, OpsError};
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup::recheck;

/// Marks or removes rows that are still as in the artifact.
pub(super) struct Clear<'a> {
    pub(super) guard: &'a Guard,
    pub(super) action: Action,
}

impl Batch for Clear<'_> {
    fn shadow(&self) -> Option<&Ident> {
        Some(&self.guard.shadow)
    }

    async fn apply(
        &self,
        tx: &Transaction<'_>,
        table: &RowTable,
        records: &[Record],
        outside: &text_form::Outside,
    ) -> Result<Step, OpsError> {
        let lock = match self.action {
            Action::Shadow => RowLock::Mark,
            Action::Remove => RowLock::Remove,
        };
        let (mut step, mut ready) = (Step::default(), Vec::new());
        let inspected = Inspected::read(tx, table, records, lock).await?;
        for (at, row, marked) in inspected.found {
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
            Action::Shadow => step.gone = inspected.absent,
            // A missing row was deleted by its owner, or by this run before it was interrupted: both count as done.
            Action::Remove => step.already = inspected.absent,
        }
        step.held = inspected.held;
        let ready = match self.action {
            Action::Shadow => ready.into_iter().map(|record| &record.key).collect(),
            Action::Remove => {
                let (leave, stay) = recheck::split(tx, self.guard, table, ready).await?;
                step.differing.extend(stay.into_iter().cloned());
                refuse_referenced(tx, table, &leave).await?;
                leave
            }
        };
        text_form::leave(tx, outside).await?;
        step.done = match self.action {
            Action::Shadow => table.mark_rows(tx, &ready, true, self.guard.shadowed_at.as_ref()).await?,
            Action::Remove => table.remove_rows(tx, &ready).await?,
        };
        table.expect_changed(step.done, ready.len()).map(|()| step)
    }
}
