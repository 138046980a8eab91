//! A hold becomes a booking.

use super::Target;
use crate::{
    booking::BookingDetails,
    confirmation::{Identity, Operation, RecordedRequest},
    value::{BookingId, HoldId, IdempotencyKey, TenantId, Window},
};

/// A request to turn a hold into a booking.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct ConfirmHold {
    pub(crate) tenant: TenantId,
    pub(crate) hold: HoldId,
    pub(crate) key: IdempotencyKey,
    pub(crate) target: Target,
    pub(crate) window: Option<Window>,
    pub(crate) if_still_free: bool,
    pub(crate) details: BookingDetails,
}

impl ConfirmHold {
    /// Confirms a hold as a new booking.
    pub fn new(tenant: TenantId, hold: HoldId, key: IdempotencyKey) -> Self {
        let details = BookingDetails::new();
        Self { tenant, hold, key, target: Target::Minted, window: None, if_still_free: false, details }
    }

    /// Gives the new booking the caller's id.
    pub const fn as_booking(mut self, booking: BookingId) -> Self {
        self.target = Target::New(booking);
        self
    }

    /// Confirms a booking that waits for approval; details given here replace its own.
    pub const fn for_pending(mut self, booking: BookingId) -> Self {
        self.target = Target::Pending(booking);
        self
    }

    /// Refuses if the hold's window, without buffers, is another.
    pub const fn expecting_window(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// Confirms after expiry too, if the places are still free: for a payment that came late. That is a new claim, so
    /// every resource must be active then; a hold that has not expired is confirmed on an inactive one too.
    pub const fn if_still_free(mut self) -> Self {
        self.if_still_free = true;
        self
    }

    /// What the booking carries.
    pub fn details(mut self, details: BookingDetails) -> Self {
        self.details = details;
        self
    }

    pub(crate) fn identity(&self) -> Identity {
        let request = RecordedRequest {
            hold: Some(self.hold),
            window: self.window,
            if_still_free: self.if_still_free.then_some(true),
            details: self.details.digest(),
            ..RecordedRequest::default()
        };
        Identity::new(Operation::Confirm, &self.key, self.target.recorded(request))
    }
}
