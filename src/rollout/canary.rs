//! One tenant first.
//!
//! A tenant is either observed or enforced. Enforced, its windows are kept apart by constraints of its own: the same as
//! those for all, with the tenant in their condition and a suffix in their name. [`Guard::up`] builds those for all
//! first and drops the single ones after, so no tenant is ever without.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::build::{self, Ddl, ObjectKind};
use super::down::{Dropped, TakenBack};
use super::finding::FindingKind;
use super::ident::Ident;
use super::table::TableInfo;
use super::{Check, Guard, Pace, RolledOut, Rule, ddl, find, lock, plan, prepare, probe, shadow, step};
use crate::migrate::MigrateError;

/// Which rules hold for a tenant's windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// None: what would be refused can only be counted.
    Observed,
    /// Constraints for this tenant alone.
    Enforced,
    /// Constraints for all tenants.
    EnforcedForAll,
}

/// What a rule would have refused of a tenant's rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WouldRefuse {
    /// The rule.
    pub rule: String,
    /// In which way the rows break it.
    pub kind: FindingKind,
    /// How many rows would not be there, had it held from the beginning.
    pub rows: u64,
}

impl Guard {
    /// Enforces the windows of one tenant: `EXCLUDE … WHERE (tenant = … AND live AND NOT shadow)`, and the check that
    /// goes with it. Running it again changes nothing.
    ///
    /// # Errors
    /// [`StillViolated`](MigrateError::StillViolated) if rows of this tenant break a rule;
    /// [`NoTenant`](MigrateError::NoTenant) if the guard names no tenant or the text is no value of its column;
    /// otherwise as [`up`](Self::up).
    ///
    /// # Transactions
    /// As [`up`](Self::up); the table is locked while the exclusion is built, which reads all rows of all tenants once.
    pub async fn enforce(
        &self,
        client: &mut Client,
        tenant: &str,
        pace: &Pace,
    ) -> Result<RolledOut, MigrateError> {
        lock::while_locked(client, &self.table, pace.patience(), async |client| {
            let table = TableInfo::existing(client, &self.table).await?;
            prepare::prepare(client, self, true, pace).await?;
            let ddls = single(client, self, &table, tenant).await?;
            let printed = probe::printed(client, &self.table, &ddls, Some(&self.shadow), pace).await?;
            let objects = vec![shadow::ensure(client, self, pace).await?];
            let mut done = RolledOut { objects, ..RolledOut::default() };
            for (ddl, expected) in ddls.iter().zip(&printed) {
                if ddl.kind == ObjectKind::Exclusion {
                    let found = build::find(client, pace, &self.table, &ddl.name).await?;
                    if !found.judge(ddl, expected).is_sound() {
                        self.refuse_violated(client, tenant).await?;
                    }
                }
                done.objects.push(build::ensure(client, ddl, expected, pace).await?);
            }
            Ok(done)
        })
        .await
    }

    /// Takes the constraints of this tenant back; those for all stay.
    ///
    /// # Errors
    /// As [`down`](Self::down), and [`NoTenant`](MigrateError::NoTenant).
    ///
    /// # Transactions
    /// One for each constraint.
    pub async fn release(
        &self,
        client: &mut Client,
        tenant: &str,
        pace: &Pace,
    ) -> Result<TakenBack, MigrateError> {
        lock::while_locked(client, &self.table, pace.patience(), async |client| {
            let table = TableInfo::existing(client, &self.table).await?;
            let mut done = TakenBack::default();
            for ddl in single(client, self, &table, tenant).await?.iter().rev() {
                let found = build::find(client, pace, &self.table, &ddl.name).await?;
                let Some(printed) = found.printed(ddl.kind) else { continue };
                build::remove(client, ddl, pace).await?;
                let (name, kind, definition) = (ddl.name.to_string(), ddl.kind, printed.definition);
                done.objects.push(Dropped { name, kind, definition });
            }
            Ok(done)
        })
        .await
    }

    /// Which constraints hold for this tenant's windows now; all of them have to, or it is only observed.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), and [`NoTenant`](MigrateError::NoTenant).
    ///
    /// # Transactions
    /// Some short ones, rolled back.
    pub async fn mode(&self, client: &mut Client, tenant: &str) -> Result<Mode, MigrateError> {
        let table = TableInfo::existing(client, &self.table).await?;
        if plan::lacks_extension(client, self).await? {
            return Ok(Mode::Observed);
        }
        let all = self.rules.iter().filter(|rule| self.is_of_windows(rule));
        let all = all.map(|rule| Ddl::of(self, rule, &table)).collect::<Result<Vec<_>, _>>()?;
        let single = single(client, self, &table, tenant).await?;
        for (ddls, mode) in [(all, Mode::EnforcedForAll), (single, Mode::Enforced)] {
            if !ddls.is_empty() && are_sound(client, self, &ddls).await? {
                return Ok(mode);
            }
        }
        Ok(Mode::Observed)
    }

    /// What the rules for windows would have refused of this tenant's rows: rows that would have to leave now.
    ///
    /// # Errors
    /// [`NoPrimaryKey`](MigrateError::NoPrimaryKey) and missing tables and columns;
    /// [`NoTenant`](MigrateError::NoTenant); otherwise what the connection or the server reports.
    ///
    /// # Transactions
    /// One, rolled back. It reads the table twice for each rule.
    pub async fn would_refuse(
        &self,
        client: &mut Client,
        tenant: &str,
    ) -> Result<Vec<WouldRefuse>, MigrateError> {
        let table = TableInfo::existing(client, &self.table).await?;
        let (_, tenant) = literal(client, self, &table, tenant).await?;
        let mut tx = step::begin(client, Pace::new().lock_timeout).await?;
        let mut refused = Vec::new();
        for rule in self.rules.iter().filter(|rule| self.is_of_windows(rule)) {
            let losers = find::losers(&mut tx, self, &table, rule, Some(&tenant)).await?;
            let rows = u64::try_from(losers.len()).unwrap_or(u64::MAX);
            refused.extend(find::kind(self, rule).map(|kind| WouldRefuse {
                rule: rule.name().to_string(),
                kind,
                rows,
            }));
        }
        tx.rollback().await.map_err(MigrateError::from_driver)?;
        Ok(refused)
    }

    /// Rather read the table once more than lock everybody out for a build that fails at the end.
    async fn refuse_violated(&self, client: &mut Client, tenant: &str) -> Result<(), MigrateError> {
        let refused = self.would_refuse(client, tenant).await?;
        let broken = refused.into_iter().find(|rule| rule.rows > 0 && rule.kind == FindingKind::Overlap);
        let violated = |rule: WouldRefuse| {
            Err(MigrateError::StillViolated { table: self.table.to_string(), rule: rule.rule })
        };
        broken.map_or(Ok(()), violated)
    }

    fn is_of_windows(&self, rule: &Rule) -> bool {
        match rule {
            Rule::NoOverlap(_) => true,
            Rule::Check(check) => self.is_window_check(check),
            _ => false,
        }
    }
}

/// Drops the constraints of single tenants; those for all hold by now.
pub(super) async fn retire(
    client: &mut Client,
    guard: &Guard,
    pace: &Pace,
) -> Result<Vec<String>, MigrateError> {
    let mut retired = Vec::new();
    for rule in guard.rules.iter().filter(|rule| guard.is_of_windows(rule)) {
        for (name, kind) in of_rule(client, guard, rule).await? {
            retired.push(name.to_string());
            let ddl = Ddl { table: guard.table.clone(), name, kind, definition: String::new() };
            build::remove(client, &ddl, pace).await?;
        }
    }
    Ok(retired)
}

/// The constraints of single tenants that a rule has now.
pub(super) async fn of_rule(
    client: &Client,
    guard: &Guard,
    rule: &Rule,
) -> Result<Vec<(Ident, ObjectKind)>, MigrateError> {
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
    let rows = client.query_typed(sql, &params).await.map_err(MigrateError::from_driver)?;
    let suffix = |name: &str| rule.name().with_suffix(name.strip_prefix(rule.name().as_str()).unwrap_or(""));
    Ok(rows.iter().map(|row| (suffix(row.get(0)), ObjectKind::of(rule))).collect())
}

/// The objects that keep one tenant's windows apart: each check before its exclusion.
async fn single(
    client: &Client,
    guard: &Guard,
    table: &TableInfo,
    tenant: &str,
) -> Result<Vec<Ddl>, MigrateError> {
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
                (ObjectKind::Exclusion, ddl::exclusion(guard, rule, table, &condition)?)
            }
            _ => continue,
        };
        let name = rule.name().with_suffix(&suffix);
        ddls.push(Ddl { table: guard.table.clone(), name, kind, definition });
    }
    ddls.sort_by_key(|ddl| ddl.kind == ObjectKind::Exclusion);
    Ok(ddls)
}

/// The tenant as its column's type prints it, which is how rows are compared with it.
pub(super) async fn canonical(client: &Client, guard: &Guard, tenant: &str) -> Result<String, MigrateError> {
    let table = TableInfo::existing(client, &guard.table).await?;
    Ok(literal(client, guard, &table, tenant).await?.1)
}

/// The tenant as a literal of its column's type, quoted by the server, and as the type prints it.
async fn literal(
    client: &Client,
    guard: &Guard,
    table: &TableInfo,
    tenant: &str,
) -> Result<(String, String), MigrateError> {
    let no_tenant = || MigrateError::NoTenant { table: guard.table.to_string() };
    let column = guard.tenant.as_ref().ok_or_else(no_tenant)?;
    let ty = &table.expect_column(column)?.ty;
    // A cast to `varchar(3)` would cut the value and mean another tenant.
    let ty = if ty.starts_with("character") { "text" } else { ty };
    // The type's name comes from the catalog, which quotes it; the value never meets the statement's text.
    let sql = format!("SELECT quote_literal(t), t FROM (SELECT CAST($1 AS {ty})::text AS t) AS v");
    let row = client.query_typed_one(&sql, &[(&tenant, Type::TEXT)]).await;
    let row = row.map_err(|error| match error.code() {
        Some(code) if code.code().starts_with("22") => no_tenant(),
        _ => MigrateError::from_driver(error),
    })?;
    Ok((format!("{}::{ty}", row.get::<_, &str>(0)), row.get(1)))
}

/// Whether a constraint keeps the rule: for all, for one tenant, or as the one that is about to take its place.
pub(crate) fn keeps(constraint: &str, rule: &str) -> bool {
    let Some(rest) = constraint.strip_prefix(rule) else { return false };
    let rest = rest.strip_suffix(build::NEW).unwrap_or(rest);
    let digits = rest.strip_prefix("_c");
    rest.is_empty() || digits.is_some_and(|hex| hex.len() == 8 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Ten bytes that tell tenants apart; in a name there is no room for a tenant.
fn suffix(tenant: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(tenant).into();
    let [a, b, c, d, ..] = digest;
    format!("_c{:08x}", u32::from_be_bytes([a, b, c, d]))
}

async fn are_sound(client: &mut Client, guard: &Guard, ddls: &[Ddl]) -> Result<bool, MigrateError> {
    let pace = Pace::new();
    let printed = probe::printed(client, &guard.table, ddls, Some(&guard.shadow), &pace).await?;
    for (ddl, expected) in ddls.iter().zip(&printed) {
        let found = build::find(client, &pace, &guard.table, &ddl.name).await?;
        if !found.judge(ddl, expected).is_sound() {
            return Ok(false);
        }
    }
    Ok(true)
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observed => "observed",
            Self::Enforced => "enforced",
            Self::EnforcedForAll => "enforced for all",
        })
    }
}

impl fmt::Display for WouldRefuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} rows ({})", self.rule, self.rows, self.kind)
    }
}
