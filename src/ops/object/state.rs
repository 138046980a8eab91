//! How an object stands, compared with what should be there.

use std::fmt;

use serde::Serialize;

/// How the object that keeps a rule stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// It is there, as it should be.
    Sound,
    /// Nothing of that name is there.
    Missing,
    /// The constraint is not there; an index of its name is, which would fit.
    IndexOnly,
    /// The index is there and invalid: it was left behind by a build that failed, or is being built.
    InvalidIndex,
    /// It is there with another definition.
    Changed {
        /// As it should be.
        expected: String,
        /// As it is.
        found: String,
    },
    /// It may be deferred to the end of a transaction, where its errors surprise and `ON CONFLICT` fails.
    Deferrable,
    /// Its triggers are switched off: it keeps nothing.
    Disabled,
    /// New rows obey it, old rows were never checked.
    NotValid,
    /// The rule itself is no SQL for this table any more.
    Unevaluable {
        /// The server's code.
        sqlstate: String,
    },
    /// A run that was killed while it replaced the object left it behind; the next one drops it.
    Leftover,
    /// Something else has the name.
    NameTaken {
        /// What: `index`, `check`, `another relation` …
        by: String,
    },
}

impl State {
    /// Whether nothing needs to be done.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        *self == Self::Sound
    }
}

/// What follows the object's name: `is missing`.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sound => f.write_str("is sound"),
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
