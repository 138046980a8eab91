//! Which booking a decision makes.

use crate::{confirmation::RecordedRequest, value::BookingId};

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
    pub(super) fn recorded(self, mut request: RecordedRequest) -> RecordedRequest {
        (request.booking, request.pending) = match self {
            Self::Minted => (None, None),
            Self::New(id) => (Some(id), Some(false)),
            Self::Pending(id) => (Some(id), Some(true)),
        };
        request
    }
}
