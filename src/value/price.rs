//! `Price`: an amount in minor units, kept with a booking and never computed with.

use super::InvalidInput;
use serde::Serialize;

/// An amount in the currency's minor unit (cents), and the currency's three upper-case letters (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Price {
    minor: i64,
    currency: [u8; 3],
}

impl Price {
    /// An amount in minor units; negative for a refund.
    ///
    /// # Errors
    /// [`InvalidInput::Currency`] unless the currency is three upper-case ASCII letters.
    pub fn new(minor: i64, currency: &str) -> Result<Self, InvalidInput> {
        match <[u8; 3]>::try_from(currency.as_bytes()) {
            Ok(currency) if currency.iter().all(u8::is_ascii_uppercase) => Ok(Self { minor, currency }),
            _ => Err(InvalidInput::Currency),
        }
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(&self) -> i64 {
        self.minor
    }

    /// The currency code.
    #[must_use]
    pub fn currency(&self) -> &str {
        // Three upper-case ASCII letters by construction, so this is never the fallback.
        std::str::from_utf8(&self.currency).unwrap_or_default()
    }
}
