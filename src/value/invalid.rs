//! What a value's constructor refuses, before any I/O.

/// Why a value was refused. Nothing was sent to the database.
///
/// Messages name the rule and its limit, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidInput {
    /// The start is not before the end: reversed or empty.
    #[error("a window must start before it ends")]
    WindowReversed,
    /// A bound has a fraction of a microsecond, which PostgreSQL cannot store.
    #[error("window bounds must be whole microseconds")]
    WindowPrecision,
    /// A bound lies outside 1970-01-01 to 2200-01-01 UTC.
    #[error("a window must lie between 1970 and 2200")]
    WindowOutOfRange,
    /// Longer than 400 days, buffers included.
    #[error("a window must not be longer than 400 days")]
    WindowTooLong,
    /// A claim without a resource.
    #[error("a claim needs at least one resource")]
    NoResources,
    /// More (resource, window) pairs than one claim may carry.
    #[error("a claim may have at most {limit} resources")]
    TooManyResources {
        /// [`Claim::MAX_PAIRS`](crate::Claim::MAX_PAIRS).
        limit: usize,
    },
    /// The claim asks for one resource twice at overlapping times, buffers included.
    #[error("a claim must not overlap itself")]
    ClaimOverlapsItself,
    /// A buffer is negative, has a fraction of a second, or is longer than 7 days.
    #[error("a buffer must be whole seconds between 0 and 7 days")]
    Buffer,
    /// A hold's TTL is under 1 second or over 30 days.
    #[error("a hold's ttl must be between 1 second and 30 days")]
    Ttl,
    /// A policy's total life is under 1 second or over 400 days.
    #[error("a hold's total life must be between 1 second and 400 days")]
    HoldLife,
    /// An instant outside 1970 to 2200 or with a fraction of a microsecond.
    #[error("an instant must be whole microseconds between 1970 and 2200")]
    Instant,
    /// Text that must not be empty is.
    #[error("{field} must not be empty")]
    Empty {
        /// Which field.
        field: &'static str,
    },
    /// Text or JSON beyond its limit.
    #[error("{field} must not be longer than {limit} bytes")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// The limit in bytes of UTF-8.
        limit: usize,
    },
    /// Text with a NUL or another control character.
    #[error("{field} must not contain control characters")]
    ControlCharacter {
        /// Which field.
        field: &'static str,
    },
    /// JSON that is not an object, is nested deeper than 32 levels, or holds a NUL or a number PostgreSQL would change.
    #[error("{field} must be a json object of at most 32 levels, without nul characters or extreme numbers")]
    Json {
        /// Which field.
        field: &'static str,
    },
    /// A currency that is not three upper-case letters.
    #[error("a currency must be three upper-case letters")]
    Currency,
    /// A time zone name outside the alphabet of IANA names.
    #[error("a time zone must be an iana name")]
    TimeZone,
    /// A failure code that is empty, too long, or has a character outside its alphabet.
    #[error("a failure code must be 1 to 40 of a to z, 0 to 9 and underscores")]
    FailureCode,
    /// A capacity under the smallest party, or a party under 1.
    #[error("capacity must be at least the smallest party, which must be at least 1")]
    Capacity,
    /// A number outside its range.
    #[error("{field} must be between {min} and {max}")]
    OutOfRange {
        /// Which field.
        field: &'static str,
        /// The smallest value accepted.
        min: i64,
        /// The largest value accepted.
        max: i64,
    },
}
