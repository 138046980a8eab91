//! Short texts with a stated limit: one newtype for each meaning.

use super::InvalidInput;
use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use std::{error::Error as StdError, fmt};

/// The rule all texts share: 1 to `limit` bytes of UTF-8 and no control character, so no NUL either, which PostgreSQL
/// cannot store.
fn check(field: &'static str, text: &str, limit: usize) -> Result<(), InvalidInput> {
    if text.is_empty() {
        Err(InvalidInput::Empty { field })
    } else if text.len() > limit {
        Err(InvalidInput::TooLong { field, limit })
    } else if text.chars().any(char::is_control) {
        Err(InvalidInput::ControlCharacter { field })
    } else {
        Ok(())
    }
}

macro_rules! text {
    ($($(#[$doc:meta])+ $name:ident: $field:literal, $limit:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The longest value, in bytes of UTF-8.
            pub const LIMIT: usize = $limit;

            /// Checks and wraps a text.
            ///
            /// # Errors
            /// [`InvalidInput::Empty`], [`InvalidInput::TooLong`] or [`InvalidInput::ControlCharacter`].
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidInput> {
                let text = text.into();
                check($field, &text, Self::LIMIT)?;
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Shows the length only: such texts may name people.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.0.len())
            }
        }

        impl ToSql for $name {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
                self.0.to_sql(ty, out)
            }

            fn accepts(ty: &Type) -> bool {
                <String as ToSql>::accepts(ty)
            }

            to_sql_checked!();
        }

        impl<'a> FromSql<'a> for $name {
            fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
                Ok(Self::new(<&str>::from_sql(ty, raw)?)?)
            }

            fn accepts(ty: &Type) -> bool {
                <String as FromSql>::accepts(ty)
            }
        }
    )+};
}

text! {
    /// The host's own number for a resource, hold or booking: unique per tenant and noun where given.
    Reference: "reference", 120;
    /// Who placed a hold: a session, a user, a device. Opaque; only its owner may extend, release or replace a hold.
    Actor: "actor", 120;
    /// The host's opaque reference to a customer. The only link to a person; `erase` clears it everywhere.
    ///
    /// Use a random id of your own, such as a UUID; never an e-mail address, a telephone number or a name. The record
    /// of a decision keeps a SHA-256 digest of what the request carried, this reference included, and outlives `erase`.
    /// What can be guessed can be found again by trying its digest; a random id cannot be guessed, and neither can
    /// anything else in a digest that includes one.
    CustomerRef: "customer reference", 120;
    /// What a resource is: `table`, `room`, `staff`, `vehicle`, …
    ResourceKind: "resource kind", 40;
    /// What people call a resource.
    ResourceName: "resource name", 200;
    /// The caller's name for one intended write: repeating the call with it returns the first answer.
    ///
    /// Use a fresh one for each intention, and keep it until the answer is known. A refused key stays refused.
    IdempotencyKey: "idempotency key", 200;
}

/// An IANA time zone name, such as `Europe/Lisbon`: kept for display, never used to compute.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TimeZoneName(String);

impl TimeZoneName {
    /// Checks the alphabet and length (1 to 64 bytes); whether the zone exists is the host's business.
    ///
    /// # Errors
    /// [`InvalidInput::TimeZone`].
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidInput> {
        let name = name.into();
        let alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(alphabet) {
            return Err(InvalidInput::TimeZone);
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TimeZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimeZoneName({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_bytes_and_controls_are_refused() {
        assert!(Reference::new("x".repeat(120)).is_ok());
        assert_eq!(
            Reference::new("é".repeat(61)).err(),
            Some(InvalidInput::TooLong { field: "reference", limit: 120 })
        );
        assert_eq!(Actor::new("").err(), Some(InvalidInput::Empty { field: "actor" }));
        for bad in ["a\0b", "a\nb", "\u{7f}", "\u{85}"] {
            assert_eq!(
                IdempotencyKey::new(bad).err(),
                Some(InvalidInput::ControlCharacter { field: "idempotency key" })
            );
        }
        assert!(TimeZoneName::new("America/Argentina/Buenos_Aires").is_ok());
        assert_eq!(TimeZoneName::new("'; drop table").err(), Some(InvalidInput::TimeZone));
    }

    #[test]
    fn debug_shows_no_content() {
        assert_eq!(format!("{:?}", CustomerRef::new("alice").ok()), "Some(CustomerRef(5 bytes))");
    }
}
