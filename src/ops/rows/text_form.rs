//! Settings under which the server's text of a value is lossless and the same in every session.

use tokio_postgres::types::Type;

use crate::ops::transaction::Transaction;
use crate::ops::{DriverResult, OpsError};

/// `pg_catalog` alone on the path makes the server qualify every other name, be it a type's or a value's (`regclass`).
const SETTINGS: [(&str, &str); 8] = [
    ("DateStyle", "ISO, YMD"),
    ("TimeZone", "UTC"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("xmloption", "content"),
    ("search_path", "pg_catalog, pg_temp"),
];

/// The settings that also decide how a text is read back. The others matter only for writing it.
pub(crate) const FOR_READING_BACK: &str =
    "SET LOCAL IntervalStyle = postgres; SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = content";

/// The session's own settings, which are set again before rows are changed: the host's triggers and checks run under them.
#[derive(Debug)]
#[must_use]
pub(crate) struct Outside(Vec<String>);

/// Sets them for the transaction, until [`leave`]. Returns what was set before.
pub(crate) async fn enter(tx: &Transaction<'_>) -> Result<Outside, OpsError> {
    let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
    let sql = "SELECT pg_catalog.current_setting(s.name)
        FROM pg_catalog.unnest($1::pg_catalog.text[]) WITH ORDINALITY AS s (name, at) ORDER BY s.at";
    let rows = tx.query_typed(sql, &[(&names, Type::TEXT_ARRAY)]).await.driver()?;
    let own = rows.iter().map(|row| row.get(0)).collect();
    set(tx, &SETTINGS.map(|(_, value)| value)).await?;
    Ok(Outside(own))
}

/// Sets the session's own settings again.
pub(crate) async fn leave(tx: &Transaction<'_>, outside: &Outside) -> Result<(), OpsError> {
    let values: Vec<&str> = outside.0.iter().map(String::as_str).collect();
    set(tx, &values).await
}

async fn set(tx: &Transaction<'_>, values: &[&str]) -> Result<(), OpsError> {
    let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
    let sql = "SELECT pg_catalog.set_config(s.name, s.value, true)
        FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS s (name, value)";
    let params = [(&names as _, Type::TEXT_ARRAY), (&values as _, Type::TEXT_ARRAY)];
    tx.query_typed(sql, &params).await.driver()?;
    Ok(())
}
