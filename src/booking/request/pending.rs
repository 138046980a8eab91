//! A booking that waits for approval.

use crate::{
    booking::BookingDetails,
    value::{BookingId, TenantId, Window},
};

/// A request for a booking that somebody must approve. It claims nothing until then.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is given to a repository"]
pub struct RequestBooking {
    pub(crate) tenant: TenantId,
    pub(crate) id: BookingId,
    pub(crate) window: Window,
    pub(crate) details: BookingDetails,
}

impl RequestBooking {
    /// Asks for a window. The id is minted now: repeating the same request is harmless.
    pub fn new(tenant: TenantId, window: Window) -> Self {
        Self { tenant, id: BookingId::generate(), window, details: BookingDetails::new() }
    }

    /// Uses the caller's id.
    pub const fn with_id(mut self, id: BookingId) -> Self {
        self.id = id;
        self
    }

    /// What the booking carries.
    pub fn details(mut self, details: BookingDetails) -> Self {
        self.details = details;
        self
    }

    /// The booking's id.
    #[must_use]
    pub const fn id(&self) -> BookingId {
        self.id
    }
}
