//! What a database of this release has: `catalog.txt`, written by `catalog.sql` on a freshly migrated database.
//!
//! The text is read once, into a [`Catalog`], which has every table, column, constraint and index of ours.

pub(super) mod definition;
pub(super) mod object;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

pub(super) use definition::{ColumnDefinition, ConstraintDefinition, Definition, IndexDefinition};
pub(super) use object::{CatalogKind, ObjectId};

/// The definitions of this release.
pub(super) static CATALOG: LazyLock<Catalog<'static>> = LazyLock::new(|| {
    // Cannot fail: a test reads the same text.
    Catalog::read(include_str!("catalog.txt")).unwrap_or_else(|damage| unreachable!("catalog.txt: {damage}"))
});

/// Objects with the texts of their definitions, in order: what two databases are compared by.
pub(super) type Definitions = BTreeMap<ObjectId, String>;

/// The definitions of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catalog<'a> {
    objects: BTreeMap<ObjectId, Object<'a>>,
}

/// One object of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object<'a> {
    /// The definition as it is printed.
    pub(super) text: &'a str,
    pub(super) definition: Definition<'a>,
    line: usize,
}

/// Why a text cannot be the catalog of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    /// Counted from 1.
    line: usize,
    reason: String,
}

impl<'a> Catalog<'a> {
    /// Reads one object a line: kind, table, name and definition, separated by tabs.
    pub(super) fn read(text: &'a str) -> Result<Self, Damage> {
        let mut objects: BTreeMap<ObjectId, Object<'a>> = BTreeMap::new();
        for (line, text) in (1..).zip(text.lines()) {
            let damaged = |reason| Damage { line, reason };
            let (id, object) = read_line(line, text).map_err(damaged)?;
            if let Some(first) = objects.get(&id) {
                return Err(damaged(format!("{id} stands on line {} already", first.line)));
            }
            objects.insert(id, object);
        }
        let catalog = Self { objects };
        if catalog.objects.is_empty() {
            return Err(Damage { line: 1, reason: "there is no table".to_owned() });
        }
        let mut wrong: Vec<Damage> =
            catalog.objects.iter().filter_map(|(id, object)| catalog.unfounded(id, object)).collect();
        wrong.sort_by_key(|damage| damage.line);
        wrong.into_iter().next().map_or(Ok(catalog), Err)
    }

    /// What an object needs of others and does not find: its table, its columns, what it refers to.
    fn unfounded(&self, id: &ObjectId, object: &Object<'_>) -> Option<Damage> {
        let missing = |table: &str, columns: &[&str]| {
            let of_table = columns.iter().map(|column| ObjectId::new(CatalogKind::Column, table, column));
            let table = ObjectId::new(CatalogKind::Table, table, "");
            std::iter::once(table).chain(of_table).find(|needed| !self.objects.contains_key(needed))
        };
        let of_parent = match &object.definition {
            Definition::Constraint(ConstraintDefinition::Reference { parent, parent_columns, .. }) => {
                missing(parent, parent_columns)
            }
            _ => None,
        };
        let of_type = match &object.definition {
            Definition::Column(column) => column.domain().map(domain_id),
            _ => None,
        };
        let of_type = of_type.filter(|domain| !self.objects.contains_key(domain));
        let of_domain = self.objects.contains_key(&domain_id(&id.table));
        let of_table = if of_domain { None } else { missing(&id.table, &object.definition.columns()) };
        let needed = of_table.or(of_parent).or(of_type)?;
        Some(Damage { line: object.line, reason: format!("{id} needs {needed}, which is not there") })
    }

    pub(super) fn get(&self, id: &ObjectId) -> Option<&Object<'a>> {
        self.objects.get(id)
    }

    pub(super) fn definitions(&self) -> Definitions {
        self.objects.iter().map(|(id, object)| (id.clone(), object.text.to_owned())).collect()
    }

    /// The tables, without the schema, by name.
    pub(super) fn tables(&self) -> Vec<&str> {
        self.objects.keys().filter(|id| id.kind == CatalogKind::Table).map(|id| id.table.as_str()).collect()
    }

    /// The domains, without the schema, by name.
    pub(super) fn domains(&self) -> Vec<&str> {
        self.objects.keys().filter(|id| id.kind == CatalogKind::Domain).map(|id| id.table.as_str()).collect()
    }

    /// The rules that a table's columns have from their domains: for each constraint of a domain its name, and its
    /// condition of every column of that type.
    pub(super) fn domain_rules(&self, table: &str) -> Vec<(&str, String)> {
        let mut rules = Vec::new();
        for domain in self.domains() {
            let typed =
                self.columns(table).filter(|(_, column)| column.domain().is_some_and(|of| of == domain));
            let typed: Vec<&str> = typed.map(|(name, _)| name).collect();
            for (name, constraint) in self.constraints(domain) {
                let ConstraintDefinition::Check { condition } = constraint else { continue };
                let of_columns = typed.iter().map(|column| condition.replace("VALUE", column));
                rules.push((name, of_columns.collect::<Vec<_>>().join(" AND ")));
            }
        }
        rules.retain(|(_, condition)| !condition.is_empty());
        rules
    }

    /// The columns of a table, by name.
    pub(super) fn columns(&self, table: &str) -> impl Iterator<Item = (&str, &ColumnDefinition<'a>)> {
        self.of_table(table).filter_map(|(name, definition)| match definition {
            Definition::Column(column) => Some((name, column)),
            _ => None,
        })
    }

    /// The constraints of a table or domain, by name.
    pub(super) fn constraints(&self, table: &str) -> impl Iterator<Item = (&str, &ConstraintDefinition<'a>)> {
        self.of_table(table).filter_map(|(name, definition)| match definition {
            Definition::Constraint(constraint) => Some((name, constraint)),
            _ => None,
        })
    }

    /// The unique indexes of a table that belong to no constraint, by name.
    pub(super) fn unique_indexes(&self, table: &str) -> impl Iterator<Item = (&str, &IndexDefinition<'a>)> {
        self.of_table(table).filter_map(move |(name, definition)| match definition {
            Definition::Index(index) if index.unique => {
                let constraint = ObjectId::new(CatalogKind::Constraint, table, name);
                (!self.objects.contains_key(&constraint)).then_some((name, index))
            }
            _ => None,
        })
    }

    /// The columns of a table's primary key.
    pub(super) fn primary_key(&self, table: &str) -> &[&'a str] {
        let key = self.constraints(table).find_map(|(_, constraint)| match constraint {
            ConstraintDefinition::Key { primary: true, columns } => Some(columns.as_slice()),
            _ => None,
        });
        key.unwrap_or_default()
    }

    fn of_table(&self, table: &str) -> impl Iterator<Item = (&str, &Definition<'a>)> {
        let of_table = self.objects.iter().filter(move |(id, _)| id.table == table);
        of_table.map(|(id, object)| (id.name.as_str(), &object.definition))
    }
}

impl Object<'_> {
    /// Whether its definition names a column, as a word of its own.
    pub(super) fn mentions(&self, column: &str) -> bool {
        self.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == column)
    }
}

fn domain_id(name: &str) -> ObjectId {
    ObjectId::new(CatalogKind::Domain, name, "")
}

fn read_line(line: usize, text: &str) -> Result<(ObjectId, Object<'_>), String> {
    let fields: Vec<&str> = text.split('\t').collect();
    let &[word, table, name, text] = fields.as_slice() else {
        return Err(format!("it has {} fields, not kind, table, name and definition", fields.len()));
    };
    let kind = CatalogKind::named(word).ok_or_else(|| format!("`{word}` is no kind of object"))?;
    let id = ObjectId::new(kind, table, name);
    let names_itself = matches!(kind, CatalogKind::Table | CatalogKind::Domain);
    if table.is_empty() || name.is_empty() != names_itself {
        return Err(format!("`{id}` names no {word}"));
    }
    let definition = if text.is_empty() { None } else { Definition::read(&id, text) }
        .ok_or_else(|| format!("`{text}` defines no {word} of ours"))?;
    Ok((id, Object { text, definition, line }))
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}
