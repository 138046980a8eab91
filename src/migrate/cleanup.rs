//! Rows of our own tables that break a constraint, after the constraint was lost for a while.

use std::path::Path;

use tokio_postgres::Client;

use crate::migrate::Migrator;
use crate::migrate::guards;
use crate::ops::artifact::{ArtifactError, Header};
use crate::ops::{OpsError, Pace};
use crate::rollout::{Cleanup, CleanupReport, Guard, Restored};

impl Migrator {
    /// Marks allocations that overlap others, so that their exclusion can be built again: they stay what they are, block
    /// others as before, and wait to be released or restored. As [`Guard::quarantine`]; what is booked stays before what
    /// is held or blocked.
    ///
    /// # Errors
    /// # Transactions
    /// As [`Guard::quarantine`].
    pub async fn quarantine(
        &self,
        client: &mut Client,
        options: &Cleanup,
    ) -> Result<CleanupReport, OpsError> {
        let mut guards = self.guards().into_iter();
        let allocations = guards.find(|guard| guard.table().name.as_str() == "allocations");
        let missing = || OpsError::MissingTable { table: format!("{}.allocations", self.schema) };
        allocations.ok_or_else(missing)?.quarantine(client, options).await
    }

    /// Removes rows that repeat another's key and rows that refer to nothing, table by table, children first. As
    /// [`Guard::dedupe`]; each table has an artifact of its own: of `dedupe.jsonl`, `dedupe.holds.jsonl` is one. Tables
    /// that are not there are passed over.
    ///
    /// # Errors
    /// # Transactions
    /// As [`Guard::dedupe`], for each table; an error keeps what was done to those before.
    pub async fn dedupe(
        &self,
        client: &mut Client,
        options: &Cleanup,
    ) -> Result<Vec<CleanupReport>, OpsError> {
        let mut done = Vec::new();
        for guard in self.guards() {
            match guard.dedupe(client, &options.for_table(&guard.table().name)).await {
                Ok(report) => done.push(report),
                Err(OpsError::MissingTable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Undoes a quarantine or a dedupe, by the guard of the artifact's table.
    pub(super) async fn restore_cleaned(
        &self,
        client: &mut Client,
        path: &Path,
        artifact: &Header,
        pace: &Pace,
    ) -> Result<Restored, OpsError> {
        let other = || ArtifactError::OtherTable { table: format!("{}.*", self.schema) };
        let guard = self.guards().into_iter().find(|guard| artifact.expect_table(guard.table()).is_ok());
        guard.ok_or_else(other)?.restore(client, path, pace).await
    }

    /// Our tables as guards, children before their parents.
    fn guards(&self) -> Vec<Guard> {
        let mut guards = guards::guards(&self.schema);
        // Only allocations refer to anything, so they go first.
        guards.sort_by_key(|guard| guard.table().name.as_str() != "allocations");
        guards
    }
}
