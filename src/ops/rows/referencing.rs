//! Rows that other rows refer to are not removed. Removing one would remove its children too (`ON DELETE CASCADE`), take
//! their parent from them (`SET NULL`) or fail, and the artifact has none of the children.

use tokio_postgres::types::Type;

use crate::ops::rows::{RowTable, params};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError, RowKey};

/// Foreign keys that refer to a table, with the condition that row `c` refers to row `t`. A row may refer to itself.
const REFERRING: &str = "SELECT c.conname::text, n.nspname::text, r.relname::text,
        format('%I.%I', n.nspname, r.relname),
        array_to_string(ARRAY(
            SELECT format('t.%I OPERATOR(%I.%s) c.%I', parent.attname, o_n.nspname, o.oprname, child.attname)
            FROM ROWS FROM (unnest(c.confkey), unnest(c.conkey), unnest(c.conpfeqop)) AS u (parent, child, op)
            JOIN pg_attribute AS parent ON parent.attrelid = c.confrelid AND parent.attnum = u.parent
            JOIN pg_attribute AS child ON child.attrelid = c.conrelid AND child.attnum = u.child
            JOIN pg_operator AS o ON o.oid = u.op JOIN pg_namespace AS o_n ON o_n.oid = o.oprnamespace), ' AND ')
            || CASE WHEN c.conrelid = c.confrelid
                    THEN ' AND (c.tableoid, c.ctid) IS DISTINCT FROM (t.tableoid, t.ctid)' ELSE '' END
    FROM pg_constraint AS c JOIN pg_class AS r ON r.oid = c.conrelid JOIN pg_namespace AS n ON n.oid = r.relnamespace
    WHERE c.contype = 'f' AND c.confrelid IN (
        -- The table, its partitions and the tables that inherit from it: their rows are its rows.
        WITH RECURSIVE of (oid) AS (
            SELECT to_regclass($1)::oid UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN of ON of.oid = i.inhparent)
        SELECT oid FROM of)
    -- A partition of the referring table says the same as the whole of it.
    AND NOT EXISTS (SELECT FROM pg_constraint AS p WHERE p.oid = c.conparentid AND p.confrelid = c.confrelid)
    ORDER BY 2, 3, 1";

/// Refuses if any row refers to one of `keys`. Once those rows are locked for removal, no new row can refer to them. Within
/// [`text_form`](crate::ops::rows::text_form).
pub(crate) async fn refuse_referenced(
    tx: &Transaction<'_>,
    table: &RowTable,
    keys: &[&RowKey],
) -> Result<(), OpsError> {
    let name = table.name.quoted();
    let referring = tx.query_typed(REFERRING, &[(&name, Type::TEXT)]).await;
    for foreign_key in referring.driver()? {
        let (child, refers): (String, String) = (foreign_key.get(3), foreign_key.get(4));
        let (keys_of, on_key) = (table.keys(), table.on_key());
        let sql = format!(
            "SELECT EXISTS (SELECT FROM {keys_of} JOIN {name} AS t ON {on_key} JOIN {child} AS c ON {refers})"
        );
        let arrays = table.arrays(keys);
        let found = tx.query_typed_one(&sql, &params(&arrays)).await.driver()?;
        if found.get(0) {
            let child = format!("{}.{}", foreign_key.get::<_, &str>(1), foreign_key.get::<_, &str>(2));
            return Err(OpsError::Referenced {
                table: table.name.to_string(),
                child,
                constraint: foreign_key.get(0),
            });
        }
    }
    Ok(())
}
