//! One row of an artifact.

use std::collections::HashMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::ops::artifact::header::{ColumnHead, Header};
use crate::ops::{FindingKind, RowKey};

/// Values as text, in the order of the section's columns.
pub(crate) type Row = Vec<Option<String>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The section, counted from 0.
    pub(crate) table: usize,
    pub(crate) action: Action,
    /// Which rule it breaks; none if it was merely kept.
    pub(crate) cause: Option<Cause>,
    pub(crate) key: RowKey,
    pub(crate) row: Row,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    /// Mark it.
    Shadow,
    /// Take it out of the table.
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Cause {
    pub(crate) rule: String,
    pub(crate) reason: FindingKind,
}

#[derive(Serialize)]
struct Line<'a> {
    table: usize,
    action: Action,
    #[serde(flatten)]
    cause: Option<&'a Cause>,
    key: &'a RowKey,
    row: Named<'a>,
}

#[derive(Deserialize)]
struct ParsedLine {
    table: usize,
    action: Action,
    rule: Option<String>,
    reason: Option<FindingKind>,
    key: RowKey,
    row: HashMap<String, Option<String>>,
}

/// A row with its columns' names, in their order.
struct Named<'a>(&'a [ColumnHead], &'a Row);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|head| &head.name).zip(self.1))
    }
}

impl Record {
    pub(super) fn to_line(&self, header: &Header) -> Result<Vec<u8>, serde_json::Error> {
        let Self { table, action, cause, key, row } = self;
        let row = Named(&header.tables[*table].columns, row);
        serde_json::to_vec(&Line { table: *table, action: *action, cause: cause.as_ref(), key, row })
    }

    /// `None` if it is not a row of the header's tables.
    pub(super) fn from_line(line: &[u8], header: &Header) -> Option<Self> {
        let ParsedLine { table, action, rule, reason, key, mut row } = serde_json::from_slice(line).ok()?;
        let columns = &header.tables.get(table)?.columns;
        let row: Row = columns.iter().map(|head| row.remove(&head.name)).collect::<Option<_>>()?;
        let cause = rule.zip(reason).map(|(rule, reason)| Cause { rule, reason });
        Some(Self { table, action, cause, key, row })
    }
}
