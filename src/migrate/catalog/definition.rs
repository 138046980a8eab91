//! Definitions as `catalog.sql` prints them, taken apart.

use crate::migrate::catalog::object::{CatalogKind, ObjectId};

/// The definition of one object of this release. A schema of ours has no triggers and no rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Definition<'a> {
    Table(TableDefinition<'a>),
    Column(ColumnDefinition<'a>),
    Constraint(ConstraintDefinition<'a>),
    Index(IndexDefinition<'a>),
}

/// `table fillfactor=85`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableDefinition<'a> {
    /// `table`, or what a table of ours must not be: `table unlogged`, `partitioned table`.
    pub(crate) storage: &'a str,
    pub(crate) fillfactor: Option<&'a str>,
}

/// `boolean not null default false`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnDefinition<'a> {
    /// The type, with what else decides about its values: collation, identity, generation.
    pub(crate) ty: &'a str,
    pub(crate) not_null: bool,
    pub(crate) default: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConstraintDefinition<'a> {
    /// `CHECK (condition)`
    Check { condition: &'a str },
    /// `PRIMARY KEY (columns)` or `UNIQUE (columns)`
    Key { primary: bool, columns: Vec<&'a str> },
    /// `FOREIGN KEY (columns) REFERENCES slotkeeper.parent(parent_columns)`
    Reference { columns: Vec<&'a str>, parent: &'a str, parent_columns: Vec<&'a str> },
    /// `EXCLUDE USING gist (column WITH operator, …) WHERE (condition)`
    Exclusion { elements: Vec<(&'a str, &'a str)>, condition: Option<&'a str> },
}

/// `CREATE UNIQUE INDEX name ON slotkeeper.table USING btree (columns) WHERE condition`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexDefinition<'a> {
    pub(crate) unique: bool,
    /// What follows the table.
    pub(crate) body: &'a str,
    /// Columns and expressions.
    pub(crate) columns: Vec<&'a str>,
    /// Of an exclusion's index the same text as the exclusion's own condition.
    pub(crate) condition: Option<&'a str>,
}

impl<'a> Definition<'a> {
    /// `None` if an object of this kind has no such definition.
    pub(super) fn read(object: &ObjectId, text: &'a str) -> Option<Self> {
        match object.kind {
            CatalogKind::Table => Some(Self::Table(TableDefinition::read(text))),
            CatalogKind::Column => Some(Self::Column(ColumnDefinition::read(text))),
            CatalogKind::Constraint => ConstraintDefinition::read(text).map(Self::Constraint),
            CatalogKind::Index => IndexDefinition::read(&object.table, &object.name, text).map(Self::Index),
            CatalogKind::Rule | CatalogKind::Trigger => None,
        }
    }

    /// The columns of its own table that it names; not those inside expressions.
    pub(super) fn columns(&self) -> Vec<&'a str> {
        match self {
            Self::Table(_) | Self::Column(_) => Vec::new(),
            Self::Constraint(constraint) => constraint.columns(),
            Self::Index(index) => index.columns.iter().copied().filter(|column| is_column(column)).collect(),
        }
    }
}

impl<'a> TableDefinition<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        match text.split_once(" fillfactor=") {
            Some((storage, factor)) => Self { storage, fillfactor: Some(factor) },
            None => Self { storage: text, fillfactor: None },
        }
    }
}

impl<'a> ColumnDefinition<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        let (ty, default) = text.split_once(" default ").map_or((text, None), |(ty, it)| (ty, Some(it)));
        let nullable = ty.strip_suffix(" not null");
        Self { ty: nullable.unwrap_or(ty), not_null: nullable.is_some(), default }
    }
}

impl<'a> ConstraintDefinition<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (text, _) = without_marks(text);
        if let Some(rest) = text.strip_prefix("CHECK ") {
            return Some(Self::Check { condition: whole(rest)? });
        }
        if let Some(rest) = text.strip_prefix("FOREIGN KEY ") {
            let (columns, rest) = parentheses(rest)?;
            let rest = rest.strip_prefix(" REFERENCES slotkeeper.")?;
            let (parent, rest) = rest.split_at(rest.find('(')?);
            return Some(Self::Reference {
                columns: list(columns),
                parent,
                parent_columns: list(whole(rest)?),
            });
        }
        if let Some(rest) = text.strip_prefix("EXCLUDE USING gist ") {
            let (elements, rest) = parentheses(rest)?;
            let elements = list(elements).into_iter().map(|element| element.split_once(" WITH "));
            let condition = match rest.strip_prefix(" WHERE ") {
                Some(condition) => Some(whole(condition)?),
                None if rest.is_empty() => None,
                None => return None,
            };
            return Some(Self::Exclusion { elements: elements.collect::<Option<_>>()?, condition });
        }
        let primary = text.strip_prefix("PRIMARY KEY ");
        let columns = list(whole(primary.or_else(|| text.strip_prefix("UNIQUE "))?)?);
        Some(Self::Key { primary: primary.is_some(), columns })
    }

    fn columns(&self) -> Vec<&'a str> {
        match self {
            Self::Check { .. } => Vec::new(),
            Self::Key { columns, .. } | Self::Reference { columns, .. } => columns.clone(),
            Self::Exclusion { elements, .. } => elements.iter().map(|(column, _)| *column).collect(),
        }
    }
}

impl<'a> IndexDefinition<'a> {
    pub(crate) fn read(table: &str, name: &str, text: &'a str) -> Option<Self> {
        let text = text.strip_prefix("CREATE ")?;
        let unique = text.strip_prefix("UNIQUE ");
        let body = unique.unwrap_or(text).strip_prefix(&format!("INDEX {name} ON slotkeeper.{table} "))?;
        let (columns, rest) = parentheses(&body[body.find('(')?..])?;
        let condition = match rest.strip_prefix(" WHERE ") {
            None if !rest.is_empty() => return None,
            condition => condition,
        };
        Some(Self { unique: unique.is_some(), body, columns: list(columns), condition })
    }
}

/// A definition, and the marks that the catalog's query and the server put behind it.
pub(crate) fn without_marks(definition: &str) -> (&str, &str) {
    const MARKS: [&str; 9] = [
        " DEFERRABLE",
        " NOT VALID",
        ", deferrable",
        ", deferred",
        ", not validated",
        ", triggers ",
        ", invalid",
        ", not ready",
        ", not immediate",
    ];
    let at = MARKS.iter().filter_map(|mark| definition.find(mark)).min().unwrap_or(definition.len());
    definition.split_at(at)
}

/// Whether an index has a column here, and not an expression.
pub(crate) fn is_column(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What stands between the parentheses a text begins with, and what follows them. Those inside strings do not count.
fn parentheses(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut in_string) = (0_u32, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => in_string = !in_string,
            '(' if !in_string => depth += 1,
            ')' if !in_string => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(1..at)?, &text[at + 1..]));
        }
    }
    None
}

/// What stands between parentheses that nothing follows.
fn whole(text: &str) -> Option<&str> {
    parentheses(text).filter(|(_, rest)| rest.is_empty()).map(|(inside, _)| inside)
}

/// `a, lower(b, c)` in its two parts.
fn list(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_u32, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}
