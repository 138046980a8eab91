//! The one table of what an SQLSTATE means, and of what a driver error without one means.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, Severity};

use super::violation::Violation;

/// Why a statement failed, before anyone asks what the operation makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// A constraint said no.
    Violation(Violation),
    /// Another transaction came first; the whole transaction may be repeated.
    Serialization,
    /// Chosen as the victim of a deadlock; the whole transaction may be repeated.
    Deadlock,
    /// A lock was not granted in time. Says nothing about whether the window is free.
    LockTimeout,
    /// `statement_timeout`, or someone cancelled the statement.
    Cancelled,
    /// No connection, memory or disk left, or the server is starting or stopping.
    TooBusy,
    /// An earlier statement of this transaction failed: that error is the cause, never this one.
    AbortedTransaction,
    /// A standby, or a transaction or role that may only read.
    ReadOnly,
    /// A prepared statement no longer fits the table or the connection: prepare anew, once.
    StalePlan,
    /// Role, schema or engine are not what the statements were written for.
    Misconfigured,
    /// A value no column takes; validation should have caught it.
    InvalidData,
    /// The answer is missing. The connection may still be open: a coordinator says so of its worker.
    Connection,
    /// The driver could not encode a parameter: nothing was sent.
    Encoding,
    /// The driver could not read an answer: the statement ran, and what it wrote may stand.
    Decoding,
    /// Any other SQLSTATE.
    Other([u8; 5]),
}

impl Failure {
    /// What a driver error means.
    pub(crate) fn classify(error: &Error) -> Self {
        match error.as_db_error() {
            Some(error) => Self::of_server(error),
            None => Self::of_driver(error),
        }
    }

    /// Whether the write may have happened although there is an error.
    ///
    /// `sent`: whether bytes that commit (an autocommit statement, or COMMIT) had left for the server. A statement
    /// inside an open transaction never commits, so its caller passes `false`.
    pub(crate) fn may_have_written(&self, sent: bool) -> bool {
        // A sharded engine reports a worker lost during COMMIT as an internal error.
        sent && (matches!(self, Self::Connection | Self::Decoding) || *self == Self::Other(*b"XX000"))
    }

    fn of_server(error: &DbError) -> Self {
        if let Some(violation) = Violation::from_db_error(error) {
            return Self::Violation(violation);
        }
        let code = error.code().code();
        let failure = classify_code(code, error.routine());
        // The last words of a session. They tell why it ended, not whether a commit under way came through, except
        // where it ended before it began.
        let ends = match error.parsed_severity() {
            Some(Severity::Panic) => return Self::Connection,
            Some(severity) => severity == Severity::Fatal,
            // Poolers leave out the field that is not translated, and do not translate the other.
            None => error.severity() == "FATAL",
        };
        let refused = failure == Self::Misconfigured || matches!(code, "53300" | "57P03");
        if ends && !refused { Self::Connection } else { failure }
    }

    /// The driver does not give its kinds away except in its own fixed texts, which no language setting changes.
    fn of_driver(error: &Error) -> Self {
        let text = error.to_string();
        let is = |heads: &[&str]| heads.iter().any(|head| text.starts_with(head));
        if is(&["error serializing parameter", "error encoding message", "expected "]) {
            Self::Encoding
        } else if is(&["error deserializing column", "invalid column", "query returned an unexpected number"])
        {
            Self::Decoding
        } else if is(&["invalid connection string", "invalid configuration", "authentication error"]) {
            Self::Misconfigured
        } else {
            // Closed, I/O, TLS, timeout, a broken protocol, and whatever a later driver adds: the safe side.
            Self::Connection
        }
    }
}

/// What an SQLSTATE means where the fields of the error add nothing. Class 23 has fields and is [`Violation`]'s.
fn classify_code(code: &str, routine: Option<&str>) -> Failure {
    match code {
        "40001" => Failure::Serialization,
        "40P01" => Failure::Deadlock,
        "55P03" => Failure::LockTimeout,
        "57014" => Failure::Cancelled,
        "57P03" => Failure::TooBusy,
        "25P02" => Failure::AbortedTransaction,
        "25006" => Failure::ReadOnly,
        // The text of "cached plan must not change result type" is translated, the routine is not.
        "0A000" if routine == Some("RevalidateCachedQuery") => Failure::StalePlan,
        // Unknown and duplicate statement name: a pooler put us on another server connection.
        "26000" | "42P05" => Failure::StalePlan,
        // Terminated (57P01 administrator, 57P02 crash, 57P04 database dropped, 57P05 idle), timed out in a
        // transaction (25P03 idle, 25P04 too long), completion unknown (40003).
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" | "25P04" | "40003" => Failure::Connection,
        // Object not in prerequisite state: ON CONFLICT on a deferrable constraint, for instance.
        "55000" => Failure::Misconfigured,
        _ => match code.get(..2) {
            Some("08") => Failure::Connection,
            Some("22" | "54") => Failure::InvalidData,
            Some("53") => Failure::TooBusy,
            // Unsupported feature, authorization, unknown database or schema, syntax and access, view check.
            Some("0A" | "28" | "3D" | "3F" | "42" | "44") => Failure::Misconfigured,
            _ => Failure::Other(code.as_bytes().try_into().unwrap_or(*b"?????")),
        },
    }
}

#[cfg(test)]
mod tests;
