//! Places are claimed and confirmed at once.

use super::Target;
use crate::{
    booking::BookingDetails,
    confirmation::{Identity, Operation, RecordedRequest},
    value::{BookingId, Claim, IdempotencyKey, TenantId},
};

/// A request to claim places and confirm them at once.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct BookPlaces {
    pub(crate) tenant: TenantId,
    pub(crate) claim: Claim,
    pub(crate) key: IdempotencyKey,
    pub(crate) target: Target,
    pub(crate) details: BookingDetails,
}

impl BookPlaces {
    /// Books what the claim names, all or nothing.
    pub fn new(tenant: TenantId, claim: Claim, key: IdempotencyKey) -> Self {
        Self { tenant, claim, key, target: Target::Minted, details: BookingDetails::new() }
    }

    /// Gives the new booking the caller's id.
    pub const fn as_booking(mut self, booking: BookingId) -> Self {
        self.target = Target::New(booking);
        self
    }

    /// Approves a booking that waits for it; the window must be the one it was requested for. Details given here
    /// replace its own.
    pub const fn for_pending(mut self, booking: BookingId) -> Self {
        self.target = Target::Pending(booking);
        self
    }

    /// What the booking carries.
    pub fn details(mut self, details: BookingDetails) -> Self {
        self.details = details;
        self
    }

    pub(crate) fn identity(&self) -> Identity {
        let request =
            RecordedRequest { details: self.details.digest(), ..RecordedRequest::claiming(&self.claim) };
        Identity::new(Operation::Book, &self.key, self.target.recorded(request))
    }
}
