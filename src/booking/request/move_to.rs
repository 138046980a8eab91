//! A booking exchanges its places.

use crate::{
    confirmation::{Identity, Operation, RecordedRequest},
    value::{BookingId, Claim, IdempotencyKey, TenantId},
};

/// A request to exchange a booking's places for others.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct MoveBooking {
    pub(crate) tenant: TenantId,
    pub(crate) booking: BookingId,
    pub(crate) revision: i32,
    pub(crate) to: Claim,
    pub(crate) key: IdempotencyKey,
}

impl MoveBooking {
    /// Moves a booking, as it was read at `revision`, to other places or another time.
    pub const fn new(
        tenant: TenantId,
        booking: BookingId,
        revision: i32,
        to: Claim,
        key: IdempotencyKey,
    ) -> Self {
        Self { tenant, booking, revision, to, key }
    }

    pub(crate) fn identity(&self) -> Identity {
        let request = RecordedRequest {
            booking: Some(self.booking),
            revision: Some(self.revision),
            ..RecordedRequest::claiming(&self.to)
        };
        Identity::new(Operation::Move, &self.key, request)
    }
}
