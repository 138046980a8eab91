//! `Window`: a half-open period `[start, end)` of real time.

use super::InvalidInput;
use bytes::BytesMut;
use chrono::{DateTime, TimeDelta, Utc};
use postgres_protocol::types::{self, Range, RangeBound};
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use serde::{Deserialize, Serialize};
use std::{error::Error as StdError, fmt};

/// 1970-01-01T00:00:00Z: no booking is older than the clock it is written with.
const EARLIEST: DateTime<Utc> = DateTime::from_timestamp_nanos(0);
/// 2200-01-01T00:00:00Z in nanoseconds: within every type this crosses, and far beyond any booking.
const LATEST: DateTime<Utc> = DateTime::from_timestamp_nanos(7_258_118_400_000_000_000);
/// A year of 366 days and a month of slack.
const LONGEST: TimeDelta = TimeDelta::days(400);

/// A half-open period `[start, end)` in UTC: `start` is in it, `end` is not, so back-to-back windows do not overlap.
///
/// Both bounds are finite whole microseconds between 1970 and 2200, `start < end`, and the length is at most 400 days:
/// exactly what the tables' checks accept. A fraction of a microsecond is refused rather than rounded, because a
/// window that rounds to nothing would be `empty`, and `empty` overlaps nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Window {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Window {
    /// The window `[start, end)`.
    ///
    /// # Errors
    /// [`InvalidInput::WindowReversed`], [`InvalidInput::WindowPrecision`], [`InvalidInput::WindowOutOfRange`] or
    /// [`InvalidInput::WindowTooLong`].
    pub fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Result<Self, InvalidInput> {
        let whole = |at: DateTime<Utc>| at.timestamp_subsec_nanos() % 1_000 == 0;
        // A leap second is a sub-second of a billion nanoseconds or more; PostgreSQL has no such instant.
        let leap = |at: DateTime<Utc>| at.timestamp_subsec_nanos() >= 1_000_000_000;
        if start >= end {
            Err(InvalidInput::WindowReversed)
        } else if !whole(start) || !whole(end) || leap(start) || leap(end) {
            Err(InvalidInput::WindowPrecision)
        } else if start < EARLIEST || end > LATEST {
            Err(InvalidInput::WindowOutOfRange)
        } else if end - start > LONGEST {
            Err(InvalidInput::WindowTooLong)
        } else {
            Ok(Self { start, end })
        }
    }

    /// The window that starts at `start` and lasts `length`.
    ///
    /// # Errors
    /// As [`Window::new`].
    pub fn starting_at(start: DateTime<Utc>, length: TimeDelta) -> Result<Self, InvalidInput> {
        let end = start.checked_add_signed(length).ok_or(InvalidInput::WindowOutOfRange)?;
        Self::new(start, end)
    }

    /// The first instant inside.
    #[must_use]
    pub const fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The first instant after.
    #[must_use]
    pub const fn end(&self) -> DateTime<Utc> {
        self.end
    }

    /// How long it lasts.
    #[must_use]
    pub fn length(&self) -> TimeDelta {
        self.end - self.start
    }

    /// Whether the two share an instant. Touching windows do not.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The instants both share.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        self.overlaps(other)
            .then(|| Self { start: self.start.max(other.start), end: self.end.min(other.end) })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, {})", self.start.format("%FT%T%.fZ"), self.end.format("%FT%T%.fZ"))
    }
}

/// Whether PostgreSQL stores this instant unchanged and our tables accept it.
pub(crate) fn storable(at: DateTime<Utc>) -> bool {
    let nanos = at.timestamp_subsec_nanos();
    at >= EARLIEST && at <= LATEST && nanos % 1_000 == 0 && nanos < 1_000_000_000
}

/// The JSON form: two instants in RFC 3339.
#[derive(Serialize, Deserialize)]
struct Bounds {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl TryFrom<Bounds> for Window {
    type Error = InvalidInput;

    fn try_from(bounds: Bounds) -> Result<Self, InvalidInput> {
        Self::new(bounds.start, bounds.end)
    }
}

impl From<Window> for Bounds {
    fn from(window: Window) -> Self {
        Self { start: window.start, end: window.end }
    }
}

impl ToSql for Window {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        types::range_to_sql(
            |buf| {
                self.start.to_sql(&Type::TIMESTAMPTZ, buf).map(|_| RangeBound::Inclusive(protocol_not_null()))
            },
            |buf| {
                self.end.to_sql(&Type::TIMESTAMPTZ, buf).map(|_| RangeBound::Exclusive(protocol_not_null()))
            },
            out,
        )?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TSTZ_RANGE
    }

    to_sql_checked!();
}

/// The wire crate has a null marker of its own.
const fn protocol_not_null() -> postgres_protocol::IsNull {
    postgres_protocol::IsNull::No
}

impl<'a> FromSql<'a> for Window {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        let Range::Nonempty(RangeBound::Inclusive(Some(start)), RangeBound::Exclusive(Some(end))) =
            types::range_from_sql(raw)?
        else {
            return Err("range is not a finite half-open window".into());
        };
        let instant = |raw| DateTime::<Utc>::from_sql(&Type::TIMESTAMPTZ, raw);
        Ok(Self::new(instant(start)?, instant(end)?)?)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TSTZ_RANGE
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn at(seconds: i64, nanos: u32) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, nanos).unwrap()
    }

    #[test]
    fn every_rule_refuses_its_own_breach() {
        assert_eq!(Window::new(at(10, 0), at(10, 0)), Err(InvalidInput::WindowReversed));
        assert_eq!(Window::new(at(11, 0), at(10, 0)), Err(InvalidInput::WindowReversed));
        assert_eq!(Window::new(at(10, 0), at(10, 500)), Err(InvalidInput::WindowPrecision));
        assert_eq!(Window::new(at(59, 1_500_000_000), at(70, 0)), Err(InvalidInput::WindowPrecision));
        assert_eq!(Window::new(at(-1, 0), at(10, 0)), Err(InvalidInput::WindowOutOfRange));
        assert_eq!(Window::new(at(0, 0), at(400 * 86_400, 1_000)), Err(InvalidInput::WindowTooLong));
        assert!(Window::new(at(0, 0), at(400 * 86_400, 0)).is_ok());
        assert_eq!(LATEST.to_rfc3339(), "2200-01-01T00:00:00+00:00");
    }

    #[test]
    fn touching_windows_do_not_overlap() {
        let window = |a, b| Window::new(at(a, 0), at(b, 0)).unwrap();
        assert!(!window(0, 10).overlaps(&window(10, 20)));
        assert!(window(0, 11).overlaps(&window(10, 20)));
        assert_eq!(window(0, 15).intersection(&window(10, 20)), Some(window(10, 15)));
    }

    #[test]
    fn json_and_wire_forms_read_back_equal() {
        let window = Window::new(at(1_700_000_000, 1_000), at(1_700_003_600, 0)).unwrap();
        let json = serde_json::to_string(&window).unwrap();
        assert_eq!(serde_json::from_str::<Window>(&json).unwrap(), window);
        assert!(serde_json::from_str::<Window>(&json.replace("start", "x")).is_err());
        let mut wire = BytesMut::new();
        assert!(matches!(window.to_sql(&Type::TSTZ_RANGE, &mut wire), Ok(IsNull::No)));
        assert_eq!(Window::from_sql(&Type::TSTZ_RANGE, &wire).unwrap(), window);
    }
}
