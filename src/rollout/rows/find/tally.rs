//! Counts of what a search finds, with the offenders or a few samples.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::ops::FindingKind;
use crate::rollout::rows::TenantFinding;
use crate::rollout::rows::find::{Finding, Offender, Sample};
use crate::rollout::rule::Rule;

/// Counts everything; keeps either the offenders or a few samples.
#[derive(Debug)]
pub(super) struct Tally {
    tenants: BTreeMap<Option<String>, (u64, u64)>,
    samples: Vec<Sample>,
    most_samples: usize,
    offenders: Option<Vec<Offender>>,
}

impl Tally {
    pub(super) fn of_offenders() -> Self {
        Self { tenants: BTreeMap::new(), samples: Vec::new(), most_samples: 0, offenders: Some(Vec::new()) }
    }

    pub(super) fn of_samples(most_samples: usize) -> Self {
        Self { tenants: BTreeMap::new(), samples: Vec::new(), most_samples, offenders: None }
    }

    /// Counts pairs or rows.
    pub(super) fn add(&mut self, tenant: Option<&str>, count: u64) {
        self.tenant(tenant).0 += count;
    }

    pub(super) fn wants_sample(&self) -> bool {
        self.samples.len() < self.most_samples
    }

    pub(super) fn sample(&mut self, sample: Sample) {
        if self.wants_sample() {
            self.samples.push(sample);
        }
    }

    pub(super) fn offender(&mut self, offender: Offender) {
        self.tenant(offender.tenant.as_deref()).1 += 1;
        if let Some(offenders) = &mut self.offenders {
            offenders.push(offender);
        }
    }

    pub(super) fn into_offenders(self) -> Vec<Offender> {
        self.offenders.unwrap_or_default()
    }

    pub(super) fn into_finding(self, rule: &Rule, kind: FindingKind, by_tenant: bool) -> Option<Finding> {
        let sum = |part: fn(&(u64, u64)) -> u64| self.tenants.values().map(part).sum();
        let (count, leaving) = (sum(|both| both.0), sum(|both| both.1));
        let part = |(tenant, (count, leaving))| TenantFinding { tenant, count, leaving };
        let mut tenants: Vec<_> = self.tenants.into_iter().map(part).collect();
        tenants.retain(|_| by_tenant);
        tenants.sort_by_key(|tenant| Reverse(tenant.count));
        let rule = rule.name().to_string();
        (count > 0).then_some(Finding { rule, kind, count, leaving, tenants, samples: self.samples })
    }

    fn tenant(&mut self, tenant: Option<&str>) -> &mut (u64, u64) {
        self.tenants.entry(tenant.map(str::to_owned)).or_default()
    }
}
