//! Identifiers: one newtype for each noun, so that a hold can never be passed where a booking is meant.
//!
//! Any UUID is accepted. Ids minted here are version 7: they sort by time, which keeps b-tree inserts local. Ids are
//! minted by the *caller's* side on purpose: repeating a call with the id it was first made with is what makes a lost
//! reply harmless.

use bytes::BytesMut;
use postgres_types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use std::{error::Error as StdError, fmt};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta] $name:ident)+) => {$(
        #[$doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Mints a new version 7 id.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// Wraps any UUID.
            #[must_use]
            pub const fn from_uuid(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
                self.0.to_sql(ty, out)
            }

            fn accepts(ty: &Type) -> bool {
                <Uuid as ToSql>::accepts(ty)
            }

            to_sql_checked!();
        }

        impl<'a> FromSql<'a> for $name {
            fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
                Uuid::from_sql(ty, raw).map(Self)
            }

            fn accepts(ty: &Type) -> bool {
                <Uuid as FromSql>::accepts(ty)
            }
        }
    )+};
}

id! {
    /// A customer of the host: every row belongs to exactly one.
    TenantId
    /// A table, room, person or vehicle.
    ResourceId
    /// A claim with a TTL. Also the claim id of its allocations.
    HoldId
    /// One resource × one window.
    AllocationId
    /// What a set of allocations was claimed for: a hold, a booking or a blackout.
    ClaimId
    /// A booking.
    BookingId
    /// The record of one decision.
    ConfirmationId
    /// A period in which a resource is closed.
    BlackoutId
    /// A message for other systems.
    EventId
}

impl TenantId {
    /// The tenant of a service that has none: the nil UUID.
    pub const SINGLE: Self = Self(Uuid::nil());
}

impl From<HoldId> for ClaimId {
    fn from(hold: HoldId) -> Self {
        Self(hold.0)
    }
}

impl From<BlackoutId> for ClaimId {
    fn from(blackout: BlackoutId) -> Self {
        Self(blackout.0)
    }
}
