//! The writes and reads of resources.

use super::{ListResources, NewResource, Resource, UpdateResource, model::Description};
use crate::{
    error::{Error, Result},
    executor::Executor,
    sql::Sql,
    value::{ResourceId, TenantId},
    write::{Call, Savepoint},
};

crate::handle::repository! {
    /// Resources. Obtained from [`Slotkeeper::resources`](crate::Slotkeeper::resources).
    ResourceRepository, resources: "What can be booked."
}

impl ResourceRepository<'_> {
    /// Adds a resource, active. Repeating with the same id returns it as it is now.
    ///
    /// # Errors
    /// [`Error::ReferenceTaken`], [`Error::KeyReused`] if the id is another resource's; infrastructure errors.
    ///
    /// # Transactions
    /// One statement; under a savepoint in the caller's transaction if it carries a reference. The transaction stays
    /// usable.
    pub async fn create(self, db: &dyn Executor, new: &NewResource) -> Result<Resource> {
        let it = &new.description;
        let call = Call {
            sql: Sql::ResourceCreate,
            tenant: new.tenant,
            savepoint: savepoint(it),
            params: &[
                &new.tenant,
                &new.id,
                &it.kind,
                &it.name,
                &it.reference,
                &it.capacity,
                &it.min_party,
                &it.attributes.to_value(),
            ],
        };
        let row = self.keeper.write(db, &call).await?;
        let found = Resource::from_row(&row);
        // A resource that was updated since is still the one that was created.
        if found.revision == 1 && Description::of(&found) != *it {
            return Err(Error::KeyReused { field: "description" });
        }
        Ok(found)
    }

    /// Changes what describes a resource. Repeating the identical update answers like the first, as long as nothing
    /// else has changed the resource.
    ///
    /// # Errors
    /// [`Error::StaleRevision`] if somebody changed it since it was read, [`Error::NotFound`],
    /// [`Error::ReferenceTaken`]; infrastructure errors.
    ///
    /// # Transactions
    /// One statement; under a savepoint in the caller's transaction if it carries a reference. The transaction stays
    /// usable.
    pub async fn update(self, db: &dyn Executor, update: &UpdateResource) -> Result<Resource> {
        let it = &update.description;
        let call = Call {
            sql: Sql::ResourceUpdate,
            tenant: update.tenant,
            savepoint: savepoint(it),
            params: &[
                &update.tenant,
                &update.id,
                /* expected revision */ &update.revision,
                &it.kind,
                &it.name,
                &it.reference,
                &it.capacity,
                &it.min_party,
                &it.attributes.to_value(),
                &update.active,
            ],
        };
        let row = self.keeper.write(db, &call).await?;
        match row.get("outcome") {
            "updated" => Ok(Resource::from_row(&row)),
            "stale_revision" => Err(Error::StaleRevision { found: row.get("found") }),
            _ => Err(Error::NotFound { what: "resource" }),
        }
    }

    /// Takes a resource out of sale. Idempotent; what is already held or booked stays, and a hold can be confirmed
    /// until it expires.
    ///
    /// # Errors
    /// [`Error::NotFound`]; infrastructure errors.
    ///
    /// # Transactions
    /// One statement that cannot fail on a refusal: no savepoint, and the caller's transaction stays usable.
    pub async fn deactivate(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        resource: ResourceId,
    ) -> Result<Resource> {
        let call = Call {
            sql: Sql::ResourceDeactivate,
            tenant,
            savepoint: Savepoint::Never,
            params: &[&tenant, &resource],
        };
        let row = self.keeper.write(db, &call).await?;
        match row.get("outcome") {
            "deactivated" => Ok(Resource::from_row(&row)),
            _ => Err(Error::NotFound { what: "resource" }),
        }
    }

    /// A resource as it is now.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn find(
        self,
        db: &dyn Executor,
        tenant: TenantId,
        resource: ResourceId,
    ) -> Result<Option<Resource>> {
        let rows = self.keeper.read(db, Sql::ResourceFind, tenant, &[&tenant, &resource]).await?;
        Ok(rows.first().map(Resource::from_row))
    }

    /// A page of resources, in id order.
    ///
    /// # Errors
    /// Infrastructure errors.
    pub async fn list(self, db: &dyn Executor, list: &ListResources) -> Result<Vec<Resource>> {
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&list.tenant, &list.kind, &list.active_only, &list.after, &list.limit];
        let rows = self.keeper.read(db, Sql::ResourceList, list.tenant, &params).await?;
        Ok(rows.iter().map(Resource::from_row).collect())
    }
}

const fn savepoint(description: &Description) -> Savepoint {
    if description.reference.is_some() { Savepoint::Needed } else { Savepoint::Never }
}
