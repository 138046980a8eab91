//! What must be so before a table is touched: the server, and the extension that exclusions need.

use tokio_postgres::Client;

use crate::ops::server::{OLDEST_SERVER, extension_error};
use crate::ops::{DriverResult, OpsError, Pace, session};
use crate::rollout::{Guard, Rule};

/// Checks the server, and creates `btree_gist` if a rule needs it, it is missing and `create` is set.
pub(crate) async fn prepare(
    client: &mut Client,
    guard: &Guard,
    create: bool,
    pace: &Pace,
) -> Result<(), OpsError> {
    let tx = session::begin(client, pace.lock_timeout).await?;
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 / 10000,
        pg_catalog.pg_is_in_recovery(),
        EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'btree_gist'),
        EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')";
    let row = tx.query_typed_one(sql, &[]).await.driver()?;
    let (version, standby, installed, public) = (row.get(0), row.get(1), row.get(2), row.get::<_, bool>(3));
    if version < OLDEST_SERVER {
        return Err(OpsError::UnsupportedServer { version });
    }
    if standby {
        return Err(OpsError::ReadOnlyServer);
    }
    let needed = guard.rules.iter().any(|rule| matches!(rule, Rule::NoOverlap(_)));
    if installed || !needed {
        return tx.rollback().await.driver();
    }
    if !create {
        return Err(OpsError::MissingExtension);
    }
    // Where a person would put it: other schemas of this database share it.
    let home = if public { "public".to_owned() } else { guard.table.schema.quoted() };
    let sql = format!("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA {home}");
    tx.batch_execute(&sql).await.map_err(extension_error)?;
    tx.commit().await.driver()
}

/// Without it no exclusion can be there, nor be tried.
pub(crate) async fn lacks_extension(client: &Client, guard: &Guard) -> Result<bool, OpsError> {
    let sql = "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'btree_gist')";
    let row = client.query_typed_one(sql, &[]).await.driver()?;
    let needed = guard.rules.iter().any(|rule| matches!(rule, crate::rollout::Rule::NoOverlap(_)));
    Ok(needed && row.get(0))
}
