//! Requests about bookings. None of them can hold an invalid value.

mod book;
mod cancel;
mod confirm;
mod erase;
mod move_to;
mod pending;
mod target;

pub use book::BookPlaces;
pub use cancel::CancelBooking;
pub use confirm::ConfirmHold;
pub use erase::EraseCustomer;
pub use move_to::MoveBooking;
pub use pending::RequestBooking;
pub(super) use target::Target;
