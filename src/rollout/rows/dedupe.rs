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
    /// stays, then the earliest created, then the smallest primary key. A row in whose favour others leave never leaves
    /// itself in the same run; where rules are entangled, some rows are deferred to the next one.
    ///
    /// A row that others refer to by a foreign key is not removed: no child goes silently with its parent.
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
