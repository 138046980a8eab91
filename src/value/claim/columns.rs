//! A claim as a statement takes it.

use super::Claim;
use crate::value::{AllocationId, ResourceId, Window};
use sha2::{Digest, Sha256};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

impl Claim {
    /// The columns a statement unnests, for a claim that is new under `id`. The allocations' ids follow from it, so
    /// that two things that take one id at the same moment, wherever, meet in the primary key.
    pub(crate) fn columns_of(&self, id: Uuid) -> ClaimColumns {
        self.with_ids((0_u32..).zip(&self.pairs).map(|(nth, _)| allocation_id(id, nth)).collect())
    }

    /// The columns a statement unnests: resources, blocked windows, and a fresh allocation id for each.
    pub(crate) fn columns(&self) -> ClaimColumns {
        self.with_ids(self.pairs.iter().map(|_| AllocationId::generate()).collect())
    }

    fn with_ids(&self, ids: Vec<AllocationId>) -> ClaimColumns {
        let resources = self.pairs.iter().map(|pair| pair.resource).collect();
        ClaimColumns { resources, blocked: self.blocked.clone(), ids }
    }
}

/// The id of a claim's nth allocation. The first half is the claim's own: of a v7 id that is its time, and rows written
/// together stay together in the index. The second half is a digest, so that no two claims meet by arithmetic.
fn allocation_id(claim: Uuid, nth: u32) -> AllocationId {
    let mut input = claim.into_bytes().to_vec();
    input.extend(nth.to_be_bytes());
    let digest = Sha256::digest(&input);
    let mut bytes = claim.into_bytes();
    bytes[8..].copy_from_slice(&digest[..8]);
    AllocationId::from_uuid(Uuid::from_bytes(bytes))
}

/// A claim as parallel arrays. Ids are minted once a call, not once a pass: a repeated statement is identical.
pub(crate) struct ClaimColumns {
    pub(crate) resources: Vec<ResourceId>,
    pub(crate) blocked: Vec<Window>,
    pub(crate) ids: Vec<AllocationId>,
}

impl ClaimColumns {
    /// For a statement about one resource: resource, blocked window, allocation.
    pub(crate) fn one(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.resources[0], &self.blocked[0], &self.ids[0]]
    }

    /// For a statement about any number: the same as arrays.
    pub(crate) fn many(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.resources, &self.blocked, &self.ids]
    }
}
