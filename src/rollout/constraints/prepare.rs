//! What must be there before a table is changed: a supported server, and the extension that exclusions need.

use tokio_postgres::Client;

use crate::ops::{DriverResult, OpsError, Pace, server, session};
use crate::rollout::{Guard, Rule};

/// Checks the server, and creates `btree_gist` if a rule needs it, it is missing and `create` is set.
pub(crate) async fn prepare(
    client: &mut Client,
    guard: &Guard,
    create: bool,
    pace: &Pace,
) -> Result<(), OpsError> {
    let tx = session::begin(client, pace.lock_timeout).await?;
    server::expect_supported(&tx).await?;
    let standby = tx.query_typed_one("SELECT pg_catalog.pg_is_in_recovery()", &[]).await;
    if standby.driver()?.get(0) {
        return Err(OpsError::ReadOnlyServer);
    }
    if !lacks_extension(&tx, guard).await? {
        return tx.rollback().await.driver();
    }
    if !create {
        return Err(OpsError::MissingExtension);
    }
    server::create_extension(&tx, guard.table.schema.as_str()).await?;
    tx.commit().await.driver()
}

/// Whether a rule needs `btree_gist` and the database lacks it: then no exclusion can be there, nor be tried.
pub(crate) async fn lacks_extension(client: &Client, guard: &Guard) -> Result<bool, OpsError> {
    let needed = guard.rules.iter().any(|rule| matches!(rule, Rule::NoOverlap(_)));
    Ok(needed && !server::has_extension(client).await?)
}
