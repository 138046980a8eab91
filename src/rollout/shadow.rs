//! The guard's column that marks quarantined rows.

use std::time::Duration;

use tokio_postgres::Client;

use crate::ops::object::MarkColumn;
use crate::ops::{Lock, ObjectKind, OpsError, State};
use crate::rollout::{Guard, Planned, Stage};

impl Guard {
    pub(crate) const fn mark_column(&self) -> MarkColumn<'_> {
        MarkColumn { table: &self.table, column: &self.shadow }
    }
}

/// What [`MarkColumn::ensure`] would do to the guard's column; `None` if nothing.
pub(crate) async fn planned(client: &Client, guard: &Guard) -> Result<Option<Planned>, OpsError> {
    let state = guard.mark_column().state(client).await?;
    let (sql, reads_rows) = match &state {
        State::Valid => return Ok(None),
        State::Missing => (guard.mark_column().add(), false),
        _ => {
            let set = format!("ALTER TABLE {} ALTER COLUMN {}", guard.table.quoted(), guard.shadow.quoted());
            (format!("{set} SET DEFAULT false; {set} SET NOT NULL"), true)
        }
    };
    let (stage, name, kind) = (Stage::Backfill, guard.shadow.to_string(), ObjectKind::Column);
    let (lock, takes) = (Lock::AccessExclusive, Some(Duration::ZERO));
    Ok(Some(Planned { stage, name, kind, state, sql, lock, reads_rows, takes }))
}
