//! No-op twin of `recorder`, compiled when feature `metrics` is off.

use crate::{error::Error, sql::Sql, violation::Violation};
use tokio_postgres::Row;

/// Zero-sized; every method is empty.
pub(crate) struct WriteMetrics;

impl WriteMetrics {
    pub(crate) const fn start(_: Sql) -> Self {
        Self
    }

    pub(crate) const fn pass(&self) {}

    pub(crate) const fn lost_race(&self) {}

    pub(crate) const fn violation(_: &Violation) {}

    pub(crate) const fn end(self, _: &Result<Row, Error>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_feature_it_is_nothing() {
        assert_eq!((size_of::<WriteMetrics>(), std::mem::needs_drop::<WriteMetrics>()), (0, false));
    }
}
