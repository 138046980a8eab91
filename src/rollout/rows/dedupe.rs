//! Removing rows that repeat a key or refer to nothing.

use tokio_postgres::Client;

use crate::ops::OpsError;
use crate::ops::artifact::Purpose;
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup;
use crate::rollout::rows::cleanup::{Cleanup, CleanupReport};

impl Guard {
    /// Removes the rows that repeat another's unique key, and those whose parent does not exist; they are kept whole in
    /// the artifact, and [`restore`](Guard::restore) brings them back. Of rows with one key the earliest confirmed
    /// stays, then the earliest created, then the smallest primary key. A row kept by one rule is not removed by another
    /// rule in the same run: rows that depend on such a row are counted as `deferred`, for the next run.
    ///
    /// A row that other rows refer to by a foreign key is not removed, so that no child is lost with its parent.
    ///
    /// # Errors
    /// As [`quarantine`](Guard::quarantine), and [`Referenced`](OpsError::Referenced) before anything is changed, or,
    /// if the child came later, with some batches done.
    ///
    /// # Transactions
    /// As [`quarantine`](Guard::quarantine). A row is compared with the artifact in the transaction that removes it.
    pub async fn dedupe(&self, client: &mut Client, options: &Cleanup) -> Result<CleanupReport, OpsError> {
        cleanup::run(self, client, options, Purpose::Dedupe).await
    }
}
