//! Nothing of the database shows in an error. The check is shown to hear what it listens for.

use std::error::Error;

use slotkeeper::{Constraint, violation::Violation};

/// In every text and every name that a test plants.
pub(crate) const CANARY: &str = "canary";

/// What would be SQL, or one of the server's own sentences.
const SERVER: &[&str] =
    &["insert", "select", "update ", "values", "relation", "column \"", "detail", "failing row"];

/// The first thing in a text that must not be there.
pub(crate) fn heard(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let token =
        |name: &&str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == *name);
    let said = |word: &&str| text.contains(*word);
    let names = || Constraint::ALL.iter().flat_map(|constraint| [constraint.name(), constraint.table()]);
    let heard = names().find(token).or_else(|| [CANARY].into_iter().chain(SERVER.iter().copied()).find(said));
    heard.map(str::to_owned)
}

/// An error and all its causes, in every way to print them.
pub(crate) fn texts(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(e) = next {
        texts.extend([format!("{e}"), format!("{e:?}"), format!("{e:#}"), format!("{e:#?}")]);
        next = e.source();
    }
    texts
}

pub(crate) fn silent(error: &(dyn Error + 'static)) {
    for text in texts(error) {
        assert_eq!(heard(&text), None, "{text}");
    }
}

/// The violation in an error, after checking that it shows nothing, although the error is full of it.
pub(crate) fn read(error: &tokio_postgres::Error) -> Violation {
    let violation = Violation::from_error(error).expect("a violation");
    silent(&violation);
    violation
}

/// Negative control: the check hears a driver error, and each kind of thing alone.
#[tokio::test]
async fn a_driver_error_is_heard() {
    let db = super::db::migrated().await;
    let error = db.error("INSERT INTO slotkeeper.outbox (tenant_id) VALUES (NULL)").await;
    assert_eq!(heard(&error.to_string()), None, "the driver's own text is only `db error`");
    assert!(texts(&error).iter().any(|text| heard(text).is_some()), "and yet its causes tell all");
    for loud in [
        "violates \"holds_pkey\"",
        "relation bookings",
        "a Canary value",
        "INSERT INTO x",
        "DETAIL: Key (a)=(1) already exists",
    ] {
        assert!(heard(loud).is_some(), "{loud}");
    }
    assert_eq!(heard("exclusion constraint violated"), None);
}
