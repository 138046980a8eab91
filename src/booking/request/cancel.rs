//! A booking gives up its places.

use crate::{
    confirmation::{Identity, Operation, RecordedRequest},
    value::{BookingId, IdempotencyKey, TenantId},
};

/// A request to give up a booking's places.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct CancelBooking {
    pub(crate) tenant: TenantId,
    pub(crate) booking: BookingId,
    pub(crate) key: IdempotencyKey,
    pub(crate) revision: Option<i32>,
}

impl CancelBooking {
    /// Cancels a booking, whatever its revision.
    pub const fn new(tenant: TenantId, booking: BookingId, key: IdempotencyKey) -> Self {
        Self { tenant, booking, key, revision: None }
    }

    /// Refuses if the booking was changed since this revision.
    pub const fn expecting_revision(mut self, revision: i32) -> Self {
        self.revision = Some(revision);
        self
    }

    pub(crate) fn identity(&self) -> Identity {
        let request = RecordedRequest {
            booking: Some(self.booking),
            revision: self.revision,
            ..RecordedRequest::default()
        };
        Identity::new(Operation::Cancel, &self.key, request)
    }
}
