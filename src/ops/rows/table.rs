//! A table whose rows are handled as text: its columns, its key, its mark.

use tokio_postgres::types::Type;

use crate::ops::artifact::Row;
use crate::ops::artifact::Section;
use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, Ident, OpsError, RowKey, TableInfo, TableName};

/// The column that marks a row as waiting for repair, and the one that says since when, where the table has one.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) column: Ident,
    pub(crate) since: Option<Ident>,
}

/// A table of an artifact, as it is now.
#[derive(Debug)]
pub(crate) struct RowTable {
    pub(crate) name: TableName,
    pub(crate) section: Section,
    pub(super) columns: Vec<Ident>,
    pub(super) key: Vec<Key>,
    /// The column that marks rows, whether the table has it now, and its place in a row.
    pub(super) shadow: Option<Ident>,
    pub(super) has_shadow: bool,
    pub(super) shadow_at: Option<usize>,
}

/// A column of the primary key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) at: usize,
    /// The equality of its index, with its schema: with another one the index would not be used.
    pub(super) equals: String,
}

/// The operator by which each column of the primary key is compared (strategy 3 of a b-tree).
const EQUALITY: &str = "SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
    FROM pg_index AS i, unnest(i.indclass) WITH ORDINALITY AS k (opclass, at)
    JOIN pg_opclass AS c ON c.oid = k.opclass
    JOIN pg_amop AS a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype
        AND a.amoprighttype = c.opcintype AND a.amopstrategy = 3
    JOIN pg_operator AS o ON o.oid = a.amopopr JOIN pg_namespace AS n ON n.oid = o.oprnamespace
    WHERE i.indrelid = to_regclass($1) AND i.indisprimary AND k.at <= i.indnkeyatts ORDER BY k.at";

impl RowTable {
    /// The table as it is, for a new artifact. Within [`text_form`](crate::ops::rows::text_form).
    pub(crate) async fn current(
        tx: &Transaction<'_>,
        name: &TableName,
        shadow: Option<&Ident>,
    ) -> Result<Self, OpsError> {
        let section = Section::of(&TableInfo::existing(tx, name).await?)?;
        Self::of(tx, section, shadow).await
    }

    /// The table of a section, which must still have its shape. Within [`text_form`](crate::ops::rows::text_form).
    pub(crate) async fn of(
        tx: &Transaction<'_>,
        section: Section,
        shadow: Option<&Ident>,
    ) -> Result<Self, OpsError> {
        let name = section.name()?;
        let now = Section::of(&TableInfo::existing(tx, &name).await?)?;
        section.expect_shape(&now, shadow)?;
        let mark = shadow.and_then(|shadow| now.columns.iter().find(|head| head.name == shadow.as_str()));
        if let Some(other) = mark.filter(|mark| mark.ty != "boolean") {
            let (table, rule, by) =
                (name.to_string(), other.name.clone(), format!("a column of type {}", other.ty));
            return Err(OpsError::NameTaken { table, rule, by });
        }
        let quoted = name.quoted();
        let rows = tx.query_typed(EQUALITY, &[(&quoted, Type::TEXT)]).await;
        let operators: Vec<String> = rows.driver()?.iter().map(|row| row.get(0)).collect();
        let key = |(position, column): (usize, &String)| {
            let equals = operators.get(position).map_or("OPERATOR(pg_catalog.=)", String::as_str).to_owned();
            section.position(column).map(|at| Key { at, equals })
        };
        let key: Option<Vec<Key>> = section.key.iter().enumerate().map(key).collect();
        let columns = section.columns.iter().map(|head| {
            Ident::new(&head.name).map_err(|_| OpsError::UnsupportedName { name: head.name.clone() })
        });
        Ok(Self {
            key: key.ok_or_else(|| OpsError::NoPrimaryKey { table: name.to_string() })?,
            columns: columns.collect::<Result<_, _>>()?,
            has_shadow: mark.is_some(),
            shadow_at: shadow.and_then(|shadow| section.position(shadow.as_str())),
            shadow: shadow.cloned(),
            name,
            section,
        })
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, row: &Row) -> RowKey {
        RowKey(self.key.iter().map(|key| row[key.at].clone().unwrap_or_default()).collect())
    }

    /// Whether two rows are the same but for the mark.
    pub(crate) fn same(&self, one: &Row, two: &Row) -> bool {
        let differs = |at: usize| Some(at) != self.shadow_at && one.get(at) != two.get(at);
        !(0..self.columns.len()).any(differs)
    }
}
