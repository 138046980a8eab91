//! Requests about resources.

use super::model::{Description, Resource};
use crate::value::{InvalidInput, JsonObject, Reference, ResourceId, ResourceKind, ResourceName, TenantId};

/// A request to add a resource.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct NewResource {
    pub(crate) tenant: TenantId,
    pub(crate) id: ResourceId,
    pub(crate) description: Description,
}

impl NewResource {
    /// A resource for one person. The id is minted now: repeating the same request is harmless.
    pub fn new(tenant: TenantId, kind: ResourceKind, name: ResourceName) -> Self {
        let description = Description {
            kind,
            name,
            reference: None,
            capacity: 1,
            min_party: 1,
            attributes: JsonObject::default(),
        };
        Self { tenant, id: ResourceId::generate(), description }
    }

    /// Uses the caller's id.
    pub const fn with_id(mut self, id: ResourceId) -> Self {
        self.id = id;
        self
    }

    /// The host's own number, unique among the tenant's resources.
    pub fn reference(mut self, reference: Reference) -> Self {
        self.description.reference = Some(reference);
        self
    }

    /// The smallest and the largest party.
    ///
    /// # Errors
    /// [`InvalidInput::Capacity`] unless `1 <= smallest <= largest <= 2^31 - 1`.
    pub fn parties(mut self, smallest: u32, largest: u32) -> Result<Self, InvalidInput> {
        self.description.parties(smallest, largest)?;
        Ok(self)
    }

    /// Anything else, at most 8 KiB.
    pub fn attributes(mut self, attributes: JsonObject) -> Self {
        self.description.attributes = attributes;
        self
    }

    /// The resource's id.
    #[must_use]
    pub const fn id(&self) -> ResourceId {
        self.id
    }
}

/// A request to change what describes a resource.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct UpdateResource {
    pub(crate) tenant: TenantId,
    pub(crate) id: ResourceId,
    pub(crate) revision: i32,
    pub(crate) active: bool,
    pub(crate) description: Description,
}

impl UpdateResource {
    /// Starts from a resource as it was read; the change is refused if somebody changed it since.
    pub fn from(tenant: TenantId, read: &Resource) -> Self {
        Self {
            tenant,
            id: read.id,
            revision: read.revision,
            active: read.active,
            description: Description::of(read),
        }
    }

    /// What it is.
    pub fn kind(mut self, kind: ResourceKind) -> Self {
        self.description.kind = kind;
        self
    }

    /// What people call it.
    pub fn name(mut self, name: ResourceName) -> Self {
        self.description.name = name;
        self
    }

    /// The host's own number, or none.
    pub fn reference(mut self, reference: Option<Reference>) -> Self {
        self.description.reference = reference;
        self
    }

    /// The smallest and the largest party.
    ///
    /// # Errors
    /// [`InvalidInput::Capacity`] unless `1 <= smallest <= largest <= 2^31 - 1`.
    pub fn parties(mut self, smallest: u32, largest: u32) -> Result<Self, InvalidInput> {
        self.description.parties(smallest, largest)?;
        Ok(self)
    }

    /// Anything else, at most 8 KiB.
    pub fn attributes(mut self, attributes: JsonObject) -> Self {
        self.description.attributes = attributes;
        self
    }

    /// Whether it takes new claims.
    pub const fn active(mut self, active: bool) -> Self {
        self.active = active;
        self
    }
}

/// A request for a page of resources, in id order.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct ListResources {
    pub(crate) tenant: TenantId,
    pub(crate) kind: Option<ResourceKind>,
    pub(crate) active_only: bool,
    pub(crate) after: Option<ResourceId>,
    pub(crate) limit: i64,
}

impl ListResources {
    /// The first 100 of a tenant, active or not.
    pub const fn new(tenant: TenantId) -> Self {
        Self { tenant, kind: None, active_only: false, after: None, limit: 100 }
    }

    /// Of one kind only.
    pub fn kind(mut self, kind: ResourceKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Only those that take new claims.
    pub const fn active_only(mut self) -> Self {
        self.active_only = true;
        self
    }

    /// The page after this id.
    pub const fn after(mut self, id: ResourceId) -> Self {
        self.after = Some(id);
        self
    }

    /// The size of a page, 1 to 1,000.
    ///
    /// # Errors
    /// [`InvalidInput::OutOfRange`].
    pub fn limit(mut self, rows: u32) -> Result<Self, InvalidInput> {
        if !(1..=1_000).contains(&rows) {
            return Err(InvalidInput::OutOfRange { field: "limit", min: 1, max: 1_000 });
        }
        self.limit = rows.into();
        Ok(self)
    }
}
