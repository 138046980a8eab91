//! The name of the PostgreSQL schema the library's tables live in.

use std::fmt;

/// The version of the schema this library's statements are written for.
pub const SCHEMA_VERSION: i32 = 3;

/// A validated schema name: `[a-z_][a-z0-9_]{0,47}`, not starting with `pg_`.
///
/// The default is `slotkeeper`. The alphabet is narrow on purpose: such a name needs no quoting anywhere, so it cannot
/// carry SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SchemaName(String);

impl SchemaName {
    /// The longest name, in bytes: leaves room for suffixes within PostgreSQL's 63.
    pub const LIMIT: usize = 48;

    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`InvalidSchemaName`] if the name is empty, too long, reserved or has a character outside the alphabet.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidSchemaName> {
        let name = name.into();
        let mut bytes = name.bytes();
        let head = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
        let tail = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if head && tail && name.len() <= Self::LIMIT && !name.starts_with("pg_") {
            Ok(Self(name))
        } else {
            Err(InvalidSchemaName)
        }
    }

    /// The bare name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Puts this schema in front of every table of a statement written for the default schema.
    pub(crate) fn qualify(&self, sql: &str) -> String {
        sql.replace("slotkeeper.", &format!("\"{}\".", self.0))
    }
}

impl Default for SchemaName {
    fn default() -> Self {
        Self("slotkeeper".into())
    }
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A schema name that [`SchemaName::new`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("schema name must match [a-z_][a-z0-9_]{{0,47}} and not start with pg_")]
pub struct InvalidSchemaName;
