//! Names of the host's objects, in any alphabet, quoted wherever they are used.

use std::fmt;

/// Longest name: leaves room for a suffix within PostgreSQL's 63 bytes, which it cuts names to silently.
pub const MAX_IDENT: usize = 52;

/// The name of a schema, table, column or constraint, exactly as the catalog has it: `visits`, `Visits` and `VISITS` are
/// three names. 1 to 52 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

impl Ident {
    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`InvalidIdent`] if it is empty, longer than 52 bytes or has a control character.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidIdent> {
        let name = name.into();
        let fits = (1..=MAX_IDENT).contains(&name.len()) && !name.chars().any(char::is_control);
        if fits { Ok(Self(name)) } else { Err(InvalidIdent) }
    }

    /// The bare name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name of ours beside the host's, of up to 11 bytes more: what [`MAX_IDENT`] leaves room for.
    pub(crate) fn with_suffix(&self, suffix: &str) -> Self {
        debug_assert!(suffix.len() <= 11, "the server would cut it");
        Self(format!("{}{suffix}", self.0))
    }

    /// The schema of temporary tables, whatever its number.
    pub(crate) fn temporary_schema() -> Self {
        Self("pg_temp".to_owned())
    }

    /// As it stands in a statement.
    pub(crate) fn quoted(&self) -> String {
        quoted(&self.0)
    }
}

/// Any name as it stands in a statement.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quoted, with commas between.
pub(crate) fn list(names: &[Ident]) -> String {
    names.iter().map(Ident::quoted).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A name that [`Ident::new`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MAX_IDENT} bytes and no control character")]
pub struct InvalidIdent;

/// A table with its schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The schema.
    pub schema: Ident,
    /// The table.
    pub name: Ident,
}

impl TableName {
    /// Checks and wraps both names.
    ///
    /// # Errors
    /// [`InvalidIdent`] if one of them is no name.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Result<Self, InvalidIdent> {
        Ok(Self { schema: Ident::new(schema)?, name: Ident::new(name)? })
    }

    /// As it stands in a statement.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", self.schema.quoted(), self.name.quoted())
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        let name = TableName::new("App", r#"x"; DROP TABLE y; --"#).unwrap();
        assert_eq!(name.quoted(), r#""App"."x""; DROP TABLE y; --""#);
    }

    #[test]
    fn names_the_server_would_refuse_or_cut_are_refused() {
        for name in ["", "a\0b", "a\nb", &"x".repeat(53)] {
            assert_eq!(Ident::new(name), Err(InvalidIdent), "{name:?}");
        }
        assert!(Ident::new("x".repeat(52)).is_ok());
        assert!(Ident::new("Tische und Stühle").is_ok());
    }
}
