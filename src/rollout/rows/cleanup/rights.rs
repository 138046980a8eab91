//! What must be allowed before a cleanup begins.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::artifact::Action;
use crate::ops::transaction::AS_OF_NOW;
use crate::ops::{DriverResult, OpsError, Pace, TableInfo, session};
use crate::rollout::guard::Guard;

/// Refuses a cleanup that could not succeed, before a file is written.
pub(super) async fn expect(
    client: &mut Client,
    guard: &Guard,
    pace: &Pace,
    action: Action,
) -> Result<(), OpsError> {
    let tx = session::begin_in(client, AS_OF_NOW, pace.lock_timeout, "").await?;
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
