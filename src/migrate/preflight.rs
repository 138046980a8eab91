//! A look at a database before it is migrated or repaired.

use tokio_postgres::Client;

use crate::migrate::Migrator;
use crate::migrate::guards;
use crate::ops::OpsError;
use crate::rollout::preflight::Plan;
use crate::rollout::{Preflight, PreflightOptions, preflight};

impl Migrator {
    /// Looks at the server, the role's rights, our tables where they are there, whoever else uses them, and every row
    /// that breaks one of their rules, as [`Guard::preflight`](crate::rollout::Guard::preflight) does for a host's table.
    ///
    /// Tables that are not there yet are no obstacle: [`up`](Self::up) creates them. A schema or an extension that is
    /// missing is one only if this migrator would not, or its role may not, create it.
    ///
    /// # Errors
    /// What the connection or the server reports. What is found, is no error.
    ///
    /// # Transactions
    /// One, repeatable read and read only, rolled back.
    pub async fn preflight(&self, client: &mut Client) -> Result<Preflight, OpsError> {
        self.preflight_with(client, PreflightOptions::new()).await
    }

    /// The same, as closely as told.
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
