//! What a role may do, beside what its duties need.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::migrate::grants::needs;
use crate::migrate::grants::privilege::Grant;
use crate::migrate::grants::role::Role;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError};
use crate::schema::SchemaName;

/// The schema first, without a table. `MAINTAIN` is a privilege since version 17, and an error before. Privileges come from the role itself, from roles it inherits and from PUBLIC alike.
const HELD: &str = "SELECT NULL::text, p.name, pg_has_role(r.oid, n.nspowner, 'MEMBER'),
        has_schema_privilege(r.oid, n.oid, p.name), '{}'::text[]
    FROM pg_namespace AS n CROSS JOIN pg_roles AS r CROSS JOIN unnest(ARRAY['USAGE', 'CREATE']) AS p (name)
    WHERE n.nspname = $1 AND r.rolname = $3
    UNION ALL
    SELECT c.relname::text, p.name, pg_has_role(r.oid, n.nspowner, 'MEMBER') OR pg_has_role(r.oid, c.relowner, 'MEMBER'),
        has_table_privilege(r.oid, c.oid, p.name),
        CASE WHEN p.name IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') THEN ARRAY(
            SELECT a.attname::text FROM pg_attribute AS a
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
              AND has_column_privilege(r.oid, c.oid, a.attnum, p.name)) ELSE '{}' END
    FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid CROSS JOIN pg_roles AS r
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
        || CASE WHEN current_setting('server_version_num')::int4 >= 170000 THEN ARRAY['MAINTAIN'] ELSE '{}' END) AS p (name)
    WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p') AND r.rolname = $3
    ORDER BY 1 NULLS FIRST, 2";

/// One privilege on one table, or on the schema, that a role may have.
struct Held {
    table: Option<String>,
    privilege: String,
    /// The role is the owner or may become the owner: what is revoked from it, it grants itself.
    owner: bool,
    /// On the whole table.
    whole: bool,
    /// On these columns at least.
    columns: Vec<String>,
}

/// How a role's privileges differ from what its duties need. A privilege is as it stands in a `GRANT`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// Table, or none for the schema, and what the role lacks on it.
    pub(crate) missing: Vec<(Option<String>, String)>,
    /// What it may do beyond, except where it is the owner, and except reading, which changes nothing.
    pub(crate) excess: Vec<(Option<String>, String)>,
    /// The tables it may do anything with.
    pub(crate) owned: Vec<String>,
}

/// Compares; tables that are not there are not missed here.
pub(crate) async fn compare(
    tx: &Transaction<'_>,
    schema: &SchemaName,
    tables: &[&str],
    role: &Role,
) -> Result<Comparison, OpsError> {
    let needs = needs::needs(&role.duties);
    let params = [
        (&schema.as_str() as _, Type::NAME),
        (&tables as _, Type::TEXT_ARRAY),
        (&role.name as _, Type::NAME),
    ];
    let rows = tx.query_typed(HELD, &params).await.driver()?;
    let mut comparison = Comparison::default();
    for row in &rows {
        comparison.add(&needs, held(row).driver()?);
    }
    comparison.owned.dedup();
    Ok(comparison)
}

fn held(row: &Row) -> Result<Held, tokio_postgres::Error> {
    Ok(Held {
        table: row.try_get(0)?,
        privilege: row.try_get(1)?,
        owner: row.try_get(2)?,
        whole: row.try_get(3)?,
        columns: row.try_get(4)?,
    })
}

impl Comparison {
    fn add(&mut self, needs: &[Grant], held: Held) {
        let need = Need::of(needs, &held);
        if let Some(clause) = need.missing(&held) {
            self.missing.push((held.table.clone(), clause));
        }
        match &held.table {
            Some(table) if held.owner => self.owned.push(table.clone()),
            _ if held.owner => {}
            _ if need.exceeded(&held) => self.excess.push((held.table, held.privilege)),
            _ => {}
        }
    }
}

/// How much of a privilege is needed.
enum Need<'a> {
    Nothing,
    Column(&'a Grant, &'static str),
    Whole,
}

impl<'a> Need<'a> {
    fn of(needs: &'a [Grant], held: &Held) -> Self {
        let Some(table) = &held.table else {
            return if held.privilege == "USAGE" { Self::Whole } else { Self::Nothing };
        };
        let same = |need: &&Grant| need.table == *table && need.privilege.to_string() == held.privilege;
        match needs.iter().find(same).map(|need| (need, need.column)) {
            None => Self::Nothing,
            Some((_, None)) => Self::Whole,
            Some((need, Some(column))) => Self::Column(need, column),
        }
    }

    fn missing(&self, held: &Held) -> Option<String> {
        match self {
            Self::Whole if !held.whole => Some(held.privilege.clone()),
            Self::Column(need, column) if !held.columns.iter().any(|held| held == column) => {
                Some(need.clause())
            }
            _ => None,
        }
    }

    fn exceeded(&self, held: &Held) -> bool {
        match self {
            _ if held.privilege == "SELECT" => false,
            Self::Whole => false,
            Self::Column(_, column) => held.columns.iter().any(|held| held != column),
            Self::Nothing => held.whole || !held.columns.is_empty(),
        }
    }
}
