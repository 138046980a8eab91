//! Which rows are looked at, as SQL.

use tokio_postgres::types::Type;

use crate::ops::{Ident, OpsError, TableInfo};
use crate::rollout::guard::Guard;
use crate::rollout::rule::Rule;

/// The rows of a table, of one tenant or of all.
pub(super) struct Scope<'a> {
    pub(super) guard: &'a Guard,
    pub(super) table: &'a TableInfo,
    tenant: Option<&'a str>,
}

impl<'a> Scope<'a> {
    pub(super) const fn new(guard: &'a Guard, table: &'a TableInfo, tenant: Option<&'a str>) -> Self {
        Self { guard, table, tenant }
    }

    /// What stands behind FROM. Columns need no prefix, and the host's expressions may use the table's name as one. If the
    /// shadow column is missing yet, it reads as false.
    pub(super) fn source(&self) -> String {
        let (table, alias) = (self.table.name.quoted(), self.alias());
        let place = if self.table.key.is_empty() { ", t.ctid" } else { "" };
        match self.table.column(&self.guard.shadow) {
            Some(_) => format!("{table} AS {alias}"),
            None => {
                let shadow = self.guard.shadow.quoted();
                format!("(SELECT t.*{place}, false AS {shadow} FROM {table} AS t) AS {alias}")
            }
        }
    }

    /// The table's own name, which stands for it in expressions.
    pub(super) fn alias(&self) -> String {
        self.table.name.name.quoted()
    }

    /// The condition that a row is the tenant's.
    pub(super) fn ours(&self) -> String {
        match (self.tenant, &self.guard.tenant) {
            (None, _) => "true".to_owned(),
            (Some(_), Some(column)) => format!("{}::text = $1", column.quoted()),
            // A guard without a tenant column has no rows of a tenant.
            (Some(_), None) => "$1 IS NULL".to_owned(),
        }
    }

    /// The parameters [`ours`](Self::ours) needs.
    pub(super) fn params(&self) -> Vec<(&'a str, Type)> {
        self.tenant.map(|tenant| (tenant, Type::TEXT)).into_iter().collect()
    }

    /// The tenant as text.
    pub(super) fn tenant(&self) -> String {
        self.guard
            .tenant
            .as_ref()
            .map_or_else(|| "NULL::text".to_owned(), |c| format!("{}::text", c.quoted()))
    }

    /// What identifies a row: its primary key, or its place in a table without one.
    pub(super) fn key(&self) -> Vec<String> {
        if self.table.key.is_empty() {
            vec!["ctid".to_owned()]
        } else {
            self.table.key.iter().map(Ident::quoted).collect()
        }
    }

    /// Who stays, as terms to order by, each an expression and its direction. The key comes behind them and decides.
    pub(super) fn precedence(&self) -> Vec<(String, &'static str)> {
        let precedence = self.guard.precedence.iter().map(|sql| (format!("(({sql}) IS TRUE)"), "DESC"));
        let times = self.guard.confirmed_at.iter().chain(&self.guard.created_at);
        let times = times.map(|column| (column.quoted(), "ASC NULLS LAST"));
        precedence.chain(times).collect()
    }

    /// Names the first column of the rule or the guard that is not there.
    pub(super) fn expect_columns(&self, rule: &Rule) -> Result<(), OpsError> {
        let guard = self.guard;
        let own = guard.tenant.iter().chain(&guard.confirmed_at).chain(&guard.created_at);
        for column in rule.columns().into_iter().chain(own) {
            let _ = self.table.expect_column(column)?;
        }
        Ok(())
    }
}

/// `ARRAY[a::text, b::text]`
pub(super) fn as_texts(columns: &[String]) -> String {
    let texts: Vec<String> = columns.iter().map(|column| format!("{column}::text")).collect();
    format!("ARRAY[{}]", texts.join(", "))
}

/// The condition that no column is NULL.
pub(super) fn all_given(columns: &[Ident]) -> String {
    let given: Vec<String> =
        columns.iter().map(|column| format!("{} IS NOT NULL", column.quoted())).collect();
    given.join(" AND ")
}
