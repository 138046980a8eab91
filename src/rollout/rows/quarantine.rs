//! Marking rows that break an exclusion.

use tokio_postgres::Client;

use crate::ops::OpsError;
use crate::ops::artifact::Purpose;
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup;
use crate::rollout::rows::cleanup::{Cleanup, CleanupReport};

impl Guard {
    /// Marks the rows that overlap others, and those with an invalid window, in the guard's shadow column, which is
    /// added where it is missing. A marked row is otherwise untouched, and counts for no rule that spares marked rows.
    /// Of rows that overlap the earliest confirmed stays, then the earliest created, then the smallest primary key.
    ///
    /// Other sessions may go on writing. A row they change after it was found is left alone and counted; a row they hold
    /// locked is tried again later; overlaps they make meanwhile are found by the next run. The host's triggers run, with
    /// the settings of this session.
    ///
    /// # Errors
    /// Before anything is changed: [`Artifact`](OpsError::Artifact) if the file cannot be written or is not one this
    /// run may resume; [`MissingTable`](OpsError::MissingTable), [`MissingColumn`](OpsError::MissingColumn),
    /// [`NoPrimaryKey`](OpsError::NoPrimaryKey), [`NameTaken`](OpsError::NameTaken),
    /// [`NoTenant`](OpsError::NoTenant), [`Unevaluable`](OpsError::Unevaluable) if guard and table do
    /// not fit; [`PermissionDenied`](OpsError::PermissionDenied), [`ReadOnlyServer`](OpsError::ReadOnlyServer);
    /// [`RolloutRunning`](OpsError::RolloutRunning) if another run works on the table.
    /// Later, with some batches done: [`Contended`](OpsError::Contended),
    /// [`RowRefused`](OpsError::RowRefused), [`RowsKept`](OpsError::RowsKept) and what the connection reports.
    /// The same call with the same path goes on from there.
    ///
    /// # Transactions
    /// One snapshot to find and write the rows, one to add the column, one for each batch. Dropping the future leaves
    /// whole batches, and the artifact to go on with or to [`restore`](Guard::restore). A dry run is one snapshot.
    ///
    /// It holds an advisory lock of the session: no pooler in transaction mode. Dropping the future leaves that lock with the
    /// connection: close it.
    pub async fn quarantine(
        &self,
        client: &mut Client,
        options: &Cleanup,
    ) -> Result<CleanupReport, OpsError> {
        cleanup::run(self, client, options, Purpose::Quarantine).await
    }
}
