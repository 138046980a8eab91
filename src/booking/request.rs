//! Requests about bookings. None of them can hold an invalid value.

use super::BookingDetails;
use crate::{
    confirmation::{Identity, Operation, RecordedRequest, digest},
    value::{BookingId, Claim, CustomerRef, HoldId, IdempotencyKey, TenantId, Window},
};
use serde_json::json;

/// Which booking a decision is to make.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A new one, under an id minted when it is sent.
    Minted,
    /// A new one, under the caller's id.
    New(BookingId),
    /// One that waits for approval.
    Pending(BookingId),
}

impl Target {
    pub(crate) fn id(self) -> BookingId {
        match self {
            Self::Minted => BookingId::generate(),
            Self::New(id) | Self::Pending(id) => id,
        }
    }

    /// What the request said of the booking: a minted id is not part of it.
    fn recorded(self, mut request: RecordedRequest) -> RecordedRequest {
        (request.booking, request.pending) = match self {
            Self::Minted => (None, None),
            Self::New(id) => (Some(id), Some(false)),
            Self::Pending(id) => (Some(id), Some(true)),
        };
        request
    }
}

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

    /// Approves a booking that waits for it; the window must be the one it was requested for. Details given here replace
    /// its own.
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
