//! Which object keeps a rule of a guard, and its definition.

use crate::ops::object::Ddl;
use crate::ops::{Ident, ObjectKind, OpsError, TableInfo, ident};
use crate::rollout::{Guard, NoOverlap, Rule, WindowColumns};

/// What kind of object keeps a rule.
pub(super) const fn kind(rule: &Rule) -> ObjectKind {
    match rule {
        Rule::Check(_) => ObjectKind::Check,
        Rule::Reference(_) => ObjectKind::Reference,
        Rule::Unique(rule) if rule.live_only => ObjectKind::UniqueIndex,
        Rule::Unique(_) => ObjectKind::Unique,
        Rule::Index(_) => ObjectKind::Index,
        Rule::NoOverlap(_) => ObjectKind::Exclusion,
    }
}

/// The object that keeps a rule of a guard; the column types decide how a window is written.
pub(super) fn ddl(guard: &Guard, rule: &Rule, table: &TableInfo) -> Result<Ddl, OpsError> {
    let definition = match rule {
        Rule::Check(rule) => format!("CHECK ({})", rule.expression),
        Rule::Reference(rule) => rule.definition(),
        Rule::Unique(rule) if rule.live_only => {
            format!("({}) WHERE ({})", ident::list(&rule.columns), guard.counted())
        }
        Rule::Unique(rule) => format!("UNIQUE ({})", ident::list(&rule.columns)),
        Rule::Index(rule) => index(guard, &rule.columns, rule.live_only),
        Rule::NoOverlap(rule) => exclusion(guard, rule, table, &guard.counted())?,
    };
    let (table, name) = (guard.table.clone(), rule.name().clone());
    Ok(Ddl { table, name, kind: kind(rule), definition })
}

/// Quarantined rows are in it, too: it is for the host's queries, which do not know of any quarantine.
fn index(guard: &Guard, columns: &[Ident], live_only: bool) -> String {
    let columns = ident::list(columns);
    match &guard.live {
        Some(live) if live_only => format!("({columns}) WHERE ({live})"),
        _ => format!("({columns})"),
    }
}

/// The exclusion of a rule, for the rows that satisfy `condition`.
pub(super) fn exclusion(
    guard: &Guard,
    rule: &NoOverlap,
    table: &TableInfo,
    condition: &str,
) -> Result<String, OpsError> {
    let equal = |column: &Ident| format!("{} WITH =", column.quoted());
    let mut elements: Vec<String> = rule.resource.iter().map(equal).collect();
    elements.push(format!("{} WITH &&", window(&rule.window, table)?));
    // A resource that names its tenant already does not name it twice.
    elements.extend(guard.tenant.iter().filter(|tenant| !rule.resource.contains(tenant)).map(equal));
    Ok(format!("EXCLUDE USING gist ({}) WHERE ({condition})", elements.join(", ")))
}

/// The window as one range. Two bounds are made one by the constructor of their type.
pub(super) fn window(columns: &WindowColumns, table: &TableInfo) -> Result<String, OpsError> {
    let unsupported = |column: &Ident| OpsError::UnsupportedType {
        table: table.name.to_string(),
        column: column.to_string(),
    };
    match columns {
        WindowColumns::Range(column) => {
            let ty = &table.expect_column(column)?.ty;
            if ty.ends_with("range") && !ty.ends_with("multirange") {
                Ok(column.quoted())
            } else {
                Err(unsupported(column))
            }
        }
        WindowColumns::Bounds { start, end } => {
            let constructor = |column: &Ident| match table.expect_column(column)?.ty.as_str() {
                "date" => Ok("daterange"),
                ty if !ty.starts_with("timestamp") => Err(unsupported(column)),
                ty if ty.ends_with("with time zone") => Ok("tstzrange"),
                ty if ty.ends_with("without time zone") => Ok("tsrange"),
                _ => Err(unsupported(column)),
            };
            let range = constructor(start)?;
            if constructor(end)? != range {
                return Err(unsupported(end));
            }
            Ok(format!("{range}({}, {})", start.quoted(), end.quoted()))
        }
    }
}
