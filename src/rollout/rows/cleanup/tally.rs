//! Rows counted by rule and tenant.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ops::artifact::{Reader, Record};
use crate::ops::rows::SAMPLES;
use crate::ops::{FindingKind, RowKey};
use crate::rollout::guard::Guard;
use crate::rollout::rows::cleanup::find::Found;

/// The rows that break one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CleanedRule {
    /// The rule, by the name of the constraint or index that would keep it.
    pub rule: String,
    /// In which way they break it.
    pub reason: FindingKind,
    /// How many rows.
    pub rows: u64,
    /// The same by tenant; empty if the guard names no tenant.
    pub tenants: Vec<TenantRows>,
    /// Some of them.
    pub samples: Vec<RowKey>,
}

/// A tenant's part of a [`CleanedRule`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TenantRows {
    /// The tenant, as text; none where the column is NULL.
    pub tenant: Option<String>,
    /// How many rows.
    pub rows: u64,
}

/// Counts rows as they come, without keeping them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    rules: BTreeMap<(String, FindingKind), Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    samples: Vec<RowKey>,
    tenants: BTreeMap<Option<String>, u64>,
}

impl Tally {
    fn add(&mut self, rule: &str, reason: FindingKind, tenant: Option<&str>, key: &RowKey) {
        let counts = self.rules.entry((rule.to_owned(), reason)).or_default();
        if counts.samples.len() < SAMPLES {
            counts.samples.push(key.clone());
        }
        *counts.tenants.entry(tenant.map(str::to_owned)).or_default() += 1;
    }

    /// The rows of a batch.
    pub(super) fn records(&mut self, guard: &Guard, reader: &Reader, records: &[Record]) {
        for record in records {
            let section = &reader.header().tables[record.table];
            let tenant = guard.tenant.as_ref().and_then(|tenant| section.position(tenant.as_str()));
            let tenant = tenant.and_then(|at| record.row[at].as_deref());
            if let Some(cause) = &record.cause {
                self.add(&cause.rule, cause.reason, tenant, &record.key);
            }
        }
    }

    pub(super) fn found(found: &Found) -> Self {
        let mut tally = Self::default();
        for (cause, offenders) in &found.leaving {
            for offender in offenders {
                tally.add(&cause.rule, cause.reason, offender.tenant.as_deref(), &offender.key);
            }
        }
        tally
    }

    /// Rules in the order of the guard.
    pub(super) fn into_rules(self, guard: &Guard) -> Vec<CleanedRule> {
        let rule = |((rule, reason), Counts { samples, tenants }): ((String, _), _)| {
            let rows = tenants.values().sum();
            let tenants = tenants.into_iter().map(|(tenant, rows)| TenantRows { tenant, rows });
            let tenants = if guard.tenant.is_some() { tenants.collect() } else { Vec::new() };
            CleanedRule { rule, reason, rows, tenants, samples }
        };
        let mut rules: Vec<CleanedRule> = self.rules.into_iter().map(rule).collect();
        let place = |rule: &CleanedRule| guard.rules.iter().position(|one| one.name().as_str() == rule.rule);
        rules.sort_by_key(place);
        rules
    }
}
