//! What the host decides about our tables, as far as an operator may want to know it.

use std::fmt;

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::migrate::{Migrator, catalog};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, MigrateError};

/// A fact about a table that is nobody's fault, and may explain one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// Row level security is on.
    RowSecurity {
        /// The table, without the schema.
        table: String,
        /// Whether it binds the owner too.
        forced: bool,
        /// The policies, by name. Without one nobody but the owner sees a row.
        policies: Vec<String>,
    },
    /// The table belongs to another role than the schema does.
    OtherOwner {
        /// The table, without the schema.
        table: String,
        /// Its owner.
        owner: String,
    },
    /// The application's role may not do what the library's statements do.
    MissingPrivilege {
        /// The table, without the schema; none if it is the schema itself.
        table: Option<String>,
        /// `USAGE`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
        privilege: String,
    },
    /// There is no such role.
    UnknownRole,
}

const TABLES: &str = "SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
        ARRAY(SELECT p.polname::text FROM pg_policy AS p WHERE p.polrelid = c.oid ORDER BY p.polname),
        c.relowner <> n.nspowner, pg_get_userbyid(c.relowner)::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p') ORDER BY c.relname";

/// The history is the migrator's; the application needs no right to it. Nothing deletes but the relay, and retention.
const PRIVILEGES: &str = "SELECT t.name, p.name
    FROM pg_namespace AS n CROSS JOIN pg_roles AS r
    CROSS JOIN LATERAL (
        SELECT NULL::text AS name, NULL::oid AS oid
        UNION ALL
        SELECT c.relname::text, c.oid FROM pg_class AS c
        WHERE c.relnamespace = n.oid AND c.relname = ANY ($2) AND c.relname <> 'migrations' AND c.relkind IN ('r', 'p')) AS t
    CROSS JOIN unnest(ARRAY['USAGE', 'SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (name)
    WHERE n.nspname = $1 AND r.rolname = $3 AND CASE
        WHEN t.oid IS NULL THEN p.name = 'USAGE' AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE')
        WHEN p.name = 'USAGE' THEN false
        WHEN p.name = 'DELETE' THEN t.name = 'outbox' AND NOT has_table_privilege(r.oid, t.oid, 'DELETE')
        WHEN p.name = 'UPDATE' THEN t.name NOT IN ('outbox', 'confirmations') AND NOT has_table_privilege(r.oid, t.oid, 'UPDATE')
        ELSE NOT has_table_privilege(r.oid, t.oid, p.name) END
    ORDER BY t.name NULLS FIRST, p.name";

/// Row level security, owners, and the privileges of the application's role.
pub(super) async fn read(migrator: &Migrator, tx: &Transaction<'_>) -> Result<Vec<Note>, MigrateError> {
    let (schema, tables) = (migrator.schema.as_str(), catalog::tables());
    let params = [(&schema as _, Type::NAME), (&tables as _, Type::TEXT_ARRAY)];
    let rows = tx.query_typed(TABLES, &params).await.driver()?;
    let mut notes = Vec::new();
    for row in rows {
        let table: String = row.get(0);
        if row.get(1) {
            notes.push(Note::RowSecurity { table: table.clone(), forced: row.get(2), policies: row.get(3) });
        }
        if row.get(4) {
            notes.push(Note::OtherOwner { table, owner: row.get(5) });
        }
    }
    if let Some(role) = &migrator.role {
        notes.extend(privileges(tx, schema, &tables, role).await?);
    }
    Ok(notes)
}

async fn privileges(
    tx: &Transaction<'_>,
    schema: &str,
    tables: &[&str],
    role: &str,
) -> Result<Vec<Note>, MigrateError> {
    let known = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
    let known = tx.query_typed_one(known, &[(&role, Type::NAME)]).await.driver()?;
    if !known.get::<_, bool>(0) {
        return Ok(vec![Note::UnknownRole]);
    }
    let params = [(&schema as _, Type::NAME), (&tables as _, Type::TEXT_ARRAY), (&role as _, Type::NAME)];
    let rows = tx.query_typed(PRIVILEGES, &params).await.driver()?;
    Ok(rows.iter().map(|row| Note::MissingPrivilege { table: row.get(0), privilege: row.get(1) }).collect())
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowSecurity { table, forced, policies } => {
                let whom = if *forced { ", for the owner too" } else { "" };
                write!(f, "table {table} has row level security{whom}: {}", policies.join(", "))
            }
            Self::OtherOwner { table, owner } => write!(f, "table {table} belongs to {owner}"),
            Self::MissingPrivilege { table: Some(table), privilege } => {
                write!(f, "the role may not {} table {table}", privilege.to_lowercase())
            }
            Self::MissingPrivilege { table: None, .. } => f.write_str("the role may not use the schema"),
            Self::UnknownRole => f.write_str("there is no such role"),
        }
    }
}
