//! Transactions of a clearing, and what must be allowed before it begins.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::artifact::Action;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError, Pace, TableInfo, session};
use crate::rollout::guard::Guard;

/// Rows are found, and written to the file, in one snapshot.
pub(crate) const ONE_SNAPSHOT: &str = "ISOLATION LEVEL REPEATABLE READ";
/// Rows are changed as they are now.
pub(crate) const AS_OF_NOW: &str = "ISOLATION LEVEL READ COMMITTED";

/// Begins one; whether it may write is left as the session has it.
pub(crate) async fn begin<'a>(
    client: &'a mut Client,
    pace: &Pace,
    mode: &str,
) -> Result<Transaction<'a>, OpsError> {
    session::begin_in(client, mode, pace.lock_timeout, "").await
}

/// So that what cannot succeed fails before a file is written.
pub(super) async fn expect_rights(
    client: &mut Client,
    guard: &Guard,
    pace: &Pace,
    action: Action,
) -> Result<(), OpsError> {
    let tx = begin(client, pace, AS_OF_NOW).await?;
    let table = TableInfo::existing(&tx, &guard.table).await?;
    table.expect_key()?;
    let sql = "SELECT pg_catalog.current_setting('transaction_read_only') = 'on',
        pg_catalog.has_table_privilege($1, 'SELECT') AND pg_catalog.has_table_privilege($1, 'UPDATE')
            AND pg_catalog.has_table_privilege($1, $2),
        pg_catalog.pg_has_role(c.relowner, 'USAGE')
        FROM pg_catalog.pg_class AS c WHERE c.oid = pg_catalog.to_regclass($1)";
    let name = guard.table.quoted();
    // Rows are locked before they are changed, which takes UPDATE whatever becomes of them.
    let needed = match action {
        Action::Shadow => "UPDATE",
        Action::Remove => "DELETE",
    };
    let params = [(&name as _, Type::TEXT), (&needed as _, Type::TEXT)];
    let row = tx.query_typed_one(sql, &params).await.driver()?;
    let (read_only, may, owner): (bool, bool, bool) = (row.get(0), row.get(1), row.get(2));
    let adds_column = action == Action::Shadow && table.column(&guard.shadow).is_none();
    if read_only {
        Err(OpsError::ReadOnlyServer)
    } else if !may || (adds_column && !owner) {
        Err(OpsError::PermissionDenied)
    } else {
        Ok(())
    }
}
