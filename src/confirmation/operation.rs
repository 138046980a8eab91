//! Which call was decided.

use serde::{Deserialize, Serialize};

/// A call whose decision is recorded under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// A hold becomes a booking.
    Confirm,
    /// A place is claimed and confirmed at once.
    Book,
    /// A booking gives up its place.
    Cancel,
    /// A booking exchanges its place.
    Move,
    /// A person is cleared.
    Erase,
    /// Written by a newer version of the library, which this one cannot tell: it reads as this and is never written.
    #[serde(other)]
    Unknown,
}

impl Operation {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Book => "book",
            Self::Cancel => "cancel",
            Self::Move => "move",
            Self::Erase => "erase",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        let known = [Self::Confirm, Self::Book, Self::Cancel, Self::Move, Self::Erase];
        known.into_iter().find(|operation| operation.as_str() == text).unwrap_or(Self::Unknown)
    }
}
