//! What prevents a migration or a repair, looked up before anything is changed.

use tokio_postgres::Client;

use crate::migrate::Migrator;
use crate::migrate::guards;
use crate::ops::OpsError;
use crate::rollout::preflight::Plan;
use crate::rollout::{Preflight, PreflightOptions, preflight};

impl Migrator {
    /// Looks at the server, the role's rights, our tables as far as they exist, the sessions that use them, and every row
    /// that breaks one of their rules, as [`Guard::preflight`](crate::rollout::Guard::preflight) does for a host's table.
    ///
    /// Tables that do not exist yet are not an obstacle: [`up`](Self::up) creates them. A schema or an extension that is
    /// missing is one only if this migrator would not, or its role may not, create it.
    ///
    /// # Errors
    /// What the connection or the server reports. A finding is not an error.
    ///
    /// # Transactions
    /// One, repeatable read and read only, rolled back.
    pub async fn preflight(&self, client: &mut Client) -> Result<Preflight, OpsError> {
        self.preflight_with(client, PreflightOptions::new()).await
    }

    /// As [`preflight`](Self::preflight), with options.
    ///
    /// # Errors
    /// As [`preflight`](Self::preflight).
    ///
    /// # Transactions
    /// As [`preflight`](Self::preflight).
    pub async fn preflight_with(
        &self,
        client: &mut Client,
        options: PreflightOptions,
    ) -> Result<Preflight, OpsError> {
        let guards = guards::guards(&self.schema);
        let plan = Plan {
            guards: &guards,
            schema: self.schema.as_str(),
            needs_extension: true,
            creates_extension: self.create_extension,
            creates: Some(self.create_schema),
        };
        preflight::run(client, &plan, options).await
    }
}
