//! What a resource is.

use crate::value::{InvalidInput, JsonObject, Reference, ResourceId, ResourceKind, ResourceName};
use chrono::{DateTime, Utc};
use tokio_postgres::Row;

/// Something that can be booked, as it is now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What it is.
    pub kind: ResourceKind,
    /// What people call it.
    pub name: ResourceName,
    /// The host's own number.
    pub reference: Option<Reference>,
    /// The largest party it takes.
    pub capacity: i32,
    /// The smallest party it is given to.
    pub min_party: i32,
    /// Anything else: zone, floor, movable.
    pub attributes: JsonObject,
    /// Whether it takes new claims.
    pub active: bool,
    /// Counts its changes, from 1.
    pub revision: i32,
    /// When it was written, by the database's clock.
    pub created_at: DateTime<Utc>,
    /// When it was last changed, by the database's clock.
    pub updated_at: DateTime<Utc>,
}

impl Resource {
    pub(crate) fn from_row(row: &Row) -> Self {
        Self {
            id: row.get("id"),
            kind: row.get("kind"),
            name: row.get("name"),
            reference: row.get("reference"),
            capacity: row.get("capacity"),
            min_party: row.get("min_party"),
            attributes: JsonObject::stored(row.get("attributes")),
            active: row.get("active"),
            revision: row.get("revision"),
            created_at: row.get("created_at"),
            updated_at: row.get("updated_at"),
        }
    }
}

/// What describes a resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Description {
    pub(crate) kind: ResourceKind,
    pub(crate) name: ResourceName,
    pub(crate) reference: Option<Reference>,
    pub(crate) capacity: i32,
    pub(crate) min_party: i32,
    pub(crate) attributes: JsonObject,
}

impl Description {
    pub(crate) fn of(read: &Resource) -> Self {
        Self {
            kind: read.kind.clone(),
            name: read.name.clone(),
            reference: read.reference.clone(),
            capacity: read.capacity,
            min_party: read.min_party,
            attributes: read.attributes.clone(),
        }
    }

    pub(super) fn parties(&mut self, smallest: u32, largest: u32) -> Result<(), InvalidInput> {
        let (Ok(min), Ok(max)) = (i32::try_from(smallest), i32::try_from(largest)) else {
            return Err(InvalidInput::Capacity);
        };
        if min < 1 || max < min {
            return Err(InvalidInput::Capacity);
        }
        (self.min_party, self.capacity) = (min, max);
        Ok(())
    }
}
