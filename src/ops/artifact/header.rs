//! The first line: whose rows, of what shape, when and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ops::artifact::{Action, ArtifactError};
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, OpsError, TableInfo, TableName};

pub(super) const FORMAT: &str = "slotkeeper rows";
/// A release reads its own version and older ones.
pub(super) const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
    pub(crate) id: Uuid,
    pub(crate) purpose: Purpose,
    /// Whose rows only; all tenants' if none.
    pub(crate) tenant: Option<String>,
    database: Identity,
    pub(crate) tables: Vec<Section>,
    /// By the database's clock.
    pub(crate) created_at: DateTime<Utc>,
    library: String,
}

/// What was to be done with the rows when they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    Quarantine,
    Dedupe,
    /// The tables were to be dropped.
    Export,
    /// The rows were to be moved out of the way for good.
    Archive,
}

/// One table. Names are kept as plain text: they are checked when they are used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Section {
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) columns: Vec<ColumnHead>,
    pub(crate) key: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnHead {
    pub(crate) name: String,
    /// With modifiers and schema.
    #[serde(rename = "type")]
    pub(crate) ty: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    name: String,
    oid: i64,
    /// A number too large for JSON's readers.
    cluster: Option<String>,
}

impl Purpose {
    pub(crate) const fn action(self) -> Action {
        match self {
            Self::Quarantine => Action::Shadow,
            Self::Dedupe | Self::Export | Self::Archive => Action::Remove,
        }
    }
}

impl Header {
    /// Reads the database's clock and identity. Within [`text_form`](crate::ops::rows::text_form), so that types are qualified.
    pub(crate) async fn new(
        tx: &Transaction<'_>,
        purpose: Purpose,
        tenant: Option<String>,
        tables: Vec<Section>,
    ) -> Result<Self, OpsError> {
        let database = Identity::read(tx).await?;
        let now = tx.query_typed_one("SELECT pg_catalog.clock_timestamp()", &[]).await;
        let created_at = now.and_then(|row| row.try_get(0)).driver()?;
        let (format, library) = (FORMAT.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let (version, id) = (VERSION, Uuid::now_v7());
        Ok(Self { format, version, id, purpose, tenant, database, tables, created_at, library })
    }

    /// Refuses rows of another database.
    pub(crate) async fn expect_database(&self, tx: &Transaction<'_>) -> Result<(), OpsError> {
        let here = Identity::read(tx).await?;
        if self.database.is(&here) { Ok(()) } else { Err(ArtifactError::OtherDatabase.into()) }
    }

    /// Refuses an artifact of another table than `table`, or of more than one.
    pub(crate) fn expect_table(&self, table: &TableName) -> Result<&Section, ArtifactError> {
        match self.tables.as_slice() {
            [section] if section.schema == table.schema.as_str() && section.table == table.name.as_str() => {
                Ok(section)
            }
            _ => Err(ArtifactError::OtherTable { table: table.to_string() }),
        }
    }
}

impl Identity {
    async fn read(tx: &Transaction<'_>) -> Result<Self, OpsError> {
        let sql = "SELECT datname::text, oid::int8,
                pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
            FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";
        let row = tx.query_typed_one(sql, &[]).await.driver()?;
        let (name, oid, may): (String, i64, bool) = (row.get(0), row.get(1), row.get(2));
        let mut cluster = None;
        // A statement of its own: the right is asked for when a plan is made, whether or not the call is reached.
        if may {
            let sql = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()";
            let row = tx.query_typed_one(sql, &[]).await.driver()?;
            cluster = Some(row.get(0));
        }
        Ok(Self { name, oid, cluster })
    }

    fn is(&self, other: &Self) -> bool {
        let same = match (&self.cluster, &other.cluster) {
            (Some(one), Some(two)) => one == two,
            _ => self.name == other.name,
        };
        same && self.oid == other.oid
    }
}

impl Section {
    /// As the table is now. Within [`text_form`](crate::ops::rows::text_form), so that types are qualified.
    pub(crate) fn of(table: &TableInfo) -> Result<Self, OpsError> {
        let head = |column: &crate::ops::table::Column| ColumnHead {
            name: column.name.to_string(),
            ty: column.ty.clone(),
        };
        Ok(Self {
            schema: table.name.schema.to_string(),
            table: table.name.name.to_string(),
            columns: table.columns.iter().filter(|column| !column.generated).map(head).collect(),
            key: table.expect_key()?.iter().map(ToString::to_string).collect(),
        })
    }

    pub(crate) fn name(&self) -> Result<TableName, ArtifactError> {
        let other = |_| ArtifactError::OtherTable { table: format!("{}.{}", self.schema, self.table) };
        TableName::new(&self.schema, &self.table).map_err(other)
    }

    pub(crate) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|head| head.name == column)
    }

    /// Refuses a table whose shape is not `self`'s; a boolean column `besides` may have come or gone. What stands in a
    /// file becomes part of a statement only if it stands in the catalog, too.
    pub(crate) fn expect_shape(&self, now: &Self, besides: Option<&Ident>) -> Result<(), ArtifactError> {
        let other = |column: &str| {
            let (table, column) = (format!("{}.{}", self.schema, self.table), column.to_owned());
            Err(ArtifactError::OtherShape { table, column })
        };
        let exempt = |head: &&ColumnHead| {
            besides.is_some_and(|besides| besides.as_str() == head.name) && head.ty == "boolean"
        };
        for (one, two) in [(self, now), (now, self)] {
            let differs = |head: &&ColumnHead| !two.columns.contains(head);
            if let Some(head) = one.columns.iter().filter(|head| !exempt(head)).find(differs) {
                return other(&head.name);
            }
        }
        if self.key == now.key { Ok(()) } else { other(&self.key.join(", ")) }
    }
}
