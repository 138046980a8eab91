//! A guard's rules in the host's map of constraints.

use std::borrow::Cow;

use crate::constraint_map::ConstraintMapBuilder;
use crate::rollout::Guard;
use crate::violation::Violation;

impl<E> ConstraintMapBuilder<E> {
    /// A rule of a guard, by its name: the constraint or index that keeps it, for all, [for one
    /// tenant](crate::rollout::Guard::enforce) or while it is being replaced.
    pub fn guard(
        self,
        guard: &Guard,
        rule: impl Into<Cow<'static, str>>,
        make: impl Fn(&Violation) -> E + Send + Sync + 'static,
    ) -> Self {
        let (table, rule): (_, Cow<'static, str>) = (guard.table().name.to_string().into(), rule.into());
        let known = guard.rules().iter().any(|known| known.name().as_str() == rule);
        self.guarded(table, if known { rule } else { "".into() }, make)
    }
}
