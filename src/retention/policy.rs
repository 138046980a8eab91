//! How long what is kept.

use crate::value::InvalidInput;
use chrono::TimeDelta;

/// For how long something has been over: 1 day to 36,500 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Age(u32);

impl Age {
    /// Checks and wraps a number of days.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`].
    pub const fn days(days: u32) -> Result<Self, InvalidInput> {
        if days >= 1 && days <= 36_500 {
            Ok(Self(days))
        } else {
            Err(InvalidInput::OutOfRange { field: "age in days", min: 1, max: 36_500 })
        }
    }

    /// The length.
    #[must_use]
    pub fn length(&self) -> TimeDelta {
        TimeDelta::days(self.0.into())
    }
}

/// How long each kind of row is kept after it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    pub(super) holds: Age,
    pub(super) allocations: Age,
    pub(super) bookings: Option<Age>,
    pub(super) confirmations: Age,
    pub(super) offers: Age,
    pub(super) batch: i64,
}

impl RetentionPolicy {
    /// Holds and confirmations for 30 days, allocations and offers for 90, bookings for ever; batches of 500.
    #[must_use]
    pub const fn new() -> Self {
        let (month, quarter) = (Age(30), Age(90));
        Self {
            holds: month,
            allocations: quarter,
            bookings: None,
            confirmations: month,
            offers: quarter,
            batch: 500,
        }
    }

    /// How long holds are kept after they expired.
    #[must_use]
    pub const fn holds(mut self, age: Age) -> Self {
        self.holds = age;
        self
    }

    /// How long allocations stay out of the archive after they ended or were released.
    #[must_use]
    pub const fn allocations(mut self, age: Age) -> Self {
        self.allocations = age;
        self
    }

    /// How long bookings are kept after they ended; `None`: for ever.
    #[must_use]
    pub const fn bookings(mut self, age: Option<Age>) -> Self {
        self.bookings = age;
        self
    }

    /// How long decisions and their keys are kept: within that time a repeat is answered from the record.
    #[must_use]
    pub const fn confirmations(mut self, age: Age) -> Self {
        self.confirmations = age;
        self
    }

    /// How long offered slots are kept after they began.
    #[must_use]
    pub const fn offers(mut self, age: Age) -> Self {
        self.offers = age;
        self
    }

    /// The most rows of one statement, 1 to 1,000.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`].
    pub fn batch(mut self, rows: u32) -> Result<Self, InvalidInput> {
        self.batch = batch(rows)?;
        Ok(self)
    }
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// The size of a batch.
pub(super) fn batch(rows: u32) -> Result<i64, InvalidInput> {
    if (1..=1_000).contains(&rows) {
        Ok(rows.into())
    } else {
        Err(InvalidInput::OutOfRange { field: "limit", min: 1, max: 1_000 })
    }
}
