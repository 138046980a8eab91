//! Who connects, and what for.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// What a role does with our tables: which of the library's statements it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Duty {
    /// Every call but those of the other duties.
    Service,
    /// [`Slotkeeper::outbox`](crate::Slotkeeper::outbox): reads events and deletes those it delivered.
    Relay,
    /// [`Slotkeeper::retention`](crate::Slotkeeper::retention), and [`prune`](crate::offer::OfferRepository::prune) of
    /// offers: archives and forgets what is over.
    Retention,
}

impl Duty {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Service, Self::Relay, Self::Retention];

    /// The duty a statement belongs to, by its name: `hold.place`.
    pub(super) fn of(statement: &str) -> Self {
        match statement.split_once('.') {
            Some(("retention", _)) | Some(("offer", "prune")) => Self::Retention,
            Some(("outbox", _)) => Self::Relay,
            _ => Self::Service,
        }
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Relay => "relay",
            Self::Retention => "retention",
        })
    }
}

/// A role of the server and its duties. A name alone is the service's role: `"web".into()`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Role {
    pub(crate) name: String,
    pub(crate) duties: BTreeSet<Duty>,
}

impl Role {
    /// The service's role, by its name exactly as the catalog has it: it is quoted wherever it is used.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), duties: BTreeSet::from([Duty::Service]) }
    }

    /// These duties and no others: a relay or a nightly retention with a role of its own needs none of the service's
    /// rights.
    pub fn duties(self, duties: impl IntoIterator<Item = Duty>) -> Self {
        Self { duties: duties.into_iter().collect(), ..self }
    }
}

impl<T: Into<String>> From<T> for Role {
    fn from(name: T) -> Self {
        Self::new(name)
    }
}
