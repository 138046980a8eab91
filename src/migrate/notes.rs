//! What the host decides about our tables and an operator may want to know.

use std::fmt;

use serde::Serialize;
use tokio_postgres::types::Type;

use crate::migrate::catalog::CATALOG;
use crate::migrate::{Migrator, Role, grants};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError};

/// A fact about a table that is not a fault, but may explain one.
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
        /// The policies, by name. Without one only the owner sees a row.
        policies: Vec<String>,
    },
    /// The table belongs to another role than the schema does.
    OtherOwner {
        /// The table, without the schema.
        table: String,
        /// Its owner.
        owner: String,
    },
    /// The application's role may not do what the statements of its duties do.
    MissingPrivilege {
        /// The table, without the schema; none if it is the schema itself.
        table: Option<String>,
        /// As it stands in a `GRANT`: `USAGE`, `SELECT`, `INSERT`, `UPDATE`, `UPDATE (rows)` or `DELETE`.
        privilege: String,
    },
    /// The application's role may change what the statements of its duties do not change. Reading more is not noted.
    ExcessPrivilege {
        /// The table, without the schema; none if it is the schema itself.
        table: Option<String>,
        /// `CREATE` of the schema; `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`, `REFERENCES` or `TRIGGER` of a table, on some
        /// of its columns at least.
        privilege: String,
    },
    /// The application's role is a superuser, owns these tables or their schema, or may become a role that does: it may do
    /// anything with them, drop their constraints too.
    OwnerRole {
        /// The tables, without the schema.
        tables: Vec<String>,
    },
    /// The server has no role of that name.
    UnknownRole,
}

const TABLES: &str = "SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
        ARRAY(SELECT p.polname::text FROM pg_policy AS p WHERE p.polrelid = c.oid ORDER BY p.polname),
        c.relowner <> n.nspowner, pg_get_userbyid(c.relowner)::text
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p') ORDER BY c.relname";

/// Row level security, owners, and the privileges of the application's role.
pub(super) async fn read(migrator: &Migrator, tx: &Transaction<'_>) -> Result<Vec<Note>, OpsError> {
    let (schema, tables) = (migrator.schema.as_str(), CATALOG.tables());
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
        notes.extend(privileges(migrator, tx, &tables, role).await?);
    }
    Ok(notes)
}

async fn privileges(
    migrator: &Migrator,
    tx: &Transaction<'_>,
    tables: &[&str],
    role: &Role,
) -> Result<Vec<Note>, OpsError> {
    if !grants::exists(tx, &role.name).await? {
        return Ok(vec![Note::UnknownRole]);
    }
    let compared = grants::compare(tx, &migrator.schema, tables, role).await?;
    let owner = (!compared.owned.is_empty()).then_some(Note::OwnerRole { tables: compared.owned });
    let missing =
        compared.missing.into_iter().map(|(table, privilege)| Note::MissingPrivilege { table, privilege });
    let excess =
        compared.excess.into_iter().map(|(table, privilege)| Note::ExcessPrivilege { table, privilege });
    Ok(owner.into_iter().chain(missing).chain(excess).collect())
}

impl Note {
    /// Whether it is about the application's role.
    pub(super) const fn is_of_role(&self) -> bool {
        matches!(
            self,
            Self::MissingPrivilege { .. }
                | Self::ExcessPrivilege { .. }
                | Self::OwnerRole { .. }
                | Self::UnknownRole
        )
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowSecurity { table, forced, policies } => {
                let whom = if *forced { ", for the owner too" } else { "" };
                write!(f, "table {table} has row level security{whom}: {}", policies.join(", "))
            }
            Self::OtherOwner { table, owner } => write!(f, "table {table} belongs to {owner}"),
            Self::MissingPrivilege { table, privilege } => {
                write!(f, "the role lacks {privilege} on {}", object(table.as_deref()))
            }
            Self::ExcessPrivilege { table, privilege } => {
                write!(f, "the role does not need the {privilege} it has on {}", object(table.as_deref()))
            }
            Self::OwnerRole { tables } => {
                write!(f, "the role is or may become the owner, who may do anything: {}", tables.join(", "))
            }
            Self::UnknownRole => f.write_str("there is no such role"),
        }
    }
}

fn object(table: Option<&str>) -> String {
    table.map_or_else(|| "the schema".to_owned(), |table| format!("table {table}"))
}
