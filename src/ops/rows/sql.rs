//! The parts of statements on rows as text.

use crate::ops::rows::RowTable;
use crate::ops::rows::table::Key;
use crate::ops::{Ident, RowKey};

impl RowTable {
    /// The array of each column's text. `IS DISTINCT FROM NULL`, because `IS NULL` is true of a composite value whose fields
    /// are all NULL.
    pub(super) fn texts(&self) -> String {
        let text = |(at, column): (usize, &Ident)| {
            if Some(at) == self.shadow_at && !self.has_shadow {
                return "NULL".to_owned();
            }
            let column = column.quoted();
            format!("CASE WHEN t.{column} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', t.{column}) END")
        };
        let texts: Vec<String> = self.columns.iter().enumerate().map(text).collect();
        format!("ARRAY[{}]::pg_catalog.text[]", texts.join(", "))
    }

    /// Whether row `of` is marked, as SQL; a column that is not there yet is false.
    pub(crate) fn mark_of(&self, of: &str) -> String {
        match &self.shadow {
            Some(shadow) if self.has_shadow => format!("({of}.{} IS TRUE)", shadow.quoted()),
            _ => "false".to_owned(),
        }
    }

    pub(crate) fn key_idents(&self) -> Vec<Ident> {
        self.key.iter().map(|key| self.columns[key.at].clone()).collect()
    }

    pub(super) fn key_columns(&self, of: &str) -> Vec<String> {
        self.key.iter().map(|key| format!("{of}.{}", self.columns[key.at].quoted())).collect()
    }

    /// The keys asked for, as a table `k` of texts and their number.
    pub(crate) fn keys(&self) -> String {
        let names: Vec<String> = (1..=self.key.len()).map(|at| format!("k{at}, ")).collect();
        format!("{} WITH ORDINALITY AS k ({}at)", unnest(self.key.len()), names.concat())
    }

    /// The condition that `t` is the row of `k`.
    pub(crate) fn on_key(&self) -> String {
        let equal = |(at, key): (usize, &Key)| {
            let (column, ty) = (self.columns[key.at].quoted(), &self.section.columns[key.at].ty);
            format!("t.{column} {} k.k{}::{ty}", key.equals, at + 1)
        };
        self.key.iter().enumerate().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    /// The parameters of [`keys`](Self::keys).
    pub(crate) fn arrays<'k>(&self, keys: &[&'k RowKey]) -> Vec<Vec<Option<&'k str>>> {
        let column = |at: usize| keys.iter().map(|key| key.0.get(at).map(String::as_str)).collect();
        (0..self.key.len()).map(column).collect()
    }
}

/// As many arrays as there are columns, side by side.
pub(super) fn unnest(columns: usize) -> String {
    let array = |at| format!("pg_catalog.unnest(${at}::pg_catalog.text[])");
    format!("ROWS FROM ({})", (1..=columns).map(array).collect::<Vec<_>>().join(", "))
}
