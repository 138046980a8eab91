//! What every error says.

use chrono::DateTime;
use slotkeeper::{Cause, Error, InvalidInput, ResourceId, violation::Violation};

use super::{scripted::said, silence::texts};

/// In a text for people: no SQL, and no name that only the database knows.
const NEVER: &[&str] = &[
    "sql",
    "select",
    "insert",
    "update",
    "delete",
    "query",
    "row",
    "table",
    "column",
    "allocations",
    "confirmations",
    "outbox",
    "bookings",
    "migrations",
    "none",
    "some",
];

/// What is wrong with a text.
fn fault(text: &str) -> Option<&'static str> {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    if !text.starts_with(|c: char| c.is_lowercase()) {
        Some("starts with a capital")
    } else if text.ends_with(['.', '!', ' ', '\n']) || text.contains(". ") {
        Some("is a paragraph")
    } else if text != text.to_lowercase() {
        Some("shouts")
    } else if words.any(|word| NEVER.contains(&word) || word.contains('_')) {
        Some("speaks of the database")
    } else {
        None
    }
}

/// Each `#[error(…)]` in a source is one text.
fn declared(source: &str) -> usize {
    source.matches("#[error(").count()
}

fn check(all: &[(&dyn std::error::Error, &str)]) {
    for (error, text) in all {
        assert_eq!(error.to_string(), *text);
        assert_eq!(fault(text), None, "{text}");
    }
}

#[tokio::test]
async fn error_texts() {
    let busy = Cause::default();
    let violation = Violation::from_error(&said("23514", "canary", &[]).await).unwrap();
    let all: &[(Error, &str)] = &[
        (Error::InvalidInput(InvalidInput::Ttl), "a hold's ttl must be between 1 second and 30 days"),
        (Error::Conflict { blockers: vec![] }, "the window is not free"),
        (
            Error::ResourceNotFound { resources: vec![ResourceId::generate()] },
            "a resource does not exist or is not active",
        ),
        (Error::NotFound { what: "hold" }, "the hold does not exist"),
        (Error::HoldExpired, "the hold has expired"),
        (Error::HoldReleased, "the hold was released"),
        (Error::HoldConsumed, "the hold is already a booking"),
        (Error::HoldTooLong { latest: DateTime::UNIX_EPOCH }, "the hold cannot be extended that far"),
        (Error::TooManyHolds { limit: 3 }, "the actor has too many active holds"),
        (Error::KeyReused { field: "window" }, "the key was already used with another window"),
        (Error::ReferenceTaken, "the reference is already in use"),
        (Error::StaleRevision { found: 2 }, "the revision is not current"),
        (
            Error::UnknownState { what: "hold" },
            "the hold is in a state that only a newer version of slotkeeper knows",
        ),
        (Error::Busy(busy), "the database is busy"),
        (Error::TransactionAborted, "the transaction had already failed"),
        (Error::Unavailable(busy), "the database cannot be reached"),
        (Error::OutcomeUnknown(busy), "the outcome is unknown; repeat the call"),
        (Error::ReadOnly, "the database accepts no writes"),
        (Error::Misconfigured(busy), "the database is not set up for slotkeeper"),
        (Error::UnknownConstraint(violation.clone()), "a constraint unknown to slotkeeper refused the write"),
        (Error::Internal(busy), "internal error"),
    ];
    let rows: Vec<_> = all.iter().map(|(error, text)| (error as &dyn std::error::Error, *text)).collect();
    check(&rows);
    assert_eq!(rows.len(), declared(include_str!("../../../src/error.rs")), "a new variant needs a line");
    check(&[(&violation, "check constraint violated"), (&busy, "no answer from the server")]);
    let mut codes: Vec<_> = all.iter().map(|(error, _)| error.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len(), "each variant has a code of its own");
}

#[test]
fn invalid_input_texts() {
    use InvalidInput as I;
    let all: &[(I, &str)] = &[
        (I::WindowReversed, "a window must start before it ends"),
        (I::WindowPrecision, "window bounds must be whole microseconds"),
        (I::WindowOutOfRange, "a window must lie between 1970 and 2200"),
        (I::WindowTooLong, "a window must not be longer than 400 days"),
        (I::NoResources, "a claim needs at least one resource"),
        (I::TooManyResources { limit: 64 }, "a claim may have at most 64 resources"),
        (I::ClaimOverlapsItself, "a claim must not overlap itself"),
        (I::Buffer, "a buffer must be whole seconds between 0 and 7 days"),
        (I::Ttl, "a hold's ttl must be between 1 second and 30 days"),
        (I::HoldLife, "a hold's total life must be between 1 second and 400 days"),
        (I::Instant, "an instant must be whole microseconds between 1970 and 2200"),
        (I::Empty { field: "reference" }, "reference must not be empty"),
        (I::TooLong { field: "reference", limit: 120 }, "reference must not be longer than 120 bytes"),
        (I::ControlCharacter { field: "actor" }, "actor must not contain control characters"),
        (
            I::Json { field: "metadata" },
            "metadata must be a json object of at most 32 levels, without nul characters or extreme numbers",
        ),
        (I::Currency, "a currency must be three upper-case letters"),
        (I::TimeZone, "a time zone must be an iana name"),
        (I::FailureCode, "a failure code must be 1 to 40 of a to z, 0 to 9 and underscores"),
        (I::Capacity, "capacity must be at least the smallest party, which must be at least 1"),
        (I::OutOfRange { field: "limit", min: 1, max: 1000 }, "limit must be between 1 and 1000"),
    ];
    let rows: Vec<_> = all.iter().map(|(error, text)| (error as &dyn std::error::Error, *text)).collect();
    check(&rows);
    assert_eq!(
        rows.len(),
        declared(include_str!("../../../src/value/invalid.rs")),
        "a new variant needs a line"
    );
    // What is wrapped adds nothing to the chain: one text, not the same one twice.
    assert_eq!(texts(&Error::from(I::Ttl)).len(), texts(&I::Ttl).len());
}

/// Negative controls.
#[test]
fn a_text_that_breaks_the_style_is_found() {
    for text in [
        "The window is not free",
        "the window is not free.",
        "no INSERT",
        "could not insert it",
        "violates holds_pkey",
        "the outbox is full",
        "not free. try again",
        "",
    ] {
        assert!(fault(text).is_some(), "{text}");
    }
}
