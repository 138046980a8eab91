//! What is kept, and the values a request is made of.

use crate::{
    offer::OfferSource,
    value::{
        InvalidInput, TenantId,
        json::{MAX_DEPTH, storable as storable_json},
        window::storable,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use std::fmt;
use tokio_postgres::Row;

/// What a look into the cache found.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Availability {
    /// Whether there is something, and whether it is still good.
    pub state: CacheState,
    /// What was last computed, fresh or not.
    pub body: Option<Value>,
    /// When that computation began.
    pub as_of: Option<DateTime<Utc>>,
    /// When it was written, by the database's clock.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// When computing last failed, by the database's clock.
    pub failed_at: Option<DateTime<Utc>>,
    /// How often it failed since it last succeeded.
    pub error_count: u32,
    /// The code of the last of these failures.
    pub last_error: Option<String>,
    /// When this was read, by the database's clock: where the next computation begins.
    pub read_at: DateTime<Utc>,
}

/// Whether the cache can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheState {
    /// Begun no longer ago than asked, and not invalidated since.
    Fresh,
    /// Too old or invalidated.
    Stale,
    /// Never computed.
    Missing,
}

impl Availability {
    pub(super) fn from_row(row: &Row) -> Self {
        let state = match row.get("state") {
            "fresh" => CacheState::Fresh,
            "stale" => CacheState::Stale,
            _ => CacheState::Missing,
        };
        Self {
            state,
            body: row.get("body"),
            as_of: row.get("as_of"),
            refreshed_at: row.get("refreshed_at"),
            failed_at: row.get("failed_at"),
            error_count: row.get::<_, i32>("error_count").unsigned_abs(),
            last_error: row.get("last_error"),
            read_at: row.get("read_at"),
        }
    }
}

/// Without the body: it is the host's.
impl fmt::Debug for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Availability")
            .field("state", &self.state)
            .field("as_of", &self.as_of)
            .field("error_count", &self.error_count)
            .field("read_at", &self.read_at)
            .finish_non_exhaustive()
    }
}

/// A JSON object of at most 256 KiB, 32 levels deep, that PostgreSQL stores as it is; see
/// [`JsonObject`](crate::JsonObject).
#[derive(Clone, PartialEq)]
pub struct CacheBody(Value);

impl CacheBody {
    /// The largest body, in bytes of compact JSON: a year of quarter hours fits.
    pub const LIMIT: usize = 256 * 1024;

    /// Checks and wraps a JSON value, which must be an object.
    ///
    /// # Errors
    /// [`InvalidInput::Json`] if it is no object, is too deep, or holds a NUL or an extreme number;
    /// [`InvalidInput::TooLong`] beyond [`CacheBody::LIMIT`].
    pub fn new(value: Value) -> Result<Self, InvalidInput> {
        if !value.is_object() || !storable_json(&value, MAX_DEPTH) {
            return Err(InvalidInput::Json { field: "body" });
        }
        if value.to_string().len() > Self::LIMIT {
            return Err(InvalidInput::TooLong { field: "body", limit: Self::LIMIT });
        }
        Ok(Self(value))
    }

    /// As a plain JSON value.
    #[must_use]
    pub const fn as_value(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for CacheBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheBody({} keys)", self.0.as_object().map_or(0, serde_json::Map::len))
    }
}

/// Why computing failed: a short code of the host's, 1 to 40 of `a`–`z`, `0`–`9` and `_`. Never the text of an error,
/// which may name people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FailureCode(String);

impl FailureCode {
    /// The longest code, in bytes.
    pub const LIMIT: usize = 40;

    /// Checks and wraps a code.
    ///
    /// # Errors
    /// [`InvalidInput::FailureCode`].
    pub fn new(code: impl Into<String>) -> Result<Self, InvalidInput> {
        let code = code.into();
        let alphabet = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let valid = (1..=Self::LIMIT).contains(&code.len()) && code.bytes().all(alphabet);
        if valid { Ok(Self(code)) } else { Err(InvalidInput::FailureCode) }
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How old an answer may be, counted from when its computation began: 1 second to 30 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxAge(TimeDelta);

impl MaxAge {
    /// Checks and wraps a length.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`].
    pub fn new(length: TimeDelta) -> Result<Self, InvalidInput> {
        if length < TimeDelta::seconds(1) || length > TimeDelta::days(30) {
            return Err(InvalidInput::OutOfRange { field: "max age in seconds", min: 1, max: 2_592_000 });
        }
        Ok(Self(length))
    }

    /// The length.
    #[must_use]
    pub const fn length(&self) -> TimeDelta {
        self.0
    }
}

/// A request to keep what was computed.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct RefreshAvailability {
    pub(super) tenant: TenantId,
    pub(super) source: OfferSource,
    pub(super) began: DateTime<Utc>,
    pub(super) body: CacheBody,
}

impl RefreshAvailability {
    /// Keeps `body`, whose computation began at `began`: an instant taken *before* anything was read for it, best the
    /// [`read_at`](Availability::read_at) of the look that found the cache wanting, because that is the database's
    /// clock. An instant in the future counts as now.
    ///
    /// # Errors
    /// [`InvalidInput::Instant`] outside 1970 to 2200 or with a fraction of a microsecond.
    pub fn new(
        tenant: TenantId,
        source: OfferSource,
        began: DateTime<Utc>,
        body: CacheBody,
    ) -> Result<Self, InvalidInput> {
        if storable(began) { Ok(Self { tenant, source, began, body }) } else { Err(InvalidInput::Instant) }
    }
}
