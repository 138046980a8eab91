//! The privileges of the application's roles, derived from the statements of the library.
//!
//! Nothing here lists what a table needs: `needs` reads the statements a role's duties send, and so a new statement brings
//! its privileges along. [`Migrator::grants`] prints them, [`Migrator::verify`] compares a role with them.

mod held;
mod needs;
#[cfg(test)]
mod on_a_server;
mod privilege;
mod reading;
mod role;

pub use privilege::{Grant, Privilege};
pub use role::{Duty, Role};

pub(super) use held::compare;

use std::fmt;

use serde::Serialize;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::migrate::Migrator;
use crate::ops::ident::quoted;
use crate::ops::{DriverResult, OpsError};
use crate::schema::SchemaName;

/// What a role needs for its duties and no more, see [`Migrator::grants`]. Displayed, it is a script for `psql`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[must_use]
pub struct Grants {
    /// The schema of the tables; the role needs `USAGE` on it.
    pub schema: String,
    /// The role.
    pub role: String,
    /// What it does.
    pub duties: Vec<Duty>,
    /// Its privileges, by table.
    pub privileges: Vec<Grant>,
    /// The same as SQL: one `GRANT` for the schema and one for each table, without semicolons.
    pub statements: Vec<String>,
}

impl Migrator {
    /// What a role needs to send the library's statements of its [duties](Duty), with the SQL that grants it.
    ///
    /// Run the SQL as the owner of the tables, and again after an [`up`](Self::up) that applied something. Privileges are
    /// not taken away by it: [`verify`](Self::verify) names those that are too many. Row level security is the host's
    /// and stays as it is.
    ///
    /// ```no_run
    /// # async fn deploy(client: &mut tokio_postgres::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use slotkeeper::migrate::{Duty, Migrator, Role};
    ///
    /// let nightly = Role::new("nightly").duties([Duty::Retention]);
    /// for role in [Role::new("web"), nightly] {
    ///     client.batch_execute(&Migrator::new().grants(client, &role).await?.to_string()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`UnknownRole`](OpsError::UnknownRole) if the server has no such role; otherwise what the connection or the
    /// server reports.
    ///
    /// # Transactions
    /// None: it looks the role up, and changes nothing.
    pub async fn grants(&self, client: &Client, role: &Role) -> Result<Grants, OpsError> {
        if exists(client, &role.name).await? {
            Ok(Grants::of(&self.schema, role))
        } else {
            Err(OpsError::UnknownRole { role: role.name.clone() })
        }
    }
}

impl Grants {
    fn of(schema: &SchemaName, role: &Role) -> Self {
        let privileges = needs::needs(&role.duties);
        let to = format!("TO {}", quoted(&role.name));
        let mut statements = vec![format!("GRANT USAGE ON SCHEMA \"{schema}\" {to}")];
        for grants in privileges.chunk_by(|a, b| a.table == b.table) {
            let clauses = grants.iter().map(Grant::clause).collect::<Vec<_>>().join(", ");
            statements.push(format!("GRANT {clauses} ON \"{schema}\".\"{}\" {to}", grants[0].table));
        }
        Self {
            schema: schema.to_string(),
            role: role.name.clone(),
            duties: role.duties.iter().copied().collect(),
            privileges,
            statements,
        }
    }
}

/// Whether the server has a role of this name. Compared as text, because a `name` would be cut to the length of one that
/// may be another role's.
pub(super) async fn exists(client: &Client, role: &str) -> Result<bool, OpsError> {
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname::text = $1)";
    let row = client.query_typed_one(sql, &[(&role, Type::TEXT)]).await;
    row.and_then(|row| row.try_get(0)).driver()
}

impl fmt::Display for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statements.iter().try_for_each(|statement| writeln!(f, "{statement};"))
    }
}
