//! What a map has no error for.

use std::fmt;

use tokio_postgres::Error;

use crate::violation::Violation;

/// A [`ConstraintMap`](super::ConstraintMap) has no error of the host for this.
///
/// `Display` and `Debug` show no names and no data. The driver error in [`NotAViolation`](Self::NotAViolation) does
/// when it is printed with its causes, so it is not this error's `source`: take it out and decide.
#[derive(thiserror::Error)]
pub enum Unmapped {
    /// A constraint nobody made a rule for.
    #[error(
        "a constraint without a rule was violated: read `constraint()` and `table()` of the violation and declare \
         it in the constraint map with `exact` (a required column with `not_null`)"
    )]
    Unknown(#[source] Violation),
    /// Not the violation of a constraint; the driver error as it came.
    #[error("the database error is not the violation of a constraint")]
    NotAViolation(Error),
}

impl fmt::Debug for Unmapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(violation) => f.debug_tuple("Unknown").field(violation).finish(),
            Self::NotAViolation(error) => {
                let sqlstate = error.code().map(|code| code.code());
                f.debug_struct("NotAViolation").field("sqlstate", &sqlstate).finish_non_exhaustive()
            }
        }
    }
}
