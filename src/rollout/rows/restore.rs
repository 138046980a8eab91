//! Undoing a quarantine or a dedupe.

use std::path::Path;

use tokio_postgres::Client;

use crate::ops::artifact::{ArtifactError, Purpose, Reader};
use crate::ops::lock::RunLock;
use crate::ops::rows::{Mark, put_back};
use crate::ops::{OpsError, Pace, Restored};
use crate::rollout::guard::Guard;

impl Guard {
    /// Undoes the run that wrote the artifact: marked rows count again, removed rows are inserted again, with their primary
    /// keys and every stored value.
    ///
    /// A row that breaks a constraint in force is refused, so take the guard down first where need be. A
    /// marked row is unmarked whatever the host has changed in it since.
    ///
    /// # Errors
    /// Before anything is changed: [`Artifact`](OpsError::Artifact) if the file is damaged, cut off, of another
    /// database, table or shape, or no quarantine's or dedupe's; [`RolloutRunning`](OpsError::RolloutRunning) if
    /// another run works on the table. Later, with some batches done: [`RowRefused`](OpsError::RowRefused), which
    /// names the constraint; [`RowsKept`](OpsError::RowsKept); [`Contended`](OpsError::Contended);
    /// [`PermissionDenied`](OpsError::PermissionDenied); and what the connection reports. The same call goes on from
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
    ) -> Result<Restored, OpsError> {
        let mut reader = Reader::open(path.as_ref())?;
        reader.header().expect_table(&self.table)?;
        if !matches!(reader.header().purpose, Purpose::Quarantine | Purpose::Dedupe) {
            return Err(ArtifactError::OtherPurpose.into());
        }
        RunLock::Table(&self.table).for_session(client, pace.patience()).await?;
        let mark = Mark { column: self.shadow.clone(), since: self.shadowed_at.clone() };
        let done = put_back(client, &mut reader, path.as_ref(), Some(mark), pace).await;
        RunLock::Table(&self.table).release(client, done).await
    }
}
