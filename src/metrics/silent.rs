//! Nobody listens.

use crate::{error::Error, sql::Sql, violation::Violation};
use tokio_postgres::Row;

/// Of no size, and doing nothing.
pub(crate) struct Watch;

impl Watch {
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
    fn without_the_feature_a_watch_is_nothing() {
        assert_eq!((size_of::<Watch>(), std::mem::needs_drop::<Watch>()), (0, false));
    }
}
