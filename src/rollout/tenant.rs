//! One tenant: its value as the column prints it, and the constraints that keep only its windows apart.

use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::object::{Ddl, builder};
use crate::ops::{DriverResult, Ident, ObjectKind, OpsError, Pace, TableInfo};
use crate::rollout::{Check, Guard, Rule, objects};

impl Guard {
    /// Whether single tenants may have a constraint of their own for this rule.
    pub(super) fn is_of_windows(&self, rule: &Rule) -> bool {
        match rule {
            Rule::NoOverlap(_) => true,
            Rule::Check(check) => self.is_window_check(check),
            _ => false,
        }
    }
}

/// Drops the constraints of single tenants. Called when those for all tenants hold.
pub(super) async fn retire(client: &mut Client, guard: &Guard, pace: &Pace) -> Result<Vec<String>, OpsError> {
    let mut retired = Vec::new();
    for rule in guard.rules.iter().filter(|rule| guard.is_of_windows(rule)) {
        for (name, kind) in of_rule(client, guard, rule).await? {
            retired.push(name.to_string());
            let ddl = Ddl { table: guard.table.clone(), name, kind, definition: String::new() };
            builder::remove(client, &ddl, pace).await?;
        }
    }
    Ok(retired)
}

/// The constraints of single tenants that exist for a rule.
pub(super) async fn of_rule(
    client: &Client,
    guard: &Guard,
    rule: &Rule,
) -> Result<Vec<(Ident, ObjectKind)>, OpsError> {
    if !guard.is_of_windows(rule) {
        return Ok(Vec::new());
    }
    let sql = "SELECT k.conname::text FROM pg_catalog.pg_constraint AS k
        JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2 AND k.contype IN ('x', 'c')
            AND pg_catalog.starts_with(k.conname::text, $3)
            AND substr(k.conname::text, length($3) + 1) ~ '^_c[0-9a-f]{8}$' ORDER BY 1";
    let names = [guard.table.schema.as_str(), guard.table.name.as_str(), rule.name().as_str()];
    let params = names.each_ref().map(|name| (name as _, Type::TEXT));
    let rows = client.query_typed(sql, &params).await.driver()?;
    let suffix = |name: &str| rule.name().with_suffix(name.strip_prefix(rule.name().as_str()).unwrap_or(""));
    Ok(rows.iter().map(|row| (suffix(row.get(0)), objects::kind(rule))).collect())
}

/// The objects that keep one tenant's windows apart: each check before its exclusion.
pub(super) async fn single(
    client: &Client,
    guard: &Guard,
    table: &TableInfo,
    tenant: &str,
) -> Result<Vec<Ddl>, OpsError> {
    let (literal, canonical) = literal(client, guard, table, tenant).await?;
    let column = guard.tenant.as_ref().map(Ident::quoted).unwrap_or_default();
    let suffix = suffix(&canonical);
    let mut ddls = Vec::new();
    for rule in &guard.rules {
        let (kind, definition) = match rule {
            Rule::Check(Check { expression, .. }) if guard.is_of_windows(rule) => {
                (ObjectKind::Check, format!("CHECK ({column} <> {literal} OR ({expression}))"))
            }
            Rule::NoOverlap(rule) => {
                let condition = format!("{column} = {literal} AND {}", guard.counted());
                (ObjectKind::Exclusion, objects::exclusion(guard, rule, table, &condition)?)
            }
            _ => continue,
        };
        let name = rule.name().with_suffix(&suffix);
        ddls.push(Ddl { table: guard.table.clone(), name, kind, definition });
    }
    ddls.sort_by_key(|ddl| ddl.kind == ObjectKind::Exclusion);
    Ok(ddls)
}

/// The tenant as its column's type prints it: rows are compared with this text.
pub(super) async fn canonical(client: &Client, guard: &Guard, tenant: &str) -> Result<String, OpsError> {
    let table = TableInfo::existing(client, &guard.table).await?;
    Ok(literal(client, guard, &table, tenant).await?.1)
}

/// The tenant as a literal of its column's type, quoted by the server, and as the type prints it.
pub(super) async fn literal(
    client: &Client,
    guard: &Guard,
    table: &TableInfo,
    tenant: &str,
) -> Result<(String, String), OpsError> {
    let no_tenant = || OpsError::NoTenant { table: guard.table.to_string() };
    let column = guard.tenant.as_ref().ok_or_else(no_tenant)?;
    let ty = &table.expect_column(column)?.ty;
    // A cast to `varchar(3)` would cut the value and mean another tenant.
    let ty = if ty.starts_with("character") { "text" } else { ty };
    // The type's name comes from the catalog, which quotes it; the value never meets the statement's text.
    let sql = format!("SELECT quote_literal(t), t FROM (SELECT CAST($1 AS {ty})::text AS t) AS v");
    let row = client.query_typed_one(&sql, &[(&tenant, Type::TEXT)]).await;
    let row = row.map_err(|error| match error.code() {
        Some(code) if code.code().starts_with("22") => no_tenant(),
        _ => OpsError::from_driver(error),
    })?;
    Ok((format!("{}::{ty}", row.get::<_, &str>(0)), row.get(1)))
}

/// A 10-byte suffix from the tenant's hash: a full tenant id would not fit into an identifier.
fn suffix(tenant: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(tenant).into();
    let [a, b, c, d, ..] = digest;
    format!("_c{:08x}", u32::from_be_bytes([a, b, c, d]))
}
