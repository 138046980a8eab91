//! A person is cleared.

use crate::{
    confirmation::{Identity, Operation, RecordedRequest, digest},
    value::{CustomerRef, IdempotencyKey, TenantId},
};
use serde_json::json;

/// A request to clear a person.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct EraseCustomer {
    pub(crate) tenant: TenantId,
    pub(crate) customer: CustomerRef,
    pub(crate) key: IdempotencyKey,
}

impl EraseCustomer {
    /// Clears every trace of a customer reference.
    pub const fn new(tenant: TenantId, customer: CustomerRef, key: IdempotencyKey) -> Self {
        Self { tenant, customer, key }
    }

    /// The record must not lead back to the person, yet a key reused for another one must be noticed: it keeps a digest
    /// of the reference salted with the key.
    pub(crate) fn identity(&self) -> Identity {
        let salted = json!({ "key": self.key.as_str(), "customer": self.customer.as_str() });
        let request = RecordedRequest { details: Some(digest(&salted)), ..RecordedRequest::default() };
        Identity::new(Operation::Erase, &self.key, request)
    }
}
