//! How an object stands, compared with what should be there.

use std::fmt;

use serde::Serialize;

/// How the object that keeps a rule stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// As it should be.
    Valid,
    /// Nothing has that name.
    Missing,
    /// The constraint is missing; an index with its name and columns exists.
    IndexOnly,
    /// The index is invalid: a build failed and left it, or is still running.
    InvalidIndex,
    /// The definition is another one.
    Changed {
        /// As it should be.
        expected: String,
        /// As it is.
        found: String,
    },
    /// The constraint may be deferred to the end of a transaction: its errors come late, and `ON CONFLICT` fails on it.
    Deferrable,
    /// The constraint's triggers are switched off: it is not enforced.
    Disabled,
    /// New rows obey the constraint, old rows were never checked.
    NotValid,
    /// The rule's expression is not valid SQL for this table any more.
    Unevaluable {
        /// The server's code.
        sqlstate: String,
    },
    /// A run that was killed while it replaced an object left this one behind; the next run drops it.
    Leftover,
    /// Another object has the name.
    NameTaken {
        /// What: `index`, `check`, `another relation` …
        by: String,
    },
}

impl State {
    /// Whether nothing needs to be done.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        *self == Self::Valid
    }
}

/// What follows the object's name: `is missing`.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Valid => f.write_str("is as it should be"),
            Self::Missing => f.write_str("is missing"),
            Self::IndexOnly => f.write_str("is an index only, not a constraint"),
            Self::InvalidIndex => f.write_str("has an invalid index"),
            Self::Changed { expected, found } => write!(f, "is `{found}`, not `{expected}`"),
            Self::Deferrable => f.write_str("is deferrable"),
            Self::Disabled => f.write_str("is disabled"),
            Self::NotValid => f.write_str("is not validated"),
            Self::Unevaluable { sqlstate } => write!(f, "cannot be evaluated (SQLSTATE {sqlstate})"),
            Self::Leftover => f.write_str("was left behind by a run that did not end"),
            Self::NameTaken { by } => write!(f, "is missing, and its name is taken by another object ({by})"),
        }
    }
}
