//! `Buffers`: time kept free around a window.

use crate::value::{InvalidInput, Window};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

/// The longest buffer: a week.
const MAX_SECONDS: i64 = 7 * 86_400;

/// Time kept free around a window: for cleaning, for travel. Buffers of neighbours add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Buffers {
    before_seconds: i32,
    after_seconds: i32,
}

impl Buffers {
    /// Buffers of whole seconds, each 0 to 7 days.
    ///
    /// # Errors
    /// [`InvalidInput::Buffer`].
    pub fn new(before: TimeDelta, after: TimeDelta) -> Result<Self, InvalidInput> {
        Ok(Self { before_seconds: whole_seconds(before)?, after_seconds: whole_seconds(after)? })
    }

    /// Before the window.
    #[must_use]
    pub fn before(&self) -> TimeDelta {
        TimeDelta::seconds(self.before_seconds.into())
    }

    /// After the window.
    #[must_use]
    pub fn after(&self) -> TimeDelta {
        TimeDelta::seconds(self.after_seconds.into())
    }

    pub(crate) const fn seconds(&self) -> (i32, i32) {
        (self.before_seconds, self.after_seconds)
    }

    /// Back from the database, whose checks keep the same rule.
    pub(crate) const fn stored(before_seconds: i32, after_seconds: i32) -> Self {
        Self { before_seconds, after_seconds }
    }

    pub(super) fn around(&self, window: Window) -> Result<Window, InvalidInput> {
        Window::new(window.start() - self.before(), window.end() + self.after())
    }
}

fn whole_seconds(length: TimeDelta) -> Result<i32, InvalidInput> {
    let seconds = length.num_seconds();
    if TimeDelta::seconds(seconds) == length && (0..=MAX_SECONDS).contains(&seconds) {
        i32::try_from(seconds).map_err(|_| InvalidInput::Buffer)
    } else {
        Err(InvalidInput::Buffer)
    }
}
